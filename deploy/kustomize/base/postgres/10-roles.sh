#!/bin/bash
# Run once, when the data directory is made. Two users besides the administrator: `parley_owner`, as whom the migration Job changes
# the schema and makes the domains' roles, and `parley`, as whom the server runs and who may change nothing but rows.
set -euo pipefail
secrets=/run/secrets/postgres
psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
  --set owner="$(cat $secrets/owner-password)" --set serving="$(cat $secrets/password)" --set database="$POSTGRES_DB" <<'SQL'
create role parley_owner login createrole createdb password :'owner';
create role parley login password :'serving';
alter database :"database" owner to parley_owner;
revoke all on database :"database" from public;
grant connect on database :"database" to parley;
SQL
# Whole: see the container "begin" of the pod.
rm -f /var/lib/postgresql/data/initialising
