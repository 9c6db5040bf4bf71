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

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// imported returns what is printed for manifests, which the API server takes.
func imported(t *testing.T, manifests string) string {
	t.Helper()
	sources, err := Parse("x.yaml", []byte(manifests))
	if err != nil {
		t.Fatal(err)
	}
	text := outcome(sources, Options{})
	for _, refusal := range refusals(t, []byte(text)) {
		t.Errorf("the API server would refuse it: %v", refusal)
	}
	return text
}

// wantLines holds that a text has the lines, in this order.
func wantLines(t *testing.T, text string, lines ...string) {
	t.Helper()
	rest := text
	for _, line := range lines {
		_, after, found := strings.Cut(rest, "\n"+line+"\n")
		if !found {
			t.Errorf("no line %q after those before it in:\n%s", line, text)
			return
		}
		rest = "\n" + after
	}
}

// deployment is a Deployment named web, with more of its pods' spec, of its container and of its own spec.
func deployment(spec, pod, container string) string {
	return `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  ` + strings.TrimSuffix(spec+", ", ", ") + `
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      ` + pod + `
      containers:
      - name: web
        image: registry.example.com/web:1
        ` + container + "\n"
}

// TestACommandThatSleepsIsASleep holds that a hook which does nothing but sleep needs no program of the image, and any other is kept.
func TestACommandThatSleepsIsASleep(t *testing.T) {
	for command, sleeps := range map[string]bool{
		`[sleep, "10"]`: true, `[/bin/sleep, 10s]`: true, `[sh, -c, sleep 10]`: true, `[/bin/sh, -c, "exec sleep 10;"]`: true, `[/bin/bash, -c, /usr/bin/sleep 10]`: true,
		`[sleep, "10", "5"]`: false, `[sleep, 10m]`: false, `[sleep 10]`: false, `[sh, -c, sleep, "10"]`: false, `[sleep, "0.5"]`: false, `[sh, -c, nginx -s quit; sleep 10]`: false, `[sh, -c, sleep 10 && nginx -s quit]`: false, `[sleep]`: false,
	} {
		text := imported(t, deployment("", "", "lifecycle: {preStop: {exec: {command: "+command+"}}}"))
		if strings.Contains(text, "preStopSleepSeconds: 10") != sleeps || strings.Contains(text, "exec:") == sleeps {
			t.Errorf("%s:\n%s", command, text)
		}
	}
	text := imported(t, deployment("", "", `lifecycle: {preStop: {exec: {command: [sleep, "45"]}}}`))
	wantLines(t, text, "    gracePeriodSeconds: 46", "    preStopSleepSeconds: 45",
		"# x.yaml: Deployment web, spec.template.spec.containers[0].lifecycle.preStop.exec.command: 45")
}

// TestNoPortIsOpenedToTheOutside holds that a port which a load balancer does not serve is not served by it afterwards, and that who asks
// for it by its name still finds it.
func TestNoPortIsOpenedToTheOutside(t *testing.T) {
	web := deployment("", "", `ports: [{name: http, containerPort: 8080}, {name: admin, containerPort: 9000}, {name: old, containerPort: 80}]
        readinessProbe: {httpGet: {path: /ready, port: admin}}
        lifecycle: {preStop: {httpGet: {path: /stop, port: admin}}}`)
	service := func(kind string) string {
		return "---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\n" +
			"spec: {type: " + kind + ", selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}]}\n"
	}
	policy := `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress: [{from: [{podSelector: {matchLabels: {app: prometheus}}}], ports: [{port: admin}]}]
`
	text := imported(t, web+service("LoadBalancer")+policy)
	if strings.Contains(text, "additionalPorts") {
		t.Errorf("the load balancer serves more than before:\n%s", text)
	}
	wantLines(t, text, "    readiness:", "      httpGet:", "        path: /ready", "        port: 9000")
	wantLines(t, text, "    preStop:", "      httpGet:", "        port: 9000")
	wantLines(t, text, "    ingressFrom:", "          - port: 9000")
	wantLines(t, text, "# x.yaml: Deployment web, spec.template.spec.containers[0].ports[1]: 9000")

	text = imported(t, web+service("ClusterIP")) // the number of the third port is the Service's own
	wantLines(t, text, "  additionalPorts:", "    - name: admin", "      port: 9000", "  service:", "    port: 80")
	wantLines(t, text, "# x.yaml: Deployment web, spec.template.spec.containers[0].ports[1]: 9000", "# x.yaml: Deployment web, spec.template.spec.containers[0].ports[2]: 80")
}

