{{/* The data stores of the evaluation bundle: how each starts, and how it is asked whether it is up. */}}
{{- define "kourse.evaluationStores" -}}
database:
  command: [sh, /etc/evaluation/postgresql.sh]
  ports: {postgresql: 5432}
  probe: {exec: {command: [pg_isready, -h, 127.0.0.1, -U, postgres]}}
  env:
    - {name: POSTGRES_PASSWORD, value: {{ include "kourse.evaluationPassword" (list . "postgres") }}}
broker:
  command: [sh, /etc/evaluation/rabbitmq.sh]
  ports: {amqp: 5672, management: 15672}
  probe: {tcpSocket: {port: amqp}}
  env:
    {{- include "kourse.fromSecret" (list "BROKER_USERNAME" (include "kourse.secret" (list . "broker")) "username") | nindent 4 }}
    {{- include "kourse.fromSecret" (list "BROKER_PASSWORD" (include "kourse.secret" (list . "broker")) "password") | nindent 4 }}
cache:
  command: [sh, -c, 'exec redis-server --dir /data --save "" --maxmemory 64mb --maxmemory-policy allkeys-lru --requirepass "$PASSWORD"']
  ports: {redis: 6379}
  probe: {tcpSocket: {port: redis}}
  env:
    {{- include "kourse.fromSecret" (list "PASSWORD" (include "kourse.secret" (list . "cache")) "password") | nindent 4 }}
token-store:
  command: [sh, -c, 'exec redis-server --dir /data --save "" --appendonly yes --maxmemory 64mb --maxmemory-policy noeviction --requirepass "$PASSWORD"']
  ports: {redis: 6379}
  probe: {tcpSocket: {port: redis}}
  env:
    {{- include "kourse.fromSecret" (list "PASSWORD" (include "kourse.secret" (list . "tokenStore")) "password") | nindent 4 }}
object-store:
  command: [minio, server, --quiet, --address, ':9000', /data/store]
  ports: {s3: 9000}
  probe: {httpGet: {path: /minio/health/ready, port: s3}}
  env:
    {{- include "kourse.fromSecret" (list "MINIO_ROOT_USER" (include "kourse.secret" (list . "objectStore")) "accessKey") | nindent 4 }}
    {{- include "kourse.fromSecret" (list "MINIO_ROOT_PASSWORD" (include "kourse.secret" (list . "objectStore")) "secretKey") | nindent 4 }}
    - {name: MINIO_BROWSER, value: "off"}
    - {name: MINIO_UPDATE, value: "off"}
mail:
  command: [python, /etc/evaluation/mail.py]
  ports: {smtp: 2525, http: 8025}
  probe: {tcpSocket: {port: smtp}}
{{- end -}}
