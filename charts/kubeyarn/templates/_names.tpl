{{- define "kubeyarn.chart" -}}
{{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Labels of every object; the argument is a dict of root and component. */}}
{{- define "kubeyarn.labels" -}}
helm.sh/chart: {{ include "kubeyarn.chart" .root }}
{{ include "kubeyarn.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: kubeyarn
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}

{{- define "kubeyarn.selector" -}}
app.kubernetes.io/name: kubeyarn
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* An image by digest when there is one, else by tag; the argument is a dict of image and tag. */}}
{{- define "kubeyarn.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ .image.tag | default .tag }}
{{- end }}
{{- end }}

{{- define "kubeyarn.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "kubeyarn.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "kubeyarn.environment" -}}
- name: KUBEYARN_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: POD_UID
  valueFrom: {fieldRef: {fieldPath: metadata.uid}}
- name: POD_IP
  valueFrom: {fieldRef: {fieldPath: status.podIP}}
{{- end }}

{{/* The Lease that a pod's kube-scheduler elects itself by; it comes after POD_NAME. */}}
{{- define "kubeyarn.kubeSchedulerLease" -}}
- name: KUBEYARN_KUBE_SCHEDULER_LEASE
  value: $(POD_NAME)-kube-scheduler
{{- end }}

{{/* Where pods go; the argument is a dict of the component's values and its selector. */}}
{{- define "kubeyarn.placement" -}}
{{- $selector := .selector }}
{{- $spread := .values.topologySpreadConstraints }}
{{- with .values }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
terminationGracePeriodSeconds: {{ .terminationGracePeriodSeconds }}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- if or $spread (gt (int .replicas) 1) }}
topologySpreadConstraints:
{{- if $spread }}
{{ toYaml $spread }}
{{- else }}
- maxSkew: 1
  topologyKey: kubernetes.io/hostname
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels: {{- $selector | nindent 6 }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* One pod has nobody to hand over to; of several, each new one stands by before an old one ends. */}}
{{- define "kubeyarn.strategy" -}}
{{- if gt (int .replicas) 1 }}
type: RollingUpdate
rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
{{- else }}
type: Recreate
{{- end }}
{{- end }}

