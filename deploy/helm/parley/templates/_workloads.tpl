{{/*
The workloads of this installation, as a JSON object by name: what release.json says of each, with the values laid over it.
*/}}
{{- define "parley.workloads" -}}
{{- $root := . -}}
{{- $release := include "parley.release" . | fromJson -}}
{{- $shape := ternary "split" "together" .Values.roles.split -}}
{{- $all := dict -}}
{{- range $name := get $release.shapes $shape -}}
{{- if or (ne $name "worker") $root.Values.worker.enabled -}}
{{- $workload := get $release.workloads $name -}}
{{- $of := has $name (list "web" "worker") | ternary $name "api" -}}
{{- $values := get $root.Values $of -}}
{{- $own := get $root.Values.roles $name | default dict -}}
{{- $scaling := get $root.Values.autoscaling $of -}}
{{- $isStatic := and (eq $name "web") (ne $root.Values.web.image "") -}}
{{- $merged := dict
  "of" $of
  "isStatic" $isStatic
  "image" (ternary $values.image (include "parley.image" $root) (and (ne $of "api") (ne $values.image "")))
  "replicas" (dict
    "fixed" ($own.replicas | default $values.replicas)
    "least" ($own.minReplicas | default $scaling.minReplicas)
    "most" ($own.maxReplicas | default $scaling.maxReplicas))
  "resources" (mergeOverwrite (deepCopy $workload.resources) (deepCopy ($own.resources | default $values.resources)))
  "ownEnv" ($own.env | default dict)
  "podAnnotations" $values.podAnnotations
  "podLabels" $values.podLabels
  "serviceAccountName" $values.serviceAccountName
  "nodeSelector" $values.nodeSelector
  "tolerations" $values.tolerations
  "affinity" $values.affinity
  "priorityClassName" $values.priorityClassName
-}}
{{- $merged = merge $merged $workload -}}
{{- $keepers := get $release.keepersOf $shape -}}
{{- if and (eq $name $keepers.worker) (not $root.Values.worker.enabled) -}}
{{- $_ := set $merged "roles" (append $merged.roles "worker") -}}
{{- $_ := set $merged "uses" (concat $merged.uses (list "stripe" "pushes" "front" "audit") | uniq) -}}
{{- $_ := set $merged "pools" $workload.keeperPools -}}
{{- end -}}
{{- if and (eq $name $keepers.web) (ne $root.Values.web.image "") -}}
{{- $_ := set $merged "roles" (append $merged.roles "web") -}}
{{- $_ := set $merged "uses" (concat $merged.uses (list "stripe" "graphs" "objects") | uniq) -}}
{{- $_ := set $merged "pools" $workload.keeperPools -}}
{{- end -}}
{{- /* On a claim uploads are not web's: it asks for those that go into archives. */}}
{{- if and (eq $name "web") (eq (include "parley.mediaStorage" $root) "claim") -}}
{{- $_ := set $merged "calls" (dict (get $release.uploadsOfWeb.from $shape) $release.uploadsOfWeb.setting) -}}
{{- end -}}
{{- if $isStatic -}}
{{- $_ := set $merged "calls" (dict (get $release.doors $shape) $release.staticWeb.calls) -}}
{{- $_ := set $merged "uses" list -}}
{{- end -}}
{{- $_ := set $all $name $merged -}}
{{- end -}}
{{- end -}}
{{- $all | toJson -}}
{{- end }}