// TestMainContainer holds which of several containers runs the image: the one that the manifests call the main one.
func TestMainContainer(t *testing.T) {
	for name, one := range map[string]struct{ metadata, first, second string }{
		"named like the Deployment":      {"", "proxy", "web"},
		"annotation of kubectl":          {"annotations: {kubectl.kubernetes.io/default-container: server}", "proxy", "server"},
		"named like the chart":           {"labels: {app.kubernetes.io/name: shop}", "proxy", "shop"},
		"named like the label app":       {"labels: {app: shop}", "proxy", "shop"},
		"annotation comes before a name": {"annotations: {kubectl.kubernetes.io/default-container: server}, labels: {app: proxy}", "proxy", "server"},
	} {
		t.Run(name, func(t *testing.T) {
			text := imported(t, `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    metadata: {`+one.metadata+`}
    spec:
      containers:
      - {name: `+one.first+`, image: "registry.example.com/first:1"}
      - {name: `+one.second+`, image: "registry.example.com/second:1"}
`)
			wantLines(t, text, "  image: registry.example.com/second:1")
			if strings.Contains(text, "it was taken as the application's own container") {
				t.Errorf("nothing was guessed:\n%s", text)
			}
			if strings.Contains(one.metadata, "default-container") {
				wantLines(t, text, "      kubectl.kubernetes.io/default-container: web")
			}
		})
	}
}

// TestSidecarsThatHoldUpTheApplication holds that it is told where a container that becomes a sidecar may wait for the application's own,
// which starts after it.
func TestSidecarsThatHoldUpTheApplication(t *testing.T) {
	sidecar := func(more string) string {
		return imported(t, deployment("", "", `ports: [{name: http, containerPort: 8080}]
      - name: proxy
        image: registry.example.com/proxy:1
        `+more))
	}
	const remark = "# x.yaml: Deployment web, spec.template.spec.containers[1]."
	if text := sidecar("livenessProbe: {tcpSocket: {port: 80}}"); strings.Contains(text, remark) {
		t.Errorf("a sidecar that waits for nobody is told of:\n%s", text)
	}
	wantLines(t, sidecar("startupProbe: {httpGet: {path: /, port: 80}}"), remark+`startupProbe: {"httpGet":{"path":"/","port":80}}`)
	wantLines(t, sidecar("lifecycle: {postStart: {exec: {command: [wait]}}}"), remark+`lifecycle.postStart: {"exec":{"command":["wait"]}}`)
}

