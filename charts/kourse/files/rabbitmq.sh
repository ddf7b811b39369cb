#!/bin/sh
# Starts an empty RabbitMQ with one user and one virtual host.
set -eu
cat >/data/rabbitmq.conf <<C
listeners.tcp.default = 5672
default_user = $BROKER_USERNAME
default_pass = $BROKER_PASSWORD
default_vhost = kourse
default_user_tags.administrator = true
management.tcp.port = 15672
vm_memory_high_watermark.absolute = 512MB
disk_free_limit.absolute = 64MB
log.console = true
log.console.level = warning
C
echo '[rabbitmq_management,rabbitmq_prometheus].' >/data/plugins
export HOME=/data RUNNING_UNDER_SYSTEMD=true RABBITMQ_NODENAME=kourse@localhost RABBITMQ_LOGS=-
export RABBITMQ_CONFIG_FILE=/data/rabbitmq.conf RABBITMQ_ENABLED_PLUGINS_FILE=/data/plugins
export RABBITMQ_MNESIA_BASE=/data/mnesia RABBITMQ_LOG_BASE=/data/log
export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='+sbwt none +sbwtdcpu none +sbwtdio none'
exec /usr/lib/rabbitmq/lib/*/sbin/rabbitmq-server
