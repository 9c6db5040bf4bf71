/*
Copyright 2026 The app-operator authors.

Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software
distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and
limitations under the License.
*/

package election

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// limitDelivery has the kernel give a connection up when what was written to it has not been acknowledged for so long
// (tcp(7), TCP_USER_TIMEOUT). What is no TCP connection is left as it is.
func limitDelivery(connection net.Conn, limit time.Duration) error {
	socket, ok := connection.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, max(1, int(limit.Milliseconds())))
	})
	if err != nil {
		return err
	}
	return failed
}
