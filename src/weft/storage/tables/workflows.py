"""Workflows, their versions, and templates."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, func, text
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
    Column("created_by", Text, nullable=False),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    Column("updated_at", Time, nullable=False, server_default=func.now()),
    Column("last_run_at", Time),
    Index("workflow_order_idx", "workspace_id", "id"),
    one_of("status", "DRAFT", "ACTIVE", "ARCHIVED"),
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
