{{/* Parts of the objects beside the workloads. */}}

{{- /* ingress-nginx from 1.12 on, until it was mended, refuses a dot in a path of type Prefix; what is left to it it takes as
a prefix too. Others may take that as the exact path. */}}
{{- define "parley.ingressPath" }}
- path: {{ .path }}
  pathType: {{ ternary "ImplementationSpecific" "Prefix" (and (contains "." .path) (contains "nginx" (default "" .class))) }}
  backend:
    service:
      name: {{ .full }}-{{ .workload }}
      port: { name: http }
{{- end }}

{{- define "parley.ingressMetadata" }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "parley.labels" (dict "root" .root "component" "edge") | nindent 4 }}
  annotations:
    {{- include "parley.wave" (dict "root" .root "wave" "edge") | nindent 4 }}
    {{- with .annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}

{{- define "parley.ingressTls" }}
{{- with . }}
  tls:
    {{- range . }}
    - secretName: {{ .secretName }}
      hosts:
        {{- toYaml .hosts | nindent 8 }}
    {{- end }}
{{- end }}
{{- end }}

{{- define "parley.policyMetadata" }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "parley.labels" . | nindent 4 }}
  annotations:
    {{- include "parley.wave" (dict "root" .root "wave" "configuration") | nindent 4 }}
{{- end }}

{{/* An edge to a service: in the chart's own pods, in those of CloudNativePG, or wherever the values say. */}}
{{- define "parley.egressTo" }}
{{- if and (eq .service "postgresql") (eq .database "postgresql") }}
# postgresql
- to:
    - podSelector:
        matchLabels:
          {{- include "parley.selector" (dict "root" .root "component" "postgresql") | nindent 10 }}
  ports:
    - { protocol: TCP, port: 5432 }
{{- else if and (eq .service "postgresql") (eq .database "cnpg") }}
# postgresql
- to:
    - podSelector:
        matchLabels:
          cnpg.io/cluster: {{ include "parley.fullname" .root }}-postgresql
  ports:
    - { protocol: TCP, port: 5432 }
{{- else }}
{{- $at := get .root.Values.networkPolicy.egress .service }}
# {{ .service }}
- ports:
    {{- range $at.ports }}
    - { protocol: TCP, port: {{ int . }} }
    {{- end }}
  {{- with $at.to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Size and class of the claim of PostgreSQL's StatefulSet, as JSON: those that it has where it is there, as the values say otherwise. */}}
{{- define "parley.postgresqlClaim" -}}
{{- $claim := dict "size" .Values.postgresql.size "storageClass" .Values.postgresql.storageClass -}}
{{- range (dig "spec" "volumeClaimTemplates" list (lookup "apps/v1" "StatefulSet" .Release.Namespace (printf "%s-postgresql" (include "parley.fullname" .)) | default dict)) -}}
{{- $claim = dict "size" .spec.resources.requests.storage "storageClass" (.spec.storageClassName | default "") -}}
{{- end -}}
{{- $claim | toJson -}}
{{- end }}

{{- define "parley.migrationPod" }}
{{- with .root.Values.api.serviceAccountName }}
serviceAccountName: {{ . }}
{{- end }}
automountServiceAccountToken: false
enableServiceLinks: false
restartPolicy: Never
securityContext:
  {{- include "parley.podSecurity" (dict "uid" .release.user.uid) | nindent 2 }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.api.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.api.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- $database := include "parley.database" .root }}
{{- $isRecovered := and (eq $database "cnpg") .root.Values.cnpg.recovery.enabled }}
{{- if or (eq $database "postgresql") $isRecovered .root.Values.migrations.preflight }}
initContainers:
{{- end }}
{{- if eq $database "postgresql" }}
  # Over TCP: while it makes its files, PostgreSQL listens on its socket only.
  - name: wait-for-postgresql
    image: {{ .root.Values.postgresql.image }}
    imagePullPolicy: {{ .root.Values.imagePullPolicy }}
    command: [/bin/bash, -c, "until pg_isready -q -h {{ include "parley.fullname" .root }}-postgresql -U parley -d parley; do sleep 1; done"]
    resources:
      requests: { cpu: 10m, memory: 32Mi }
      limits: { cpu: 200m, memory: 64Mi }
    securityContext:
      {{- include "parley.containerSecurity" .root | nindent 6 }}
{{- end }}
{{- $steps := list }}
{{- if $isRecovered }}
{{- /* Before any pod serves on what was recovered: clients that were ahead of it start over. */}}
{{- $steps = append $steps (dict "name" "restore-epoch" "args" (list "restore" "epoch" "--once")) }}
{{- end }}
{{- if .root.Values.migrations.preflight }}
{{- $steps = append $steps (dict "name" "preflight" "args" (list "preflight")) }}
{{- end }}
{{- range $steps }}
  {{- include "parley.migrationStep" (dict "root" $.root "release" $.release "context" $.context "files" $.files "name" .name "args" .args) | trim | nindent 2 }}
{{- end }}
containers:
  {{- include "parley.migrationStep" (dict "root" .root "release" .release "context" .context "files" .files "name" "migrations" "args" .release.args.migrate) | trim | nindent 2 }}
volumes:
  {{- with .files }}
  - name: secrets
    projected:
      defaultMode: 288 # 0440
      sources:
        {{- . | trim | nindent 8 }}
  {{- end }}
  - name: cache
    emptyDir: { sizeLimit: 128Mi }
  - name: tmp
    emptyDir: { sizeLimit: 256Mi }
{{- end }}

{{- define "parley.migrationStep" }}
- name: {{ .name }}
  image: {{ include "parley.image" .root }}
  imagePullPolicy: {{ .root.Values.imagePullPolicy }}
  args: {{ toJson .args }}
  env:
    {{- include "parley.databaseEnv" .context | trim | nindent 4 }}
  resources:
    requests: { cpu: 50m, memory: 128Mi }
    limits: { cpu: "1", memory: 512Mi }
  securityContext:
    {{- include "parley.containerSecurity" .root | nindent 4 }}
  volumeMounts:
    {{- if .files }}
    - { name: secrets, mountPath: {{ .release.mounts.secrets }}, readOnly: true }
    {{- end }}
    - { name: cache, mountPath: {{ .release.mounts.cache }} }
    - { name: tmp, mountPath: {{ .release.mounts.temporary }} }
{{- end }}
