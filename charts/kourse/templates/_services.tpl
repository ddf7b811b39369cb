{{/* What each service is: whether it has a schema and answers gRPC, and whom it calls over gRPC,
for itself or to fetch events that it misses from their producer's archive.
Network policies and addresses follow from it; tests hold it against the sources. */}}
{{- define "kourse.catalogue" -}}
gateway: {schema: false, calls: [identity]}
identity: {schema: true, calls: []}
profile: {schema: true, calls: [course, identity]}
course: {schema: true, calls: [assessment, identity, profile]}
assessment: {schema: true, calls: [course, identity, profile]}
notification: {schema: true, calls: [assessment, course, dashboard, identity, profile]}
dashboard: {schema: true, calls: [course, assessment, identity, profile, notification]}
{{- end -}}

{{/* A service's values over the defaults, as JSON. Call with (list root name). */}}
{{- define "kourse.serviceValues" -}}
{{- $root := index . 0 -}}
{{- $own := index $root.Values.services (index . 1) | default dict -}}
{{- mergeOverwrite (deepCopy $root.Values.defaults) (deepCopy $own) | toJson -}}
{{- end -}}
