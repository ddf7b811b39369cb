{{/* An environment variable from a Secret. Call with (list name secret key). */}}
{{- define "kourse.fromSecret" -}}
- name: {{ index . 0 }}
  valueFrom:
    secretKeyRef:
      name: {{ index . 1 }}
      key: {{ index . 2 }}
{{- end -}}

{{/* A variable with the password of a role of the database: from one Secret for all roles, or from the role's
own, as CloudNativePG has them. Call with (list root variable role). */}}
{{- define "kourse.databasePassword" -}}
{{- $root := index . 0 -}}{{- $role := index . 2 -}}
{{- if and $root.Values.cloudNativePG.enabled (not $root.Values.evaluation.enabled) -}}
{{ include "kourse.fromSecret" (list (index . 1) (printf "%s-%s" (include "kourse.fullname" $root) ($role | replace "_" "-")) "password") }}
{{- else -}}
{{ include "kourse.fromSecret" (list (index . 1) (include "kourse.secret" (list $root "database")) $role) }}
{{- end -}}
{{- end -}}

{{/* Address of the database for a role whose password is in a variable. (list root role variable) */}}
{{- define "kourse.databaseUrl" -}}
{{- $root := index . 0 -}}{{- $database := $root.Values.database -}}
{{- $mode := ternary "disable" $database.sslmode $root.Values.evaluation.enabled -}}
postgresql+psycopg://{{ index . 1 }}:$({{ index . 2 }})@{{ include "kourse.host" (list $root "database") }}:{{ $database.port }}/{{ $database.name }}?sslmode={{ $mode }}
{{- end -}}

{{/* Broker and object store, which services and operator share. */}}
{{- define "kourse.sharedSecrets" -}}
{{ include "kourse.fromSecret" (list "BROKER_USERNAME" (include "kourse.secret" (list . "broker")) "username") }}
{{ include "kourse.fromSecret" (list "BROKER_PASSWORD" (include "kourse.secret" (list . "broker")) "password") }}
- name: KOURSE_BROKER_URL
  value: {{ ternary "amqps" "amqp" .Values.broker.tls }}://$(BROKER_USERNAME):$(BROKER_PASSWORD)@{{ include "kourse.host" (list . "broker") }}:{{ .Values.broker.port }}/{{ .Values.broker.virtualHost }}
{{ include "kourse.fromSecret" (list "KOURSE_S3_ACCESS_KEY" (include "kourse.secret" (list . "objectStore")) "accessKey") }}
{{ include "kourse.fromSecret" (list "KOURSE_S3_SECRET_KEY" (include "kourse.secret" (list . "objectStore")) "secretKey") }}
{{- end -}}

{{/* One Redis. Call with (list root values-key variable-of-the-password variable-of-the-address). */}}
{{- define "kourse.redis" -}}
{{- $root := index . 0 -}}{{- $which := index . 1 -}}{{- $values := index $root.Values $which -}}
{{ include "kourse.fromSecret" (list (index . 2) (include "kourse.secret" (list $root $which)) "password") }}
- name: {{ index . 3 }}
  value: {{ ternary "rediss" "redis" $values.tls }}://:$({{ index . 2 }})@{{ include "kourse.host" (list $root $which) }}:{{ $values.port }}/0
{{- end -}}

{{/* Settings that come from values, below a prefix. Call with (list prefix settings). */}}
{{- define "kourse.settings" -}}
{{- $prefix := index . 0 -}}
{{- range $name, $value := index . 1 }}
- name: {{ $prefix }}{{ $name }}
  value: {{ $value | toString | quote }}
{{- end -}}
{{- end -}}

{{/* All of a service's own environment. Call with (list root name values). */}}
{{- define "kourse.serviceEnvironment" -}}
{{- $root := index . 0 -}}{{- $name := index . 1 -}}{{- $values := index . 2 -}}
{{- $facts := index (include "kourse.catalogue" $root | fromYaml) $name -}}
{{- $prefix := printf "KOURSE_%s_" (upper $name) -}}
- name: {{ $prefix }}PORT
  value: "8080"
{{ include "kourse.fromSecret" (list (printf "%sCLIENT_SECRET" $prefix) (include "kourse.secret" (list $root "clientSecrets")) $name) }}
{{- if $facts.schema }}
- name: {{ $prefix }}RPC_PORT
  value: "9090"
{{ include "kourse.databasePassword" (list $root "DATABASE_PASSWORD" (printf "kourse_%s" $name)) }}
{{ include "kourse.databasePassword" (list $root "WORKER_PASSWORD" (printf "kourse_%s_worker" $name)) }}
- name: {{ $prefix }}DATABASE_URL
  value: {{ include "kourse.databaseUrl" (list $root (printf "kourse_%s" $name) "DATABASE_PASSWORD") }}
