{{/* Security of every pod: the profile "restricted". */}}
{{- define "kourse.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "kourse.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsUser: 65532
runAsGroup: 65532
capabilities: {drop: [ALL]}
{{- end -}}

{{/* Spread a component over nodes and zones, as far as there are any. Call with (list root component). */}}
{{- define "kourse.spread" -}}
{{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
- maxSkew: 1
  topologyKey: {{ $key }}
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels: {{- include "kourse.selector" $ | nindent 6 }}
{{- end }}
{{- end -}}

{{/* Where pods go: what values say of nodes. */}}
{{- define "kourse.placement" -}}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Soft anti-affinity to pods of the same component, unless values say otherwise.
Call with (list root component affinity). */}}
{{- define "kourse.affinity" -}}
{{- if index . 2 -}}
{{ toYaml (index . 2) }}
{{- else -}}
podAntiAffinity:
  preferredDuringSchedulingIgnoredDuringExecution:
    - weight: 50
      podAffinityTerm:
        topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels: {{- include "kourse.selector" . | nindent 12 }}
{{- end -}}
{{- end -}}

{{/* Probes against the HTTP port. */}}
{{- define "kourse.probes" -}}
startupProbe:
  httpGet: {path: /startupz, port: http}
  periodSeconds: 2
  failureThreshold: 90
  timeoutSeconds: 3
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 5
  failureThreshold: 2
  timeoutSeconds: 3
livenessProbe:
  httpGet: {path: /livez, port: http}
  periodSeconds: 10
  failureThreshold: 6
  timeoutSeconds: 5
{{- end -}}
