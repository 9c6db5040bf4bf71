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

package importing

// commonHints say what to do instead of fields, by their paths without indexes; *. is anywhere.
var commonHints = map[string]string{
	"*.hostAliases":              "give the names to the cluster's DNS, or keep them in the program's configuration",
	"*.dnsConfig":                "pods use the cluster's DNS; end a name with a dot to have it asked for as it is",
	"*.dnsPolicy":                "pods use the cluster's DNS",
	"*.hostNetwork":              "an Application has no access to its node; use spec.service.type NodePort or LoadBalancer, or a DaemonSet of your own",
	"*.hostPID":                  "an Application has no access to its node",
	"*.hostIPC":                  "an Application has no access to its node",
	"*.shareProcessNamespace":    "the containers of a pod do not see each other's processes",
	"*.workingDir":               "the image's folder counts; give absolute paths, or have the command begin with sh -c and cd",
	"*.postStart":                "start it in the program's own command, or in an init container",
	"*.stopSignal":               "the image's signal counts; set STOPSIGNAL in the image",
	"*.schedulerName":            "pods are placed by the cluster's own scheduler; choose nodes in spec.scheduling",
	"*.allowPrivilegeEscalation": "no Application may escalate its privileges; run the program without",
	"*.privileged":               "no Application is privileged; give it the capabilities that it needs in spec.security.capabilities, or keep a workload of your own",
	"*.seccompProfile":           "pods run under the container runtime's own seccomp profile",
	"*.seLinuxOptions":           "the node's own SELinux context counts",
	"*.appArmorProfile":          "the container runtime's own AppArmor profile counts",
	"*.sysctls":                  "set them on the node, or keep a workload of your own",
	"*.httpGet.host":             "the pod itself is asked; remove it",
	"*.subPathExpr":              "give each file its own subPath",
	"*.mountPropagation":         "mounts are not passed on; keep a workload of your own if they have to be",
	"*.terminationMessagePath":   "the last lines of the log say why a container has failed",
	"*.lifecycle":                "only preStop is run, in spec.shutdown; have the program's own command or an init container do what postStart does",
	"*.livenessProbe.terminationGracePeriodSeconds": "a container that fails its probe has spec.shutdown.gracePeriodSeconds to end, as each one has",
	"*.tty":                 "nobody is at a terminal; kubectl exec -it gives one",
	"*.stdin":               "nobody is at a terminal; kubectl exec -it gives one",
	"*.hostname":            "pods have names of their own; others reach them by the Service",
	"*.subdomain":           "pods have names of their own; others reach them by the Service",
	"*.nodeName":            "choose nodes in spec.scheduling",
	"*.preemptionPolicy":    "it is a property of the class in spec.scheduling.priorityClassName",
	"*.resourceClaims":      "nodes lend devices by plugins: name one in spec.resources.limits, or keep the Deployment",
	"*.resources.claims":    "nodes lend devices by plugins: name one in spec.resources.limits, or keep the Deployment",
	"*.tcpSocket.host":      "the pod itself is asked; remove it",
	"*.volumeDevices":       "block devices are mounted by sidecars and init containers alone",
	"*.restartPolicy":       "the operator decides it: Always for the application, Never for its schedules, whose pods are tried again as a whole",
	"*.readinessGates":      "a pod is ready when its containers are",
	"*.resizePolicy":        "another size is another pod",
	"metadata.finalizers":   "the operator needs none; remove it when whoever set it is done",
	"metadata.generateName": "give the Application a name",
}

