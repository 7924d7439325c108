"""What starts runs by itself, and every time that it did."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSON

from weft.storage.tables.base import Id, Time, metadata, one_of

# What listens to events: those of the platform and of callers by their name, inbound webhooks by their trigger's id.
trigger = Table(
    "trigger",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, ForeignKey("workspace.id"), nullable=False),
    Column("workflow_id", Id, ForeignKey("workflow.id", ondelete="CASCADE"), nullable=False),
    Column("type", Text, nullable=False),
    Column("name", Text, nullable=False),
    # Null for an inbound webhook.
    Column("event", Text),
    Column("filter", JSON, nullable=False),
    Column("condition", Text),
    # CEL by name; null for all that the event holds.
    Column("input", JSON),
    Column("parameters", JSON),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    # Its place among the triggers of its definition; null for one that was made by itself.
    Column("position", Integer),
    Column("revision", Integer, nullable=False, server_default="1"),
    Column("created_by", Text, nullable=False),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    Column("updated_at", Time, nullable=False, server_default=func.now()),
    UniqueConstraint("workflow_id", "position"),
    one_of("type", "EVENT", "WEBHOOK"),
    Index("trigger_event_idx", "workspace_id", "event", postgresql_where=text("event IS NOT NULL")),
    Index("trigger_order_idx", "workspace_id", "id"),
)

# No foreign keys: what started a run stays on record when its trigger is deleted.
firing = Table(
    "firing",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, nullable=False),
    Column("workflow_id", Id, nullable=False),
    Column("trigger_type", Text, nullable=False),
    # Of a trigger or of a schedule.
    Column("trigger_id", Id, nullable=False),
    Column("trigger_name", Text, nullable=False),
    Column("event_id", Id),
    Column("slot_at", Time),
    Column("outcome", Text, nullable=False),
    Column("run_id", Id),
    Column("reason", Text),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    one_of("outcome", "STARTED", "QUEUED", "SKIPPED", "REFUSED", "CUT"),
    # An event starts a workflow once, however many of its triggers match, and a slot of a schedule once.
    Index("firing_event_key", "event_id", "workflow_id", unique=True, postgresql_where=text("event_id IS NOT NULL")),
    Index("firing_slot_key", "trigger_id", "slot_at", unique=True, postgresql_where=text("slot_at IS NOT NULL")),
    Index("firing_order_idx", "workspace_id", "id"),
    Index("firing_workflow_idx", "workflow_id", "id"),
    Index("firing_trigger_idx", "trigger_id", "id"),
)
