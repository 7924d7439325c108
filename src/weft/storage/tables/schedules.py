"""Schedules: what starts a workflow at times of the clock."""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSON

from weft.storage.tables.base import Id, Time, metadata, one_of

schedule = Table(
    "schedule",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, ForeignKey("workspace.id"), nullable=False),
    Column("workflow_id", Id, ForeignKey("workflow.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("cron_expression", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("selection", JSON, nullable=False),
    Column("input", JSON),
    Column("parameters", JSON, nullable=False),
    Column("overlap", Text, nullable=False),
    Column("catch_up", Text, nullable=False),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    # The first slot that nobody looked at; null while it is disabled.
    Column("next_at", Time),
    Column("last_slot_at", Time),
    Column("last_run_at", Time),
    # Slots whose runs wait, oldest first, and the run whose end they wait for.
    Column("queue", ARRAY(Time), nullable=False, server_default=text("'{}'")),
    Column("waits_for", Id),
    Column("revision", Integer, nullable=False, server_default="1"),
    Column("created_by", Text, nullable=False),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    Column("updated_at", Time, nullable=False, server_default=func.now()),
    one_of("overlap", "SKIP", "QUEUE", "ALLOW"),
    one_of("catch_up", "NONE", "LAST", "ALL"),
    CheckConstraint("(waits_for IS NULL) = (cardinality(queue) = 0)", name="waiting"),
    # Both are asked every second by every worker, for all workspaces.
    Index("schedule_due_idx", "next_at", postgresql_where=text("next_at IS NOT NULL")),
    Index("schedule_waiting_idx", "waits_for", postgresql_where=text("waits_for IS NOT NULL")),
    Index("schedule_order_idx", "workspace_id", "id"),
    Index("schedule_workflow_idx", "workflow_id", "id"),
)
