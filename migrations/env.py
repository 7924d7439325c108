"""How alembic reaches the database: over the connection that `weft.storage.migrations` hands in."""

from alembic import context

from weft.storage.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, compare_type=True, compare_server_default=True)

with context.begin_transaction():
    context.run_migrations()