// TestOtherContainersKeepTheirSecurity holds that what the main container alone says does not change what the others may do, and that what
// the pod says for all holds for the others where the Application says it for none.
func TestOtherContainersKeepTheirSecurity(t *testing.T) {
	const chown = `initContainers: [{name: chown, image: "registry.example.com/busybox:1", command: [chown, "1001", /data], securityContext: {runAsUser: 0}}]`
	const sidecar = "\n      - {name: agent, image: 'registry.example.com/agent:1'%s}"
	const restricted = "securityContext: {runAsNonRoot: true, capabilities: {drop: [ALL]}}"
	for name, one := range map[string]struct {
		pod, container string
		want, never    []string
	}{
		"an init container that is root": {
			chown, "securityContext: {runAsNonRoot: true, runAsUser: 1001, capabilities: {drop: [ALL]}}",
			[]string{
				"      securityContext:", "        capabilities:", "          drop:", "            - SYS_BOOT", "        runAsUser: 0", "        runAsNonRoot: false", "    profile: Restricted",
				"# x.yaml: Deployment web, spec.template.spec.initContainers[0].securityContext.capabilities.drop",
			},
			nil,
		},
		"a sidecar that says nothing": {
			"", restricted + fmt.Sprintf(sidecar, ""),
			[]string{"      securityContext:", "            - SYS_BOOT", "        runAsNonRoot: false", "    profile: Restricted"},
			nil,
		},
		"a sidecar that says all": {
			"", restricted + fmt.Sprintf(sidecar, ", securityContext: {runAsNonRoot: true, capabilities: {drop: [NET_RAW]}}"),
			[]string{"            - NET_RAW", "        runAsNonRoot: true", "    profile: Restricted"},
			[]string{"SYS_BOOT", "runAsNonRoot: false"},
		},
		"a sidecar of another user": {
			"", restricted + fmt.Sprintf(sidecar, ", securityContext: {runAsUser: 65532}"),
			[]string{"        runAsUser: 65532", "        runAsNonRoot: false", "    profile: Restricted"},
			[]string{"SYS_BOOT"},
		},
		"a sidecar that may escalate": {
			"", restricted + fmt.Sprintf(sidecar, ", securityContext: {runAsUser: 65532, allowPrivilegeEscalation: true}"),
			[]string{"            - SYS_BOOT", "        allowPrivilegeEscalation: true", "    profile: Restricted"},
			nil,
		},
		"all are said not to be root": {
			"securityContext: {runAsNonRoot: true}", "securityContext: {capabilities: {drop: [ALL]}}" + fmt.Sprintf(sidecar, ""),
			[]string{"    profile: Restricted"},
			[]string{"SYS_BOOT", "runAsNonRoot"},
		},
		"all but the main one": {
			"securityContext: {runAsNonRoot: true}", "securityContext: {runAsNonRoot: false}" + fmt.Sprintf(sidecar, ""),
			[]string{"        runAsNonRoot: true"},
			[]string{"SYS_BOOT", "Restricted"},
		},
		"a profile of all": {
			"securityContext: {seccompProfile: {type: Unconfined}}", "securityContext: {seccompProfile: {type: RuntimeDefault}}" + fmt.Sprintf(sidecar, ""),
			[]string{"        seccompProfile:", "          type: Unconfined", `# x.yaml: Deployment web, spec.template.spec.securityContext: {"seccompProfile":{"type":"Unconfined"}}`},
			nil,
		},
		"the root filesystem of the main one": {
			"", "securityContext: {readOnlyRootFilesystem: true}" + fmt.Sprintf(sidecar, ""),
			[]string{"    readOnlyRootFilesystem: true"},
			[]string{"        readOnlyRootFilesystem: true"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			text := imported(t, deployment("", one.pod, one.container))
			wantLines(t, text, one.want...)
			for _, never := range one.never {
				if strings.Contains(text, never) {
					t.Errorf("%s in:\n%s", never, text)
				}
			}
		})
	}
}

// TestSharedBudget holds that a budget which other pods may have too is not taken for the Application's own, and that no pod has two of them
// without a word.
func TestSharedBudget(t *testing.T) {
	web := strings.Replace(deployment("replicas: 3", "", ""), "labels: {app: web}", "labels: {app: web, tier: core, app.kubernetes.io/instance: prod}", 1)
	budget := func(name, selector string) string {
		return "---\napiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: " + name + "}\n" +
			"spec: {maxUnavailable: 2, selector: {matchLabels: {" + selector + "}}}\n"
	}
	own, shared := budget("own", "app: web"), budget("core", "tier: core")
	for name, one := range map[string]struct{ budgets, want, told, never string }{
		"its own":                     {own, "    maxUnavailable: 2", "own, metadata.name: ", "may find pods of others"},
		"its own, of more labels":     {budget("own", "app: web, tier: core"), "    maxUnavailable: 2", "own, metadata.name: ", "may find pods of others"},
		"its own by its name":         {budget("web", "tier: core"), "    maxUnavailable: 2", "", "may find pods of others"},
		"shared":                      {shared, "    enabled: false", "core\n#   its selector is not the Deployment's, so it may find pods of others too", "maxUnavailable"},
		"shared, beside its own":      {shared + own, "    maxUnavailable: 2", "or set\n#   spec.disruptionBudget.enabled: false", "remove it"},
		"shared by a label that goes": {budget("core", "app.kubernetes.io/instance: prod"), "  replicas: 3", "by app.kubernetes.io/instance", "enabled: false"},
		"two of its own":              {own + budget("own-2", "app: web"), "    maxUnavailable: 2", "own-2\n#   an Application has one PodDisruptionBudget", "may find"},
	} {
		t.Run(name, func(t *testing.T) {
			text := imported(t, web+one.budgets)
			wantLines(t, text, one.want)
			if !strings.Contains(text, one.told) || strings.Contains(text, one.never) {
				t.Errorf("want %q and not %q in:\n%s", one.told, one.never, text)
			}
		})
	}
}

