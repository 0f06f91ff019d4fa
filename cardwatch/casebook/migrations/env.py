"""Runs the casebook's migrations on the connection that asks for them."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