// hintsOf are hints for one kind.
var hintsOf = map[string]map[string]string{
	"Deployment": {
		"spec.paused": "spec.paused of an Application holds up everything that the operator does, so it is not set; pause it yourself if that is meant",
	},
	"Service": {
		"spec.traffic": "there is one revision at a time; see spec.rollout",
		"spec.template.spec.containerConcurrency":        "requests are not counted; have the program bound them itself",
		"spec.template.spec.timeoutSeconds":              "say it to the ingress controller, in spec.ingress.annotations",
		"spec.template.spec.responseStartTimeoutSeconds": "say it to the ingress controller, in spec.ingress.annotations",
		"spec.template.spec.idleTimeoutSeconds":          "say it to the ingress controller, in spec.ingress.annotations",
		"spec.externalIPs":                               "use a Service of your own, or spec.service.type LoadBalancer",
		"spec.publishNotReadyAddresses":                  "requests reach pods that are ready; keep a Service of your own if others have to be found",
		"spec.loadBalancerIP":                            "use the annotation of your cloud in spec.service.annotations",
		"spec.ipFamilyPolicy":                            "set it on the Service itself: the operator leaves it as it is",
		"spec.ipFamilies":                                "set them on the Service itself: the operator leaves them as they are",
		"spec.sessionAffinityConfig":                     "set it on the Service itself: the operator leaves it as it is",
		"spec.trafficDistribution":                       "set it on the Service itself: the operator leaves it as it is",
		"spec.clusterIP":                                 "Kubernetes chooses the address",
		"spec.allocateLoadBalancerNodePorts":             "set it on the Service itself: the operator leaves it as it is",
	},
	"service": {
		"depends_on":     "nothing waits for another service: have the program try again, or an init container wait; what ends before it starts is spec.release",
		"env_file":       "make a ConfigMap of it with kubectl create configmap NAME --from-env-file=FILE, and name it in spec.envFrom",
		"networks":       "say in spec.networkPolicy who may connect",
		"network_mode":   "a pod has an address of its own; say in spec.networkPolicy who may connect",
		"container_name": "pods have names of their own; others reach it by the Application's name",
		"hostname":       "others reach it by the Application's name",
		"links":          "others reach each other by their Applications' names",
		"restart":        "an Application always restarts; what is to end is a Job, spec.release or spec.schedules",
		"user":           "give the ids that the names have in the image in spec.security.runAsUser and spec.security.runAsGroup",
		"working_dir":    "the image's folder counts; give absolute paths, or have the command begin with sh -c and cd",
		"extra_hosts":    "give the names to the cluster's DNS",
		"logging":        "the cluster collects what the program writes to its output",
		"profiles":       "an Application runs as soon as it is there; leave it out where it is not to run",
		"privileged":     "give it the capabilities that it needs in spec.security.capabilities",
		"devices":        "nodes lend devices by plugins: name one in spec.resources.limits",
		"init":           "the image brings an init process, or needs none",
		"ulimits":        "they are the node's to set",
		"sysctls":        "they are the node's to set",
		"deploy":         "what is near to it is in spec.rollout, spec.scheduling and spec.resources; what is not is the cluster's to decide",
		"tty":            "nobody is at a terminal; kubectl exec -it gives one",
		"stdin_open":     "nobody is at a terminal; kubectl exec -it gives one",
		"dns":            "pods use the cluster's DNS",
		"pid":            "an Application has no access to its node",
		"ipc":            "an Application has no access to its node",
		"develop":        "it is for the machine of a developer",
		"post_start":     "start it in the program's own command, or in an init container",
		"volumes":        "see spec.files[].persistentVolumeClaim for what a claim says; its storage class decides the rest",
		"ports":          "an Application has no port of a machine; see spec.service.type for ports of nodes",
		"platform":       "choose nodes in spec.scheduling.nodeSelector, by kubernetes.io/arch and kubernetes.io/os",
		"gpus":           "nodes lend devices by plugins: name one in spec.resources.limits, such as nvidia.com/gpu",
		"stop_signal":    "the image's signal counts; set STOPSIGNAL in the image",
	},
	"Application": {
		"spec.azure":                 "it is a service of the platform: have its operator make a Secret, and take it by spec.envFrom",
		"spec.gcp":                   "what makes databases, buckets and identities are other operators: take their Secrets by spec.envFrom",
		"spec.idporten":              "it is a service of the platform: have its operator make a Secret, and run its proxy as a sidecar",
		"spec.maskinporten":          "it is a service of the platform: have its operator make a Secret, and take it by spec.envFrom",
		"spec.tokenx":                "it is a service of the platform: have its operator make a Secret, and take it by spec.envFrom",
		"spec.kafka":                 "it is a service of the platform: have its operator make a Secret, and take it by spec.envFrom and spec.files",
		"spec.openSearch":            "it is a service of the platform: have its operator make a Secret, and take it by spec.envFrom",
		"spec.valkey":                "it is a service of the platform: have its operator make a Secret, and take it by spec.envFrom",
		"spec.vault":                 "have the vault's operator make a Secret, or its CSI driver a volume in spec.files[].csi",
		"spec.leaderElection":        "run the elector as a sidecar, or have the program take a Lease with a ServiceAccount that may",
		"spec.skipCaBundle":          "nobody adds certificates; give those that are needed as files",
		"spec.webproxy":              "give the proxy's variables in spec.env",
		"spec.observability":         "give the agent as the image's own, or by the annotations of its operator in spec.podMetadata.annotations",
		"spec.logformat":             "say it to whoever collects the logs, by annotations in spec.podMetadata.annotations",
		"spec.secureLogs":            "run the collector as a sidecar",
		"spec.ttl":                   "delete the Application when its time has come",
		"spec.redirects":             "give them to the ingress controller in spec.ingress.annotations",
		"spec.replicas":              "give other metrics in spec.autoscaling.metrics, or use KEDA",
		"spec.istioSettings":         "write the mesh's own objects beside the Application",
		"spec.authorizationSettings": "write the mesh's own objects beside the Application",
		"spec.redirectToHTTPS":       "say it to the ingress controller in spec.ingress.annotations",
		"spec.resourceLabels":        "all objects have the labels of spec.objectMetadata.labels",
		"spec.accessPolicy.inbound":  "a policy knows pods and namespaces, and no clusters or permissions",
		"spec.accessPolicy.outbound": "a policy knows pods and namespaces, and no clusters",
		"spec.prometheus":            "all metrics are read; have Prometheus drop some",
		"spec.podSettings":           "pods are spread over nodes where that is possible, and a constraint of your own takes its place",
	},
	"RuntimeComponent":       componentHints,
	"OpenLibertyApplication": componentHints,
	"Workload": {
		"containers": "Score fills it in or leaves it to the platform; say it in the Application's own words, or leave it out",
		"resources":  "who makes it is told there; an Application waits for the Secrets and claims that it names",
	},
	"CronJob": {
		"spec.jobTemplate.spec.template":                "a schedule runs with what the application has",
		"spec.jobTemplate.spec.ttlSecondsAfterFinished": "set successfulJobsHistoryLimit and failedJobsHistoryLimit of the schedule",
		"spec.jobTemplate.metadata":                     "the runs of a schedule have the labels of spec.podMetadata",
	},
	"Job": {
		"spec.template": "a release command runs with what the application has",
	},
	"Ingress": {
		"spec.defaultBackend": "the requests that no rule takes go to the ingress controller's own backend; keep an Ingress of your own for them",
	},
}

