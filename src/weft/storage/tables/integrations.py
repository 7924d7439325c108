"""Integrations, what is delivered through them, and every attempt at it."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Interval,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSON

from weft.storage.tables.base import Id, Time, metadata, one_of

integration = Table(
    "integration",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, ForeignKey("workspace.id"), nullable=False),
    Column("workflow_id", Id, ForeignKey("workflow.id", ondelete="CASCADE"), index=True),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    Column("config", JSON, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("revision", Integer, nullable=False, server_default="1"),
    Column("created_by", Text, nullable=False),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    Column("updated_at", Time, nullable=False, server_default=func.now()),
    UniqueConstraint("workspace_id", "name"),
    one_of("type", "SLACK", "EMAIL", "WEBHOOK"),
)

# No foreign keys: what was sent stays on record when its run or its integration is deleted.
delivery = Table(
    "delivery",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, nullable=False),
    Column("number", BigInteger, Identity(always=True), nullable=False),
    Column("kind", Text, nullable=False),
    # What goes to one receiver shares a lane: its limits, and nobody else's patience.
    Column("lane", Id, nullable=False),
    Column("integration_id", Id),
    Column("integration_name", Text, nullable=False),
    Column("integration_type", Text),
    Column("run_id", Id),
    Column("ordinal", Integer),
    Column("step_id", Text),
    Column("message", JSON, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("series_start", Integer, nullable=False, server_default="0"),
    Column("next_at", Time),
    Column("token", BigInteger, nullable=False, server_default="0"),
    Column("error_code", Text),
    Column("error", Text),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    Column("finished_at", Time),
    one_of("status", "PENDING", "SENDING", "DELIVERED", "FAILED"),
    Index("delivery_due_idx", "lane", "next_at", postgresql_where=text("status IN ('PENDING', 'SENDING')")),
    Index("delivery_order_idx", "workspace_id", "number"),
    Index("delivery_failed_idx", "workspace_id", "number", postgresql_where=text("status = 'FAILED'")),
    Index("delivery_integration_idx", "integration_id", "number"),
    Index("delivery_run_idx", "run_id", "number"),
    Index("delivery_age_idx", "finished_at", postgresql_where=text("finished_at IS NOT NULL")),
)

delivery_attempt = Table(
    "delivery_attempt",
    metadata,
    Column("delivery_id", Id, ForeignKey("delivery.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("started_at", Time, nullable=False),
    Column("duration", Interval),
    Column("status_code", Integer),
    Column("error_code", Text),
    Column("error", Text),
    Column("excerpt", Text),
)
