{{/* The description of the release, deploy/src/release.ts, as JSON. */}}
{{- define "parley.release" -}}{{ .Files.Get "files/release.json" }}{{- end }}

{{/*
What the objects of this installation are called: 38 characters, so that what is put behind it stays below 63, a CronJob's name
below 52, and that of CloudNativePG's Cluster below 50. A release's name may have dots, which a Service's may not.
*/}}
{{- define "parley.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := .Values.fullnameOverride -}}
{{- if not $full -}}
{{- $full = ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- end -}}
{{- $full | replace "." "-" | trunc 38 | trimSuffix "-" -}}
{{- end }}

{{/* Labels of every object. Takes {root, component}. */}}
{{- define "parley.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: parley
{{ include "parley.selector" . }}
{{- end }}

{{/* Labels that pods are found by; they never change. Takes {root, component}. */}}
{{- define "parley.selector" -}}
app.kubernetes.io/name: parley
app.kubernetes.io/instance: {{ toYaml .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{/* Argo CD applies in this order; nothing else reads it. Takes {root, wave}. */}}
{{- define "parley.wave" -}}
{{- $release := include "parley.release" .root | fromJson -}}
argocd.argoproj.io/sync-wave: {{ get $release.waves .wave | int | quote }}
{{- end }}

{{/* The image of the server. */}}
{{- define "parley.image" -}}
{{- $release := include "parley.release" . | fromJson -}}
{{- .Values.api.image | default (printf "%s:%s" $release.images.server .Chart.AppVersion) -}}
{{- end }}

{{- define "parley.host" -}}
{{- $first := first .Values.ingress.hosts | default dict -}}
{{- $first.host | default "" -}}
{{- end }}

{{- define "parley.serverName" -}}
{{- .Values.serverName | default (include "parley.host" .) -}}
{{- end }}

{{- define "parley.publicUrl" -}}
{{- if .Values.publicUrl -}}
{{- .Values.publicUrl -}}
{{- else -}}
{{- $host := include "parley.host" . -}}
{{- $hosts := list -}}
{{- range .Values.ingress.tls -}}{{- $hosts = concat $hosts (.hosts | default list) -}}{{- end -}}
{{- printf "%s://%s" (ternary "https" "http" (has $host $hosts)) $host -}}
{{- end -}}
{{- end }}

{{/* The Secret of api, web or worker. Takes {root, of}. */}}
{{- define "parley.secretName" -}}
{{- $values := get .root.Values .of -}}
{{- $values.secretName | default (printf "%s-%s" (include "parley.fullname" .root) .of) -}}
{{- end }}

{{/* Its keys, as a JSON list. Takes {root, of}. */}}
{{- define "parley.secretKeys" -}}
{{- $values := get .root.Values .of -}}
{{- $external := (get .root.Values.externalSecrets .of).data -}}
{{- if and .root.Values.externalSecrets.enabled $external -}}
{{- keys $external | sortAlpha | toJson -}}
{{- else if $values.secrets -}}
{{- keys $values.secrets | sortAlpha | toJson -}}
{{- else if $values.secretName -}}
{{- $values.secretKeys | toJson -}}
{{- else -}}
[]
{{- end -}}
{{- end }}

{{/* Where PostgreSQL is: given, cnpg or postgresql. */}}
{{- define "parley.database" -}}
{{- $keys := include "parley.secretKeys" (dict "root" . "of" "api") | fromJsonArray -}}
{{- $given := false -}}
{{- range (include "parley.release" . | fromJson).databaseSettings -}}
{{- if or (has . $keys) (hasKey $.Values.api.env .) -}}{{- $given = true -}}{{- end -}}
{{- end -}}
{{- $own := eq (toString .Values.postgresql.enabled) "true" -}}
{{- if gt (len (compact (list (ternary "a" "" $given) (ternary "b" "" .Values.cnpg.enabled) (ternary "c" "" $own)))) 1 -}}
{{- fail "There are two databases: of DATABASE_URL for api, cnpg.enabled and postgresql.enabled=true only one can be." -}}
{{- end -}}
{{- if $given -}}given
{{- else if .Values.cnpg.enabled -}}cnpg
{{- else if ne (toString .Values.postgresql.enabled) "false" -}}postgresql
{{- else -}}
{{- fail "There is no database: put DATABASE_URL among externalSecrets.api.data, api.secrets or the keys of api.secretName, or set cnpg.enabled or postgresql.enabled." -}}
{{- end -}}
{{- end }}

{{- define "parley.postgresqlSecret" -}}
{{- .Values.postgresql.existingSecret | default (printf "%s-postgresql" (include "parley.fullname" .)) -}}
{{- end }}

{{/* Of the user that the pods serve as on CloudNativePG. */}}
{{- define "parley.cnpgSecret" -}}
{{- .Values.cnpg.existingSecret | default (printf "%s-postgresql-serving" (include "parley.fullname" .)) -}}
{{- end }}

{{/* What the server may never be given together, in sentences. */}}
{{- define "parley.check" -}}
{{- if and (not (include "parley.host" .)) (or .Values.ingress.enabled (not .Values.serverName)) -}}
{{- fail "Parley needs to know its host: set ingress.hosts[0].host, as in --set 'ingress.hosts[0].host=chat.example.org'." -}}
{{- end -}}
{{- if not (regexMatch "^[a-z]" (include "parley.fullname" .)) -}}
{{- fail (printf "The release is called %q, and the name of a Service has to begin with a letter: set fullnameOverride, or call the release otherwise." .Release.Name) -}}
{{- end -}}
{{- range $of := list "api" "web" "worker" -}}
{{- if and $.Values.externalSecrets.enabled (get $.Values $of).secrets -}}
{{- fail (printf "%s.secrets are static, and externalSecrets.enabled is true: never both. Set externalSecrets.enabled=false, or move them to externalSecrets.%s.data." $of $of) -}}
{{- end -}}
{{- if and (not $.Values.externalSecrets.enabled) (get $.Values.externalSecrets $of).data -}}
{{- fail (printf "externalSecrets.%s.data are there, and externalSecrets.enabled is false: set it to true, or move them to %s.secrets." $of $of) -}}
{{- end -}}
{{- end -}}
{{- if and (eq .Values.media.storage "objects") (not .Values.api.env.STORAGE_PROVIDER) -}}
{{- fail "media.storage=objects needs api.env.STORAGE_PROVIDER: s3, minio, azure_blob or gcs, and what it needs (docs/operations/settings.md)." -}}
{{- end -}}
{{- if and .Values.autoscaling.keda.enabled (not .Values.autoscaling.enabled) -}}
{{- fail "autoscaling.keda.enabled needs autoscaling.enabled." -}}
{{- end -}}
{{- if and .Values.gatewayApi.enabled (not .Values.gatewayApi.parentRefs) -}}
{{- fail "gatewayApi.enabled needs gatewayApi.parentRefs: the Gateway that the route is for, such as [{name: public, namespace: gateways}]." -}}
{{- end -}}
{{- if and .Values.cnpg.enabled (eq (int .Values.cnpg.instances) 2) -}}
{{- fail "cnpg.instances is 2: each commit waits for two instances, so that nothing could be written while one is away, and of two none can know that it may take over. Set 3, or 1 for trying out." -}}
{{- end -}}
{{- if and .Values.cnpg.enabled .Values.cnpg.recovery.enabled (not .Values.cnpg.backup.enabled) -}}
{{- fail "cnpg.recovery.enabled needs cnpg.backup: it says where the backups are." -}}
{{- end -}}
{{- if and .Values.cnpg.enabled .Values.cnpg.recovery.enabled (eq .Values.cnpg.backup.serverName .Values.cnpg.recovery.serverName) -}}
{{- fail "cnpg.backup.serverName and cnpg.recovery.serverName are the same: a cluster that was recovered may not write over the backups that it came from. Give cnpg.backup.serverName a new name, such as parley-2." -}}
{{- end -}}
{{- if and .Values.backup.enabled (eq .Values.backup.target "objects") (not .Values.backup.objects.env.STORAGE_PROVIDER) -}}
{{- fail "backup.target=objects needs backup.objects.env.STORAGE_PROVIDER: s3, minio, azure_blob or gcs, and what it needs (docs/operations/storage.md)." -}}
{{- end -}}
{{- if and .Values.backup.objects.secretKeys (not .Values.backup.objects.secretName) -}}
{{- fail "backup.objects.secretKeys need backup.objects.secretName: the Secret that has them." -}}
{{- end -}}
{{- if and .Values.cnpg.enabled .Values.cnpg.backup.enabled (not (and .Values.cnpg.backup.destinationPath .Values.cnpg.backup.secretName)) -}}
{{- fail "cnpg.backup.enabled needs cnpg.backup.destinationPath (such as s3://bucket/parley) and cnpg.backup.secretName." -}}
{{- end -}}
{{- end }}

{{/* A value as text: what came through JSON is a float, and 104857600 would be 1.048576e+08. */}}
{{- define "parley.text" -}}
{{- if and (kindIs "float64" .) (eq . (float64 (int64 .))) -}}{{ int64 . }}{{- else -}}{{ toString . }}{{- end -}}
{{- end }}

{{/* Where uploads are: claim or objects. */}}
{{- define "parley.mediaStorage" -}}
{{- if ne .Values.media.storage "auto" -}}
{{- .Values.media.storage -}}
{{- else -}}
{{- ternary "claim" "objects" (has (.Values.api.env.STORAGE_PROVIDER | default "" | toString) (list "" "filesystem")) -}}
{{- end -}}
{{- end }}
