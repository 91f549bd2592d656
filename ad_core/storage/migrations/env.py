"""Runs the migrations on the connection, and in the transaction, of `ad_core.storage.database`."""

from alembic import context

from ad_core.storage.schema import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite can't alter a column: the table is copied instead
)
with context.begin_transaction():
    context.run_migrations()