// componentHints are those of RuntimeComponent and OpenLibertyApplication.
var componentHints = map[string]string{ //nolint:gosec // words, and no credentials
	"spec.createKnativeService":         "an Application is a Deployment, and keeps at least one pod; give spec.autoscaling",
	"spec.dns":                          "pods use the cluster's DNS",
	"spec.affinity":                     "give it in spec.scheduling.affinity, as a rule on kubernetes.io/arch or the like",
	"spec.service.bindable":             "there are no bindings; give the Secret in spec.envFrom of whoever binds",
	"spec.service.certificateSecretRef": "give the Secret as a file, and its path in the program's own configuration",
	"spec.route":                        "say it to the ingress controller in spec.ingress.annotations",
	"spec.monitoring":                   "write a ServiceMonitor of your own if it is needed",
	"spec.statefulSet":                  "an Application is a Deployment; one pod with a claim is spec.files[].persistentVolumeClaim",
	"spec.topologySpreadConstraints":    "constraints of your own take the place of the usual one",
	"spec.sso":                          "give the configuration of Liberty as files and variables",
	"spec.semeruCloudCompiler":          "run the compiler as an Application of its own, and name it in the variables",
	"spec.serviceability":               "give a claim as a file, at /serviceability",
	"spec.manageLTPA":                   "give the keys as a file of a Secret",
	"spec.managePasswordEncryption":     "give the key as a file of a Secret",
}
