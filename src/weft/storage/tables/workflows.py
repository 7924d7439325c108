"""Workflows, their versions, and templates."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSON

from weft.storage.tables.base import Id, Time, metadata, one_of

workflow = Table(
    "workflow",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, ForeignKey("workspace.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False, server_default=""),
    Column("category", Text),
    Column("entity_type_id", Id, ForeignKey("entity_type.id")),
    Column("status", Text, nullable=False),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    Column("public", Boolean, nullable=False, server_default=text("false")),
    Column("version_id", Id, nullable=False),
    Column("version_number", Integer, nullable=False),
    Column("steps_count", Integer, nullable=False),
    # Not a foreign key: a copy does not care whether what it was made of is still there.
    Column("copied_from", Id),
    Column("created_by", Text, nullable=False),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    Column("updated_at", Time, nullable=False, server_default=func.now()),
    Index("workflow_order_idx", "workspace_id", "id"),
    # In the order in which public workflows of all workspaces are listed.
    Index("workflow_public_idx", "id", postgresql_where=text("public")),
    one_of("status", "DRAFT", "ACTIVE", "ARCHIVED"),
)

# Counted along with each start and each end of a run, each copy and each rating, in the same transaction. In several rows
# for each workflow, by the connection that counts: runs of one workflow that start or end at once then do not wait for each
# other.
workflow_stats = Table(
    "workflow_stats",
    metadata,
    Column("workflow_id", Id, ForeignKey("workflow.id", ondelete="CASCADE"), primary_key=True),
    Column("shard", SmallInteger, primary_key=True),
    Column("runs_total", BigInteger, nullable=False, server_default="0"),
    Column("runs_successful", BigInteger, nullable=False, server_default="0"),
    Column("runs_failed", BigInteger, nullable=False, server_default="0"),
    Column("runs_cancelled", BigInteger, nullable=False, server_default="0"),
    # Of those that succeeded or failed.
    Column("duration_us", BigInteger, nullable=False, server_default="0"),
    Column("last_run_at", Time),
    Column("copies", BigInteger, nullable=False, server_default="0"),
    # Of `workflow_rating`: how many there are, and their sum. One shard alone may be below zero.
    Column("ratings", BigInteger, nullable=False, server_default="0"),
    Column("stars", BigInteger, nullable=False, server_default="0"),
    postgresql_with={"fillfactor": "50"},
)

workflow_version = Table(
    "workflow_version",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, ForeignKey("workspace.id"), nullable=False),
    Column("workflow_id", Id, ForeignKey("workflow.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("definition", JSON, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    UniqueConstraint("workflow_id", "number"),
)

template = Table(
    "template",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, ForeignKey("workspace.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False, server_default=""),
    Column("category", Text, nullable=False),
    Column("definition", JSON, nullable=False),
    Column("entity_schema", JSON),
    Column("parameters_schema", JSON),
    Column("created_by", Text, nullable=False),
    Column("created_at", Time, nullable=False, server_default=func.now()),
)
