{{/* Start of all names. */}}
{{- define "kourse.fullname" -}}
{{- .Values.fullnameOverride | default .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* Labels of every object. Call with (list root component). */}}
{{- define "kourse.labels" -}}
{{- $root := index . 0 -}}
{{ include "kourse.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: kourse
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end -}}

{{/* Labels by which a component's pods are found. Call with (list root component). */}}
{{- define "kourse.selector" -}}
app.kubernetes.io/name: kourse
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "kourse.image" -}}
{{ include "kourse.imageName" (list . .Values.image) }}
{{- end -}}

{{/* Name of an image. Call with (list root values-of-the-image). */}}
{{- define "kourse.imageName" -}}
{{- $image := index . 1 -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default (index . 0).Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* The Secret of a back end: the evaluation bundle's own, that which RabbitMQ's operator makes, else the one
that values name. Call with (list root "database"). */}}
{{- define "kourse.secret" -}}
{{- $root := index . 0 -}}{{- $which := index . 1 -}}
{{- if $root.Values.evaluation.enabled -}}
{{ include "kourse.fullname" $root }}-evaluation-{{ $which | kebabcase }}
{{- else if and (eq $which "broker") $root.Values.rabbitmqCluster.enabled -}}
{{ include "kourse.fullname" $root }}-rabbitmq-default-user
{{- else -}}
{{ (index $root.Values $which).existingSecret }}
{{- end -}}
{{- end -}}

{{/* Host of a data store. Call with (list root "database"). */}}
{{- define "kourse.host" -}}
{{- $root := index . 0 -}}{{- $which := index . 1 -}}
{{- if $root.Values.evaluation.enabled -}}
{{ include "kourse.fullname" $root }}-{{ $which | kebabcase }}
{{- else if and (eq $which "database") $root.Values.cloudNativePG.enabled -}}
{{ include "kourse.fullname" $root }}-postgresql-rw
{{- else if and (eq $which "broker") $root.Values.rabbitmqCluster.enabled -}}
{{ include "kourse.fullname" $root }}-rabbitmq
{{- else -}}
{{ (index $root.Values $which).host }}
{{- end -}}
{{- end -}}

{{- define "kourse.priorityClass" -}}
{{- if .Values.priorityClasses.criticalName -}}
{{ .Values.priorityClasses.criticalName }}
{{- else if .Values.priorityClasses.create -}}
{{ include "kourse.fullname" . }}-critical
{{- end -}}
{{- end -}}

{{/* A password of the evaluation bundle: follows from names, so that rendering again changes nothing.
Call with (list root "purpose"). */}}
{{- define "kourse.evaluationPassword" -}}
{{- $root := index . 0 -}}
{{- printf "%s/%s/%s" $root.Release.Namespace $root.Release.Name (index . 1) | sha256sum | trunc 32 -}}
{{- end -}}
