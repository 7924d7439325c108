"""The outbox of events."""

from sqlalchemy import Column, Index, Integer, Table, Text, func, text
from sqlalchemy.dialects.postgresql import JSON

from weft.storage.tables.base import Id, Time, metadata

event = Table(
    "event",
    metadata,
    # Rises with time, so it is the order in which events are read.
    Column("id", Id, primary_key=True, server_default=text("uuidv7()")),
    # No foreign key: a flush of a run may write a thousand events, and each would look the workspace up.
    Column("workspace_id", Id, nullable=False),
    Column("name", Text, nullable=False),
    Column("payload", JSON, nullable=False),
    Column("depth", Integer, nullable=False, server_default="0"),
    # Of an inbound webhook: the one trigger that it is for, and the sender's own id of the call.
    Column("trigger_id", Id),
    Column("external_key", Text),
    # Null while it is to be looked at: by the triggers that listened when it was written.
    Column("handled_at", Time),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    Index("event_order_idx", "workspace_id", "id"),
    Index("event_open_idx", "workspace_id", "id", postgresql_where=text("handled_at IS NULL")),
    Index(
        "event_external_key",
        "trigger_id",
        "external_key",
        unique=True,
        postgresql_where=text("external_key IS NOT NULL"),
    ),
)