{{/*
Where a workload's secret settings are, as a JSON object: setting -> {secret, key}. Takes {root, workload}. What stands later
goes before: worker and the role web have those of api too, of which web takes only what leads to services. The user that owns the schema is
for the migrations alone.
*/}}
{{- define "parley.secretsOf" -}}
{{- $root := .root -}}
{{- $workload := .workload -}}
{{- $release := include "parley.release" $root | fromJson -}}
{{- $found := dict -}}
{{- $services := list "DATABASE_URL" "DATABASE_REPLICA_URLS" "REDIS_URL" "NATS_URL" "RABBITMQ_URL" "VAULT_TOKEN" "INFISICAL_CLIENT_SECRET" "AZURE_CLIENT_SECRET" "OTEL_EXPORTER_OTLP_HEADERS" "STRIPE_SECRET_KEY" "STRIPE_WEBHOOK_SECRET" "MASTER_ENCRYPTION_KEY" | concat $release.databaseSettings -}}
{{- /* By which operators come into the console, and which it shows and tries. */}}
{{- if has "web" $workload.roles -}}{{- $services = append $services "PARLEY_SSO_PROVIDERS" -}}{{- end -}}
{{- $isConsole := or (has "web" $workload.roles) (has "worker" $workload.roles) -}}
{{- /* Who keeps what only the master key opens: the console its saved connections, the role auth the secrets of second factors. */}}
{{- $hasKeys := or $isConsole (has "auth" $workload.roles) -}}
{{- if not $workload.isStatic -}}
{{- $database := include "parley.database" $root -}}
{{- if eq $database "postgresql" -}}
{{- $secret := include "parley.postgresqlSecret" $root -}}
{{- $_ := set $found "DATABASE_URL" (dict "secret" $secret "key" "DATABASE_URL") -}}
{{- if $workload.migrates -}}
{{- $_ := set $found "DATABASE_OWNER_URL" (dict "secret" $secret "key" "DATABASE_OWNER_URL") -}}
{{- end -}}
{{- else if eq $database "cnpg" -}}
{{- $_ := set $found "DATABASE_URL" (dict "secret" (include "parley.cnpgSecret" $root) "key" "DATABASE_URL") -}}
{{- if $workload.migrates -}}
{{- /* Who owns the schema is the user that the operator makes. */}}
{{- $_ := set $found "DATABASE_OWNER_URL" (dict "secret" (printf "%s-postgresql-app" (include "parley.fullname" $root)) "key" "uri") -}}
{{- else if and (gt (int $root.Values.cnpg.instances) 1) (not (hasKey $root.Values.api.env "DATABASE_REPLICA_URLS")) -}}
{{- $_ := set $found "DATABASE_REPLICA_URLS" (dict "secret" (include "parley.cnpgSecret" $root) "key" "DATABASE_REPLICA_URLS") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- /* Uploads are the role media's; the role web puts them into the archives that people and operators fetch. */}}
{{- $storeKeys := "^(S3|MINIO|GCS|AZURE_STORAGE)_" -}}
{{- $reachesStore := or (has "media" $workload.roles) (has "web" $workload.roles) -}}
{{- $sources := ternary (list $workload.of) (list "api" $workload.of | uniq) $workload.isStatic -}}
{{- range $of := $sources -}}
{{- $secret := include "parley.secretName" (dict "root" $root "of" $of) -}}
{{- range $key := include "parley.secretKeys" (dict "root" $root "of" $of) | fromJsonArray -}}
{{- if and (or (eq $of $workload.of) (eq $workload.of "worker") (has $key $services) (and (has "web" $workload.roles) (regexMatch $storeKeys $key))) (or $workload.migrates (ne $key "DATABASE_OWNER_URL")) (or $reachesStore (ne $of "api") (not (regexMatch $storeKeys $key))) (or $isConsole $workload.isStatic (not (regexMatch $release.consoleSettings $key))) (or $hasKeys (ne $key "MASTER_ENCRYPTION_KEY")) -}}
{{- $_ := set $found $key (dict "secret" $secret "key" $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $found | toJson -}}
{{- end }}

{{/* The plain settings of a workload, as a JSON object. Takes {root, workload}. Values lie over the chart's own. */}}
{{- define "parley.envOf" -}}
{{- $root := .root -}}
{{- $workload := .workload -}}
{{- $values := $root.Values -}}
{{- $release := include "parley.release" $root | fromJson -}}
{{- $full := include "parley.fullname" $root -}}
{{- $env := dict -}}
{{- if not $workload.isStatic -}}
{{- $secrets := include "parley.secretsOf" . | fromJson -}}
{{- $env = dict
  "ROLES" (join "," $workload.roles)
  "PARLEY_HOST" "0.0.0.0"
  "PARLEY_PORT" (int $workload.port)
  "PARLEY_METRICS_PORT" (int $workload.metricsPort)
  "PARLEY_DRAIN_MS" (mul (int $workload.drain_s) 1000)
  "PARLEY_DATA_DIR" $release.mounts.data
  "PARLEY_SERVER_NAME" (include "parley.serverName" $root)
  "PARLEY_PUBLIC_URL" (include "parley.publicUrl" $root)
  "PARLEY_REGISTRATION" $values.registration
  "PARLEY_LOG_LEVEL" $values.logLevel
  "PARLEY_MEDIA_MAX_BYTES" (int64 $values.mediaMaxBytes)
  "PARLEY_TRUSTED_PROXIES" ($values.trustedProxies | default $release.trustedProxies)
  "PARLEY_MIGRATE" "wait"
-}}
{{- if $values.appservices.secretName -}}
{{- $_ := set $env "PARLEY_APPSERVICES" $release.mounts.appservices -}}
{{- end -}}
{{- if hasKey $secrets "REDIS_URL" -}}
{{- $_ := set $env "PARLEY_BUS" "redis" -}}
{{- $_ := set $env "PARLEY_EPHEMERAL" "redis" -}}
{{- end -}}
{{- if eq $workload.of "web" -}}
{{- $_ := set $env "PARLEY_DATABASE_CONNECTIONS" 1 -}}
{{- end -}}
{{- if and $values.worker.enabled (ne $workload.of "worker") -}}
{{- $_ := set $env "ENABLE_BILLING_RETRY_WORKER" "false" -}}
{{- $_ := set $env "ENABLE_BILLING_STREAM_REPLAY" "false" -}}
{{- end -}}
{{- if eq $workload.of "worker" -}}
{{- $_ := set $env "ENABLE_BILLING_RETRY_WORKER" "true" -}}
{{- $_ := set $env "ENABLE_BILLING_STREAM_REPLAY" "true" -}}
{{- $_ := set $env "BILLING_RETRY_DEPLOYMENT_MODE" "dedicated" -}}
{{- end -}}
{{- $storage := "^(STORAGE|S3|MINIO|GCS|AZURE_STORAGE)_" -}}
{{- $isConsole := or (has "web" $workload.roles) (has "worker" $workload.roles) -}}
{{- range $key, $value := $values.api.env -}}
{{- $isOthers := or (and (ne $workload.of "api") (contains "BILLING" $key)) (and (not (or (has "media" $workload.roles) (has "web" $workload.roles))) (regexMatch $storage $key)) (and (not $isConsole) (regexMatch $release.consoleSettings $key)) (and (not (has "web" $workload.roles)) (hasPrefix "PARLEY_EXPLORER_" $key)) -}}
{{- if not $isOthers -}}
{{- $_ := set $env $key $value -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $to, $setting := $workload.calls -}}
{{- $_ := set $env $setting (printf "http://%s-%s:%d" $full $to (int (get $release.workloads $to).port)) -}}
{{- end -}}
{{- if ne $workload.of "api" -}}
{{- $env = mergeOverwrite $env (deepCopy (get $values $workload.of).env) -}}
{{- end -}}
{{- $env = mergeOverwrite $env $workload.ownEnv -}}
{{- if not $workload.migrates -}}{{- $env = omit $env "DATABASE_OWNER_URL" -}}{{- end -}}
{{- /* What is set under its other name is not set a second time. */}}
{{- range $alias, $name := $release.aliases -}}
{{- if hasKey $env $alias -}}{{- $env = omit $env $name -}}{{- end -}}
{{- end -}}
{{- $env | toJson -}}
{{- end }}

{{/* env of a container, as a list. Takes {root, workload}. */}}
{{- define "parley.env" -}}
{{- $root := .root -}}
{{- $workload := .workload -}}
{{- $release := include "parley.release" $root | fromJson -}}
{{- $env := include "parley.envOf" . | fromJson -}}
{{- $secrets := include "parley.secretsOf" . | fromJson -}}
{{- range $name, $value := $env }}
{{- if not (hasKey $secrets $name) }}
- name: {{ $name }}
  value: {{ include "parley.text" $value | quote }}
{{- end }}
{{- end }}
{{- range $name, $at := $secrets }}
- name: {{ $name }}
  {{- if has $name $release.fileSettings }}
  value: file://{{ $release.mounts.secrets }}/{{ $name }}
  {{- else }}
  valueFrom:
    secretKeyRef:
      name: {{ $at.secret }}
      key: {{ $at.key }}
  {{- end }}
{{- end }}
{{- end }}

{{/* The sources of the volume with the secret files; empty where there is none. Takes {root, workload}. */}}
{{- define "parley.secretFiles" -}}
{{- $release := include "parley.release" .root | fromJson -}}
{{- $bySecret := dict -}}
{{- range $name, $at := include "parley.secretsOf" . | fromJson -}}
{{- if has $name $release.fileSettings -}}
{{- $_ := set $bySecret $at.secret (append (get $bySecret $at.secret | default list) (dict "key" $at.key "path" $name)) -}}
{{- end -}}
{{- end -}}
{{- range $secret, $items := $bySecret }}
- secret:
    name: {{ $secret }}
    items:
      {{- range $items }}
      - { key: {{ .key }}, path: {{ .path }} }
      {{- end }}
{{- end }}
{{- end }}

{{/* Restricted, for a pod. Takes {uid}. */}}
{{- define "parley.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ int .uid }}
runAsGroup: {{ int .uid }}
fsGroup: {{ int .uid }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* Restricted, for a container. */}}
{{- define "parley.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* The services outside of Parley that a workload connects to in this installation, as a JSON list. Takes {root, workload}. */}}
{{- define "parley.servicesOf" -}}
{{- $root := .root -}}
{{- $workload := .workload -}}
{{- $release := include "parley.release" $root | fromJson -}}
{{- $env := include "parley.envOf" . | fromJson -}}
{{- $secrets := include "parley.secretsOf" . | fromJson -}}
{{- $used := list -}}
{{- range $service := $workload.uses -}}
{{- /* Apps name where notifications go: no setting says whether they do. Every installation has a front. */}}
{{- $isUsed := has $service (list "postgresql" "pushes" "front") -}}
{{- range get $release.serviceSettings $service | default list -}}
{{- if or (hasKey $secrets .) (and (hasKey $env .) (not (has (get $env . | toString) $release.localProviders))) -}}{{- $isUsed = true -}}{{- end -}}
{{- end -}}
{{- if $isUsed -}}{{- $used = append $used $service -}}{{- end -}}
{{- end -}}
{{- $used | toJson -}}
{{- end }}

{{/* What leads to the database, for what only needs the schema: its addresses, and the provider of secrets. Takes {root, workload}. */}}
{{- define "parley.databaseEnv" -}}
{{- $release := include "parley.release" .root | fromJson -}}
{{- $secrets := include "parley.secretsOf" . | fromJson -}}
{{- $env := include "parley.envOf" . | fromJson -}}
{{- $wanted := "^(DATABASE_OWNER_URL|ENVIRONMENT|(SECRETS|VAULT|INFISICAL|AWS|AZURE|GCP|GOOGLE)_.*)$" -}}
{{- range $name := concat (keys $secrets) (keys $env) | uniq | sortAlpha -}}
{{- if or (has $name $release.databaseSettings) (regexMatch $wanted $name) }}
- name: {{ $name }}
  {{- if not (hasKey $secrets $name) }}
  value: {{ include "parley.text" (get $env $name) | quote }}
  {{- else if has $name $release.fileSettings }}
  value: file://{{ $release.mounts.secrets }}/{{ $name }}
  {{- else }}
  {{- $at := get $secrets $name }}
  valueFrom:
    secretKeyRef: { name: {{ $at.secret }}, key: {{ $at.key }} }
  {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* The migration as a workload: what it gets is that of the API, and the user that owns the schema. */}}
{{- define "parley.migration" -}}
{{- dict "of" "api" "isStatic" false "migrates" true "uses" (list "postgresql" "secrets") "calls" dict "roles" list "ownEnv" dict "port" 0 "metricsPort" 0 "drain_s" 0 | toJson -}}
{{- end }}

{{/*
How many connections to the database all pods together may open: each as many as its pools and what it opens besides, the pods that
come first in an update included, and some for the migration, backups and people.
*/}}
{{- define "parley.connections" -}}
{{- $release := include "parley.release" . | fromJson -}}
{{- $sum := 30 -}}
{{- range $name, $workload := include "parley.workloads" . | fromJson -}}
{{- if not $workload.isStatic -}}
{{- $env := include "parley.envOf" (dict "root" $ "workload" $workload) | fromJson -}}
{{- $each := $env.PARLEY_DATABASE_CONNECTIONS | default $release.connections.byDefault | toString | int -}}
{{- $pods := ternary $workload.replicas.most $workload.replicas.fixed $.Values.autoscaling.enabled | int | add1 -}}
{{- $sum = add $sum (mul $pods (add (mul $each (int $workload.pools)) (int $release.connections.own))) -}}
{{- end -}}
{{- end -}}
{{- $sum -}}
{{- end }}

{{/*
max_connections of PostgreSQL. Takes {root, given, key}: a number that is given and too small is refused. In steps, so that one pod
more is no restart of the database.
*/}}
{{- define "parley.maxConnections" -}}
{{- $needed := include "parley.connections" .root | int -}}
{{- $given := .given | default 0 | toString | int -}}
{{- if eq $given 0 -}}
{{- max 500 (mul 250 (div (add $needed 249) 250)) -}}
{{- else if lt $given $needed -}}
{{- fail (printf "%s is %d, and the pods together may open %d connections: set it to that or more (or leave it out), lower maxReplicas, or lower PARLEY_DATABASE_CONNECTIONS in api.env." .key $given $needed) -}}
{{- else -}}
{{- $given -}}
{{- end -}}
{{- end }}