- name: {{ $prefix }}WORKER_DATABASE_URL
  value: {{ include "kourse.databaseUrl" (list $root (printf "kourse_%s_worker" $name) "WORKER_PASSWORD") }}
{{ include "kourse.sharedSecrets" $root }}
{{- end }}
{{ include "kourse.redis" (list $root "cache" "CACHE_PASSWORD" "KOURSE_CACHE_URL") }}
{{ include "kourse.redis" (list $root "tokenStore" "TOKEN_STORE_PASSWORD" "KOURSE_TOKEN_STORE_URL") }}
{{- if eq $name "identity" }}
{{- /* Asks itself, not its Service: that has no address before identity is ready. */}}
- name: KOURSE_IDENTITY_JWKS_URL
  value: http://127.0.0.1:8080/.well-known/jwks.json
- name: KOURSE_IDENTITY_IDENTITY_URL
  value: http://127.0.0.1:8080
- name: KOURSE_IDENTITY_SIGNING_KEY_FILE
  value: /etc/kourse/identity/signing-key.pem
- name: KOURSE_IDENTITY_DATA_KEY_FILE
  value: /etc/kourse/identity/data-key
- name: KOURSE_IDENTITY_CLIENTS_FILE
  value: /etc/kourse/identity/clients.json
{{- with $root.Values.identity.keycloak }}
{{- if .url }}
- name: KOURSE_IDENTITY_BACKEND
  value: keycloak
- name: KOURSE_IDENTITY_KEYCLOAK_URL
  value: {{ .url | quote }}
- name: KOURSE_IDENTITY_KEYCLOAK_REALM
  value: {{ .realm | quote }}
{{ include "kourse.fromSecret" (list "KOURSE_IDENTITY_KEYCLOAK_SECRET" .existingSecret "secret") }}
{{- end }}
{{- end }}
{{- if or $root.Values.evaluation.enabled $root.Values.bootstrapAdmin.existingSecret }}
{{ include "kourse.fromSecret" (list "KOURSE_IDENTITY_BOOTSTRAP_ADMIN_EMAIL" (include "kourse.secret" (list $root "bootstrapAdmin")) "email") }}
{{ include "kourse.fromSecret" (list "KOURSE_IDENTITY_BOOTSTRAP_ADMIN_PASSWORD" (include "kourse.secret" (list $root "bootstrapAdmin")) "password") }}
{{- end }}
{{- end }}
{{- if and (eq $name "notification") (or $root.Values.evaluation.enabled $root.Values.webhooks.existingSecret) }}
- name: KOURSE_NOTIFICATION_DATA_KEY_FILE
  value: /etc/kourse/webhooks/data-key
{{- end }}
{{- if and (eq $name "notification") $root.Values.smtp.existingSecret }}
{{ include "kourse.fromSecret" (list "KOURSE_NOTIFICATION_SMTP_USER" $root.Values.smtp.existingSecret "user") }}
{{ include "kourse.fromSecret" (list "KOURSE_NOTIFICATION_SMTP_PASSWORD" $root.Values.smtp.existingSecret "password") }}
{{- end }}
{{- if eq $name "assessment" }}
- name: KOURSE_ASSESSMENT_JUDGE_URL
  value: {{ $root.Values.judge.url | default (printf "http://%s-runner:8080" (include "kourse.fullname" $root)) | quote }}
{{- if and $root.Values.judge.url $root.Values.judge.existingSecret }}
- name: KOURSE_ASSESSMENT_JUDGE_TOKEN_HEADER
  value: {{ $root.Values.judge.tokenHeader | quote }}
{{ include "kourse.fromSecret" (list "KOURSE_ASSESSMENT_JUDGE_TOKEN" $root.Values.judge.existingSecret "token") }}
{{- end }}
{{- end }}
{{- if eq $name "gateway" }}
- name: KOURSE_GATEWAY_REPLICAS
  value: {{ $values.replicas | quote }}
{{- end }}
{{- include "kourse.settings" (list $prefix $values.settings) }}
{{- end -}}
