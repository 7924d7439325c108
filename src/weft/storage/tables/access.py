"""Tenants, keys, and what was done with them."""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, func
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
    # Operations a minute; null for as many as the server allows any key.
    Column("rate_limit", Integer),
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
    Index("idempotency_key_age_idx", "created_at"),
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
    # Of the API key; null for what acted by itself. No foreign key: what was done stays on record.
    Column("key_id", Id),
    Index("audit_entry_order_idx", "workspace_id", "id"),
    # One for each filter, in the order of the list.
    Index("audit_entry_actor_idx", "workspace_id", "actor", "id"),
    Index("audit_entry_key_idx", "workspace_id", "key_id", "id"),
    # By pattern, so that one noun is a range of it in whatever collation the database has.
    Index("audit_entry_action_idx", "workspace_id", "action", "id", postgresql_ops={"action": "text_pattern_ops"}),
    Index("audit_entry_subject_idx", "workspace_id", "subject_id", "id"),
    Index("audit_entry_address_idx", "workspace_id", "address", "id"),
)