{{- define "kubeyarn.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: health}
  periodSeconds: 1
  failureThreshold: 60
livenessProbe:
  # Patient, because a restart makes a busy node busier.
  httpGet: {path: /healthz, port: health}
  periodSeconds: 10
  timeoutSeconds: 10
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: health}
  periodSeconds: 2
  timeoutSeconds: 5
{{- end }}

{{- define "kubeyarn.resourcemanagerUser" -}}
system:serviceaccount:{{ .Release.Namespace }}:kubeyarn-resourcemanager
{{- end }}

{{/* The users whom the guards of containers let through, as a CEL list. */}}
{{- define "kubeyarn.trustedUsers" -}}
{{ prepend .Values.admissionPolicies.trustedPodCreators (include "kubeyarn.resourcemanagerUser" .) | toJson }}
{{- end }}

{{/* Kubernetes' garbage collector, with and without accounts of its controllers' own. */}}
{{- define "kubeyarn.garbageCollectors" -}}
['system:kube-controller-manager', 'system:serviceaccount:kube-system:generic-garbage-collector']
{{- end }}

{{/* CEL variables: the guarded keys of metadata that a request sets, changes or takes off. */}}
{{- define "kubeyarn.guardedKeys" -}}
- name: labels
  expression: "has(object.metadata.labels) ? object.metadata.labels : {}"
- name: annotations
  expression: "has(object.metadata.annotations) ? object.metadata.annotations : {}"
- name: oldLabels
  expression: >-
    oldObject != null && has(oldObject.metadata.labels) ? oldObject.metadata.labels : {}
- name: oldAnnotations
  expression: >-
    oldObject != null && has(oldObject.metadata.annotations) ? oldObject.metadata.annotations : {}
{{- range $kind, $old := dict "labels" "oldLabels" "annotations" "oldAnnotations" }}
# Only the stand-ins for nodes of a local cluster read the keys that begin with "fake-".
- name: {{ $kind }}Set
  expression: >-
    variables.{{ $kind }}.filter(k, k.startsWith('kubeyarn.io/') &&
    !k.startsWith('kubeyarn.io/fake-') && !(k in variables.{{ $old }} &&
    variables.{{ $old }}[k] == variables.{{ $kind }}[k]))
- name: {{ $kind }}Gone
  expression: >-
    variables.{{ $old }}.filter(k, k.startsWith('kubeyarn.io/') &&
    !k.startsWith('kubeyarn.io/fake-') && !(k in variables.{{ $kind }}))
{{- end }}
# By this label the ResourceManager finds its pods.
- name: managed
  expression: >-
    'app.kubernetes.io/managed-by' in variables.labels &&
    variables.labels['app.kubernetes.io/managed-by'] == 'kubeyarn'
- name: wasManaged
  expression: >-
    'app.kubernetes.io/managed-by' in variables.oldLabels &&
    variables.oldLabels['app.kubernetes.io/managed-by'] == 'kubeyarn'
- name: touched
  expression: >-
    variables.labelsSet + variables.labelsGone + variables.annotationsSet +
    variables.annotationsGone +
    (variables.managed != variables.wasManaged ? ['app.kubernetes.io/managed-by'] : [])
{{- end }}

{{/* CEL variables: what keeps an object with its owner. */}}
{{- define "kubeyarn.guardedOwners" -}}
- name: owners
  expression: "has(object.metadata.ownerReferences) ? object.metadata.ownerReferences : []"
- name: oldOwners
  expression: >-
    oldObject != null && has(oldObject.metadata.ownerReferences) ?
    oldObject.metadata.ownerReferences : []
- name: finalizers
  expression: "has(object.metadata.finalizers) ? object.metadata.finalizers : []"
- name: oldFinalizers
  expression: >-
    oldObject != null && has(oldObject.metadata.finalizers) ? oldObject.metadata.finalizers : []
- name: ownersKept
  expression: >-
    (variables.owners == variables.oldOwners && variables.finalizers == variables.oldFinalizers) ||
    request.userInfo.username in {{ include "kubeyarn.garbageCollectors" . }}
{{- end }}

{{/* Who deletes and leaves objects on behalf of the cluster itself, as a CEL condition. */}}
{{- define "kubeyarn.isTheSystem" -}}
(request.userInfo.username in
['system:kube-controller-manager', {{ include "kubeyarn.resourcemanagerUser" . | squote }}] ||
request.userInfo.username.startsWith('system:serviceaccount:kube-system:'))
{{- end }}

{{/* CEL variables: the queue of an object that its status names, those above it, and whether the
one who asks administers one of them. Each has a variable of its own, because an expression may cost
only so much. */}}
{{- define "kubeyarn.administers" -}}
- name: queues
  expression: "authorizer.group('kubeyarn.io').resource('yarnqueues')"
- name: queue0
  expression: >-
    oldObject != null && has(oldObject.status) && has(oldObject.status.queue) &&
    oldObject.status.queue != '' ? oldObject.status.queue : 'root'
{{- range $n := until 7 }}
- name: queue{{ add1 $n }}
  expression: >-
    variables.queue{{ $n }}.contains('.') ?
    variables.queue{{ $n }}.substring(0, variables.queue{{ $n }}.lastIndexOf('.')) : ''
{{- end }}
{{- range $n := until 8 }}
- name: administers{{ $n }}
  expression: >-
    variables.queue{{ $n }} != '' &&
    variables.queues.name(variables.queue{{ $n }}).check('administer').allowed()
{{- end }}
{{- end }}

{{/* Whether one of these variables holds, as a CEL condition. */}}
{{- define "kubeyarn.administersAny" -}}
{{- range $n := until 8 }}{{ if $n }} || {{ end }}variables.administers{{ $n }}{{ end }}
{{- end }}

{{/* The pod whose token a request came with, as Kubernetes says it of bound tokens; '' else. */}}
{{- define "kubeyarn.askingPod" -}}
has(request.userInfo.extra) && 'authentication.kubernetes.io/pod-name' in request.userInfo.extra ?
request.userInfo.extra['authentication.kubernetes.io/pod-name'][0] : ''
{{- end }}

{{/* Whether an application asks by itself for containers, as a CEL condition on a ContainerRequest:
the ResourceManager does it, or the application's own pod, with the token of that pod. */}}
{{- define "kubeyarn.asksByItself" -}}
(request.userInfo.username in {{ include "kubeyarn.trustedUsers" . }} ||
(request.userInfo.username.startsWith('system:serviceaccount:' + request.namespace + ':') &&
({{ include "kubeyarn.askingPod" . }}).startsWith(object.spec.application + '-') &&
({{ include "kubeyarn.askingPod" . }}).matches('^.+-[0-9]{2,}(e[0-9]{2,})?-[0-9]{6,}$')))
{{- end }}

{{/* The namespaces that take no applications, as a CEL list. */}}
{{- define "kubeyarn.closedNamespaces" -}}
{{- $closed := .Values.admissionPolicies.closedNamespaces }}
{{- if .Values.admissionPolicies.closeReleaseNamespace }}
{{- $closed = append $closed .Release.Namespace }}
{{- end }}
{{- $closed | uniq | toJson }}
{{- end }}

{{/* Who reads metrics: the pods of one namespace, or everybody. The kubelet's probes always pass. */}}
{{- define "kubeyarn.metricsFrom" -}}
from:
{{- with .Values.networkPolicies.metricsNamespace }}
- namespaceSelector:
    matchLabels: {kubernetes.io/metadata.name: {{ . }}}
{{- else }}
- namespaceSelector: {}
{{- end }}
{{- end }}
