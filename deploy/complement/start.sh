#!/bin/sh
# The command of the image for Complement. It runs each time that a container starts, also on what an earlier start left.
set -eu
# Of a container that was stopped with its processes running.
rm -f "$PGDATA/postmaster.pid"
pg_ctl start --silent --wait --log=/tmp/postgres.log

export DATABASE_URL=postgres://postgres@127.0.0.1:5432/postgres
export PARLEY_SERVER_NAME="$SERVER_NAME"
export PARLEY_HOST=0.0.0.0 PARLEY_PORT=8008 PARLEY_METRICS_PORT=off
export PARLEY_REGISTRATION=open PARLEY_REGISTRATION_SHARED_SECRET=complement PARLEY_GUESTS=on
export PARLEY_RATE_LIMITS=off PARLEY_PASSWORD_COST=low PARLEY_QUERY_TOKENS=on
# Complement's own servers are on the host, and it registers application services by putting files here.
export PARLEY_PUSH_HOSTS=host.docker.internal PARLEY_PREVIEWS=on PARLEY_PREVIEW_HOSTS=host.docker.internal
if [ -d /complement/appservice ]; then
  export PARLEY_APPSERVICES=/complement/appservice
fi
exec parley serve
