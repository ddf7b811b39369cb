#!/bin/sh
# Starts an empty PostgreSQL with the roles that the installer of a real one would have made.
set -eu
data=/data/cluster
if [ ! -e "$data/PG_VERSION" ]; then
  printf %s "$POSTGRES_PASSWORD" >/tmp/superuser
  initdb --no-sync -D "$data" -A scram-sha-256 -E UTF8 --locale=C.UTF-8 -U postgres --pwfile=/tmp/superuser >/dev/null
  rm /tmp/superuser
  echo 'host all all all scram-sha-256' >>"$data/pg_hba.conf"
  {
    for file in /etc/roles/kourse_*; do
      echo "CREATE ROLE ${file##*/} LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD '$(cat "$file")';"
    done
    echo 'CREATE DATABASE kourse OWNER kourse_migrate;'
    echo 'REVOKE ALL ON DATABASE kourse FROM PUBLIC;'
    for file in /etc/roles/kourse_*; do
      echo "GRANT CONNECT ON DATABASE kourse TO ${file##*/};"
    done
  } | postgres --single -D "$data" postgres >/dev/null
fi
exec postgres -D "$data" -c listen_addresses='*' -c unix_socket_directories='' \
  -c max_connections=300 -c shared_buffers=64MB -c fsync=off -c timezone=UTC