// TestWhatKubernetesTakesIsTaken holds that what is valid of each kind becomes a valid Application, or is told.
func TestWhatKubernetesTakesIsTaken(t *testing.T) {
	plain := deployment("", "", "ports: [{name: http, containerPort: 8080}]")
	service := func(more string) string {
		return "---\napiVersion: v1\nkind: Service\nmetadata: {name: web, labels: {app: web}}\n" +
			"spec: {" + more + " selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}]}\n---\n"
	}
	const object = "apiVersion: %s\nkind: %s\nmetadata: {name: %s}\nspec: {%s}\n---\n"
	cronJob := func(name, schedule string) string {
		return fmt.Sprintf(object, "batch/v1", "CronJob", name, "schedule: '"+schedule+
			"', jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: 'registry.example.com/web:1', args: [run]}]}}}}")
	}
	backend := "backend: {service: {name: web, port: {number: 80}}}"
	for name, one := range map[string]struct {
		text string
		want []string
	}{
		"no pods in addition": {deployment("strategy: {rollingUpdate: {maxSurge: 0}}", "", ""), []string{"    maxSurge: 0", "    maxUnavailable: 25%"}},
		"zeros of a probe": {
			deployment("", "", "livenessProbe: {exec: {command: [true-enough]}, timeoutSeconds: 0, periodSeconds: 0, successThreshold: 0, failureThreshold: 0}"),
			[]string{"        command:", "          - true-enough"},
		},
		"names of CronJobs": {
			plain + "---\n" + cronJob("nightly.report", "0 1 * * *") + cronJob("nightly-report", "0 2 * * *") + cronJob("a-name-of-fifty-two-characters-which-is-the-longest", " 0  3 * * MON "),
			[]string{"    - name: nightly-report", "    - name: nightly-report-2", "    - name: a-name-of-fifty-two-characters-which-is-the-long", "      schedule: 0 3 * * MON"},
		},
		"time zone of a CronJob": {plain + "---\n" + cronJob("web-report", "CRON_TZ=Europe/Oslo 0 1 * * *"), []string{"      schedule: 0 1 * * *", "      timeZone: Europe/Oslo"}},
		"ranges of addresses": {
			plain + service("type: LoadBalancer, loadBalancerSourceRanges: [10.1.2.3/8],") + fmt.Sprintf(object, "networking.k8s.io/v1", "NetworkPolicy", "web",
				"podSelector: {matchLabels: {app: web}}, ingress: [{from: [{ipBlock: {cidr: 192.168.1.1/16}}]}]"),
			[]string{"      - 10.0.0.0/8", "      - cidr: 192.168.0.0/16"},
		},
		"a path twice": {
			plain + service("") + fmt.Sprintf(object, "networking.k8s.io/v1", "Ingress", "web",
				"rules: [{host: a.example.com, http: {paths: [{path: /x, pathType: Exact, "+backend+"}, {path: /x, pathType: Prefix, "+backend+"}]}}]"),
			[]string{"  ingress:", "    host: a.example.com", "    path: /x", "  podMetadata:"},
		},
		"a route of a mesh": {
			plain + service("") + fmt.Sprintf(object, "gateway.networking.k8s.io/v1", "HTTPRoute", "web",
				"parentRefs: [{group: '', kind: Service, name: web}], rules: [{backendRefs: [{name: web, port: 80}]}]"),
			[]string{"# x.yaml: HTTPRoute web", "#   spec.httpRoute belongs to a Gateway or a ListenerSet, and not to a Service; keep it as an object of its own, which"},
		},
		"a monitor in capitals": {
			plain + service("") + fmt.Sprintf(object, "monitoring.coreos.com/v1", "ServiceMonitor", "web",
				"selector: {matchLabels: {app: web}}, endpoints: [{port: nobody, scheme: HTTPS, path: stats, interval: 10s}]"),
			[]string{"  monitoring:", "    path: /stats", "    interval: 10s", "    scheme: https", `# x.yaml: ServiceMonitor web, spec.endpoints[0].port: "nobody"`},
		},
		"a monitor every second": {
			plain + service("") + fmt.Sprintf(object, "monitoring.coreos.com/v1", "ServiceMonitor", "web",
				"selector: {matchLabels: {app: web}}, endpoints: [{port: http, interval: 1s}]"),
			[]string{"# x.yaml: ServiceMonitor web"},
		},
	} {
		t.Run(name, func(t *testing.T) { wantLines(t, imported(t, one.text), one.want...) })
	}
}

