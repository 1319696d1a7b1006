{{/* What belongs to backups: the jobs have the same pod, and differ in the steps that it takes. */}}

{{/* The folder of the backup that a restore takes, with what says so, as a list of arguments. Takes root. */}}
{{- define "parley.backupSource" -}}
{{- if eq .Values.backup.target "objects" -}}
{{- list "/backup/fetched" | toJson -}}
{{- else if eq .Values.backup.name "newest" -}}
{{- list "/backup" "--newest" | toJson -}}
{{- else -}}
{{- list (printf "/backup/%s" .Values.backup.name) | toJson -}}
{{- end -}}
{{- end }}

{{/* Whether uploads are on a claim, so that a backup has them and a restore brings them back. Takes root. */}}
{{- define "parley.backupHasFiles" -}}
{{- ternary "yes" "" (eq (include "parley.mediaStorage" .) "claim") -}}
{{- end }}

{{/* A CronJob. Takes {root, name, suspended, steps}: each step is {name, args, store}; `store` for one that talks to the object store. */}}
{{- define "parley.backupJob" }}
{{- $root := .root }}
{{- $component := dict "root" $root "component" "backup" }}
---
{{- with .says }}
# {{ . }}
{{- end }}
apiVersion: batch/v1
kind: CronJob
metadata:
  name: {{ include "parley.fullname" $root }}-{{ .name }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "parley.labels" $component | nindent 4 }}
  annotations:
    {{- include "parley.wave" (dict "root" $root "wave" "edge") | nindent 4 }}
spec:
  schedule: {{ $root.Values.backup.schedule | quote }}
  {{- if .suspended }}
  # Runs when somebody says so: kubectl create job {{ .name }} --from=cronjob/{{ include "parley.fullname" $root }}-{{ .name }}
  suspend: true
  {{- end }}
  # Two at once would be in each other's way.
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 3600
  successfulJobsHistoryLimit: 3
  failedJobsHistoryLimit: 3
  jobTemplate:
    spec:
      # What was cut short is begun anew; a restore is for people to look at.
      backoffLimit: {{ ternary 0 2 .suspended }}
      activeDeadlineSeconds: 43200
      template:
        metadata:
          labels:
            {{- include "parley.selector" $component | nindent 12 }}
            {{- with $root.Values.api.podLabels }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
        spec:
          {{- include "parley.backupPod" (dict "root" $root "steps" .steps "suspended" .suspended) | trim | nindent 10 }}
{{- end }}

{{- define "parley.backupPod" }}
{{- $root := .root }}
{{- $release := include "parley.release" $root | fromJson }}
{{- $context := dict "root" $root "workload" (include "parley.migration" $root | fromJson) }}
{{- $files := include "parley.secretFiles" $context }}
{{- $objects := $root.Values.backup.objects }}
{{- $hasFiles := include "parley.backupHasFiles" $root }}
{{- $keeper := dict "root" $root "component" (ternary "media" "api" $root.Values.roles.split) }}
{{- with $root.Values.api.serviceAccountName }}
serviceAccountName: {{ . }}
{{- end }}
automountServiceAccountToken: false
enableServiceLinks: false
restartPolicy: Never
securityContext:
  {{- include "parley.podSecurity" (dict "uid" $release.user.uid) | nindent 2 }}
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.api.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.api.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if and $hasFiles (eq $root.Values.media.accessMode "ReadWriteOnce") }}
affinity:
  podAffinity:
    # The uploads are on a volume of one node: beside who has it. A restore runs while nobody has.
    {{- if .suspended }}
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- include "parley.selector" $keeper | nindent 14 }}
    {{- else }}
    requiredDuringSchedulingIgnoredDuringExecution:
      - topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            {{- include "parley.selector" $keeper | nindent 12 }}
    {{- end }}
{{- end }}
{{- $last := sub (len .steps) 1 | int }}
{{- range $i, $step := .steps }}
{{- if and (eq $i 0) (ne $i $last) }}
initContainers:
{{- end }}
{{- if eq $i $last }}
containers:
{{- end }}
  - name: {{ $step.name }}
    image: {{ include "parley.image" $root }}
    imagePullPolicy: {{ $root.Values.imagePullPolicy }}
    args: {{ toJson $step.args }}
    env:
      {{- if $step.store }}
      {{- range $name, $value := $objects.env }}
      {{- if not (has $name $objects.secretKeys) }}
      - name: {{ $name }}
        value: {{ include "parley.text" $value | quote }}
      {{- end }}
      {{- end }}
      {{- range $objects.secretKeys }}
      - name: {{ . }}
        value: file:///run/secrets/backup/{{ . }}
      {{- end }}
      {{- else }}
      {{- include "parley.databaseEnv" $context | trim | nindent 6 }}
      {{- if $hasFiles }}
      - name: PARLEY_DATA_DIR
        value: {{ $release.mounts.data }}
      {{- end }}
      {{- end }}
    resources:
      {{- toYaml $root.Values.backup.resources | nindent 6 }}
    securityContext:
      {{- include "parley.containerSecurity" $root | nindent 6 }}
    volumeMounts:
      - { name: backup, mountPath: /backup }
      {{- if $step.store }}
      {{- if $objects.secretKeys }}
      - { name: store, mountPath: /run/secrets/backup, readOnly: true }
      {{- end }}
      {{- else }}
      {{- if $files }}
      - { name: secrets, mountPath: {{ $release.mounts.secrets }}, readOnly: true }
      {{- end }}
      {{- if $hasFiles }}
      - { name: data, mountPath: {{ $release.mounts.data }} }
      - { name: media, mountPath: {{ $release.mounts.media }} }
      {{- end }}
      {{- end }}
      - { name: cache, mountPath: {{ $release.mounts.cache }} }
      - { name: tmp, mountPath: {{ $release.mounts.temporary }} }
{{- end }}
volumes:
  - name: backup
    {{- if eq $root.Values.backup.target "claim" }}
    persistentVolumeClaim:
      claimName: {{ $root.Values.backup.claim.existingClaim | default (printf "%s-backup" (include "parley.fullname" $root)) }}
    {{- else }}
    emptyDir: { sizeLimit: {{ $objects.workSize }} }
    {{- end }}
  {{- if and (eq $root.Values.backup.target "objects") $objects.secretKeys }}
  - name: store
    secret:
      secretName: {{ $objects.secretName }}
      defaultMode: 288 # 0440
      items:
        {{- range $objects.secretKeys }}
        - { key: {{ . }}, path: {{ . }} }
        {{- end }}
  {{- end }}
  {{- with $files }}
  - name: secrets
    projected:
      defaultMode: 288 # 0440
      sources:
        {{- . | trim | nindent 8 }}
  {{- end }}
  {{- if $hasFiles }}
  - name: data
    emptyDir: { sizeLimit: 16Mi }
  - name: media
    persistentVolumeClaim:
      claimName: {{ $root.Values.media.existingClaim | default (printf "%s-media" (include "parley.fullname" $root)) }}
  {{- end }}
  - name: cache
    emptyDir: { sizeLimit: 128Mi }
  - name: tmp
    emptyDir: { sizeLimit: 256Mi }
{{- end }}
