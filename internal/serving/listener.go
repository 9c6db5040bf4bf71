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

package serving

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
)

const (
	// maxConnections is how many connections a listener holds. Each takes some 30 KiB, with TLS some 60.
	maxConnections = 128
	// socketBuffer is what the kernel holds of each connection and direction: what a client does not read is the
	// container's memory too.
	socketBuffer = 64 << 10
)

// Listen listens for TCP at the address. Of more connections than it holds, it closes the oldest one of the address that
// has most: who opens many closes their own.
func Listen(address string) (net.Listener, error) {
	tcp, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	return &listener{Listener: tcp, connections: map[netip.Addr][]*connection{}}, nil
}

type listener struct {
	net.Listener
	mu          sync.Mutex
	connections map[netip.Addr][]*connection // the oldest first
	opened      uint64
	count       int
}

type connection struct {
	*net.TCPConn
	from   netip.Addr
	number uint64
	of     *listener
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	tcp, ok := accepted.(*net.TCPConn)
	if !ok {
		return nil, fmt.Errorf("a connection is a %T and no TCP connection", accepted)
	}
	// Failures are left to the first read and write.
	_ = tcp.SetReadBuffer(socketBuffer)
	_ = tcp.SetWriteBuffer(socketBuffer)
	opened := &connection{TCPConn: tcp, from: sourceOf(accepted.RemoteAddr().String()), of: l}
	if superfluous := l.add(opened); superfluous != nil {
		_ = superfluous.SetLinger(0) // what it has not read is dropped as well
		_ = superfluous.Close()
	}
	return opened, nil
}

// add counts a connection, and returns the one to close if there are too many.
func (l *listener) add(opened *connection) *connection {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opened++
	opened.number = l.opened
	l.connections[opened.from] = append(l.connections[opened.from], opened)
	l.count++
	if l.count <= maxConnections {
		return nil
	}
	var most []*connection
	for _, connections := range l.connections {
		if len(connections) > len(most) || len(connections) == len(most) && connections[0].number < most[0].number {
			most = connections
		}
	}
	return most[0]
}

// Close implements net.Conn.
func (c *connection) Close() error {
	c.of.remove(c)
	return c.TCPConn.Close()
}

func (l *listener) remove(closed *connection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	connections := l.connections[closed.from]
	at := slices.Index(connections, closed)
	if at < 0 {
		return // closed before
	}
	l.count--
	if len(connections) == 1 {
		delete(l.connections, closed.from)
		return
	}
	l.connections[closed.from] = slices.Delete(connections, at, at+1)
}

// sourceOf returns the address in host:port. What is no address is one source.
func sourceOf(hostport string) netip.Addr {
	parsed, err := netip.ParseAddrPort(hostport)
	if err != nil {
		return netip.Addr{}
	}
	return parsed.Addr().Unmap()
}
