#!/bin/sh
# One role owns the tables, another serves. Row-level security holds for both, as it would not for a
# superuser; the one that serves can neither change the tables nor what guards them.
set -eu
: "${CARDWATCH_OWNER_PASSWORD:?set it in deploy/database.env}"
: "${CARDWATCH_ROLE_PASSWORD:?set it in deploy/database.env}"
psql --username="${POSTGRES_USER:-postgres}" --dbname=postgres --set=ON_ERROR_STOP=1 \
  --set=owner="$CARDWATCH_OWNER_PASSWORD" --set=role="$CARDWATCH_ROLE_PASSWORD" <<'SQL'
CREATE ROLE cardwatch_owner LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB PASSWORD :'owner';
CREATE ROLE cardwatch LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB PASSWORD :'role';
CREATE DATABASE cardwatch OWNER cardwatch_owner;
REVOKE ALL ON DATABASE cardwatch FROM PUBLIC;
GRANT CONNECT ON DATABASE cardwatch TO cardwatch;
SQL
