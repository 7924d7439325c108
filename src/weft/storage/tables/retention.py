"""What is to be deleted bit by bit, and how far that is."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, SmallInteger, Table, Text, func

from weft.storage.tables.base import Id, Time, metadata

# One row, `sweep`, that a process has to take before it deletes what is old: one does so at a time. The others say how far
# the walk through a table has come.
retention_turn = Table(
    "retention_turn",
    metadata,
    Column("name", Text, primary_key=True),
    Column("due_at", Time, nullable=False, server_default=func.now()),
    Column("place", Text, nullable=False, server_default=""),
)

# Runs that are gone, whose items, checkpoints, batches and logs are still to be deleted.
deleted_run = Table(
    "deleted_run",
    metadata,
    Column("run_id", Id, primary_key=True),
    # Items; those with a lower ordinal than `done` are deleted.
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False, server_default="0"),
)

# What deleted runs of a workflow have used: the figures of `domain.usage.Usage` by their place.
past_usage = Table(
    "past_usage",
    metadata,
    Column("workflow_id", Id, ForeignKey("workflow.id", ondelete="CASCADE"), primary_key=True),
    Column("figure", SmallInteger, primary_key=True, autoincrement=False),
    Column("amount", BigInteger, nullable=False),
)