// TestWhatNamesTheDeployment holds that what works on the Deployment is told with what to do, and so is what is not read in its version.
func TestWhatNamesTheDeployment(t *testing.T) {
	const object = "---\napiVersion: %s\nkind: %s\nmetadata: {name: web}\nspec: {%s}\n"
	for name, one := range map[string]struct{ text, want string }{
		"KEDA":    {fmt.Sprintf(object, "keda.sh/v1alpha1", "ScaledObject", "scaleTargetRef: {name: web}"), "it has to name the Application in spec.scaleTargetRef"},
		"VPA":     {fmt.Sprintf(object, "autoscaling.k8s.io/v1", "VerticalPodAutoscaler", "targetRef: {apiVersion: apps/v1, kind: Deployment, name: web}"), "it has to name the Application in spec.targetRef"},
		"Flagger": {fmt.Sprintf(object, "flagger.app/v1beta1", "Canary", "targetRef: {apiVersion: apps/v1, kind: Deployment, name: web}"), "it changes the Deployment web"},
		"another": {fmt.Sprintf(object, "keda.sh/v1alpha1", "ScaledObject", "scaleTargetRef: {name: other}"), "it is no part of the Application"},
		"old HPA": {fmt.Sprintf(object, "autoscaling/v2beta2", "HorizontalPodAutoscaler", "scaleTargetRef: {kind: Deployment, name: web}"), "it is not read in this version; give it as autoscaling/v2,"},
		"old PDB": {fmt.Sprintf(object, "policy/v1beta1", "PodDisruptionBudget", "selector: {matchLabels: {app: web}}"), "it is not read in this version; give it as policy/v1,"},
		"Ingress": {fmt.Sprintf(object, "extensions/v1beta1", "Ingress", "rules: []"), "it is not read in this version; give it as networking.k8s.io/v1,"},
		"not one": {fmt.Sprintf(object, "config.openshift.io/v1", "Ingress", "domain: x"), "it is no part of the Application"},
	} {
		t.Run(name, func(t *testing.T) {
			if text := imported(t, deployment("", "", "")+one.text); !strings.Contains(text, "\n#   "+one.want) {
				t.Errorf("no %q in:\n%s", one.want, text)
			}
		})
	}
}

// TestHints holds that the words for a field are those that come nearest to it, and that nothing is said of what is empty.
func TestHints(t *testing.T) {
	text := imported(t, deployment("", "shareProcessNamespace: true\n      overhead: {cpu: 1m}\n      volumes: []\n      hostAliases: []\n      dnsPolicy: ''",
		"livenessProbe: {exec: {command: [a]}, terminationGracePeriodSeconds: 5}\n        env: []\n        volumeMounts: []\n        lifecycle: {}\n        ports: []")+`---
apiVersion: batch/v1
kind: CronJob
metadata: {name: web-x}
spec: {schedule: "@daily", jobTemplate: {spec: {template: {spec: {restartPolicy: OnFailure, containers: [{name: c, image: "registry.example.com/web:1"}]}}}}}
`)
	wantLines(t, text,
		"# x.yaml: Deployment web, spec.template.spec.containers[0].livenessProbe.terminationGracePeriodSeconds: 5",
		"#   a container that fails its probe has spec.shutdown.gracePeriodSeconds to end, as each one has",
		`# x.yaml: Deployment web, spec.template.spec.overhead: {"cpu":"1m"}`,
		"#   the pods of an Application do not have it; run the program without it, or keep the Deployment",
		`# x.yaml: CronJob web-x, spec.jobTemplate.spec.template.spec.restartPolicy: "OnFailure"`,
		"#   the operator decides it: Always for the application, Never for its schedules, whose pods are tried again as a whole")
	for _, field := range []string{"volumes", "hostAliases", "dnsPolicy", "env", "volumeMounts", "lifecycle", "ports"} {
		if strings.Contains(text, "."+field+"\n") || strings.Contains(text, "."+field+":") {
			t.Errorf("%s is empty, and told of:\n%s", field, text)
		}
	}
}

