#!/bin/sh
# The service's role owns its database and no more: row-level security holds for it, as it would not
# for a superuser.
set -eu
: "${CARDWATCH_ROLE_PASSWORD:?set it in deploy/database.env}"
psql --username="${POSTGRES_USER:-postgres}" --dbname=postgres --set=ON_ERROR_STOP=1 --set=password="$CARDWATCH_ROLE_PASSWORD" <<'SQL'
CREATE ROLE cardwatch LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB PASSWORD :'password';
CREATE DATABASE cardwatch OWNER cardwatch;
REVOKE ALL ON DATABASE cardwatch FROM PUBLIC;
SQL
