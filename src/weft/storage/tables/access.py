"""Tenants, keys, and what was done with them."""

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Table, Text, func
from sqlalchemy.dialects.postgresql import JSON

from weft.storage.tables.base import Id, Time, metadata, one_of

workspace = Table(
    "workspace",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("created_at", Time, nullable=False, server_default=func.now()),
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, ForeignKey("workspace.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    Column("expires_at", Time),
    Column("revoked_at", Time),
    Column("last_used_at", Time),
    one_of("role", "VIEWER", "RUNNER", "EDITOR", "ADMIN"),
)

idempotency_key = Table(
    "idempotency_key",
    metadata,
    Column("workspace_id", Id, ForeignKey("workspace.id"), primary_key=True),
    Column("operation", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("body_digest", LargeBinary, nullable=False),
    Column("subject_id", Id, nullable=False),
    Column("created_at", Time, nullable=False, server_default=func.now()),
)

audit_entry = Table(
    "audit_entry",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, ForeignKey("workspace.id"), nullable=False),
    Column("at", Time, nullable=False, server_default=func.now()),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("details", JSON, nullable=False),
    Column("address", Text),
    Index("audit_entry_order_idx", "workspace_id", "id"),
)
