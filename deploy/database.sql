-- The service's role owns its database and no more: row-level security holds for it, as it would not
-- for a superuser. Set the password of deploy/service.env before the first start.
CREATE ROLE cardwatch LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB PASSWORD 'CHANGE-ME';
CREATE DATABASE cardwatch OWNER cardwatch;
REVOKE ALL ON DATABASE cardwatch FROM PUBLIC;