// TestWhatRunsGain holds that one remark has what a CronJob or a hook gets from the Application, and that there is none where it had all.
func TestWhatRunsGain(t *testing.T) {
	const pod = `serviceAccountName: web
      nodeSelector: {pool: web}
      volumes: [{name: data, persistentVolumeClaim: {claimName: data}}, {name: tmp, emptyDir: {}}]
      initContainers: [{name: wait, image: "registry.example.com/web:1", securityContext: {runAsUser: 1001}}]`
	const container = `securityContext: {runAsNonRoot: true, runAsUser: 1001, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
        env: [{name: A, value: b}]
        envFrom: [{secretRef: {name: web}}]
        volumeMounts: [{name: data, mountPath: /data}, {name: tmp, mountPath: /tmp}]`
	const proxy = `
      - {name: proxy, image: "registry.example.com/proxy:1"}`
	const policy = `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress, Egress], egress: [{to: [{podSelector: {}}]}]}
`
	template := func(metadata, pod, container string) string {
		return "template: {metadata: {labels: {" + metadata + "}}, spec: {restartPolicy: Never, " + pod +
			" containers: [{name: run, image: 'registry.example.com/web:1', command: [run], " + container + "}]}}"
	}
	cronJob := func(template string) string {
		return "---\napiVersion: batch/v1\nkind: CronJob\nmetadata: {name: web-run}\nspec: {schedule: '@daily', jobTemplate: {spec: {" + template + "}}}\n"
	}
	hook := func(template string) string {
		return "---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: run, annotations: {helm.sh/hook: pre-upgrade}}\nspec: {activeDeadlineSeconds: 600, " + template + "}\n"
	}
	const gained = "#   its pods get from the Application what they had not: "
	plain := []string{
		"profile: Restricted", "readOnlyRootFilesystem: true", "runAsUser: 1001", "spec.initContainers (wait)", "spec.sidecars (proxy)",
		"spec.files (/data of a claim, /tmp)", "spec.env (A)", "spec.envFrom (Secret web)", "spec.serviceAccount (web)", "spec.scheduling (nodeSelector)",
		"spec.podMetadata.labels (app)", "spec.networkPolicy (ingress, egress)",
	}
	whole := strings.NewReplacer("\n", ", ").Replace(pod) + ","
	for name, one := range map[string]struct {
		run   string
		gains []string
	}{
		"a plain CronJob": {cronJob(template("", "", "")), plain},
		"a plain hook":    {hook(template("", "", "")), plain},
		"a CronJob that the policy is about": {
			cronJob(template("app: web", "serviceAccountName: web, automountServiceAccountToken: true,", "")), slices.DeleteFunc(slices.Clone(plain), func(text string) bool {
				return strings.HasPrefix(text, "spec.serviceAccount") || strings.HasPrefix(text, "spec.podMetadata") || strings.HasPrefix(text, "spec.networkPolicy")
			}),
		},
		"a CronJob that has all but the sidecar": {
			cronJob(template("app: web", whole, strings.ReplaceAll(container, "\n", ", "))), []string{"spec.sidecars (proxy)"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			text := imported(t, deployment("", pod, container+proxy)+policy+one.run)
			_, told, _ := strings.Cut(text, gained)
			told, _, _ = strings.Cut(told, "; if it is to run")
			told = strings.ReplaceAll(strings.ReplaceAll(told, "\n#  ", ""), "\n", "")
			for _, field := range plain {
				if strings.Contains(told, field) != slices.Contains(one.gains, field) {
					t.Errorf("%s: want it told: %v, in %q", field, slices.Contains(one.gains, field), told)
				}
			}
		})
	}
	had := cronJob(template("app: web", whole, strings.ReplaceAll(container, "\n", ", ")))
	if text := imported(t, deployment("", pod, container)+policy+had); strings.Contains(text, gained) {
		t.Errorf("it had all:\n%s", text)
	}
}
