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

package controlplane

import (
	"fmt"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// User returns a config, without client-side rate limit, for a user of that name and those groups. The user has no
// rights but what RBAC grants. The error says why no client certificate could be made.
func (c *ControlPlane) User(name string, groups ...string) (*rest.Config, error) {
	if c.owner != "" {
		return askForUser(c.owner, name, groups)
	}
	c.users.Lock()
	defer c.users.Unlock()
	user, err := c.api.AddUser(envtest.User{Name: name, Groups: groups}, unlimited())
	if err != nil {
		return nil, fmt.Errorf("make user %s: %w", name, err)
	}
	return user.Config(), nil
}

// ServiceAccount returns a config that has exactly the rights of a ServiceAccount. It is a client certificate for the
// account's user name and groups, not a token, so the ServiceAccount need not exist and the config does not expire
// while a test runs. The error says why no certificate could be made.
func (c *ControlPlane) ServiceAccount(namespace, name string) (*rest.Config, error) {
	return c.User("system:serviceaccount:"+namespace+":"+name,
		"system:serviceaccounts", "system:serviceaccounts:"+namespace, "system:authenticated")
}

// Kubeconfig returns the content of a kubeconfig file that does what config does. Only what this package's configs
// hold is carried over: the address, the certificate authority and the client certificate.
func Kubeconfig(config *rest.Config) ([]byte, error) {
	const name = "controlplane"
	file := clientcmdapi.NewConfig()
	file.Clusters[name] = &clientcmdapi.Cluster{
		Server:                   config.Host,
		CertificateAuthorityData: config.CAData,
	}
	file.AuthInfos[name] = &clientcmdapi.AuthInfo{
		ClientCertificateData: config.CertData,
		ClientKeyData:         config.KeyData,
	}
	file.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	file.CurrentContext = name
	content, err := clientcmd.Write(*file)
	if err != nil {
		return nil, fmt.Errorf("write kubeconfig: %w", err)
	}
	return content, nil
}
