"""Where inbound webhooks come in."""

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, Table, Text

from weft.storage.tables.base import Id, Time, metadata, one_of

# One for each trigger of the type WEBHOOK. The URL stands nowhere: it is made from the trigger's id and the server's key.
webhook_endpoint = Table(
    "webhook_endpoint",
    metadata,
    Column("trigger_id", Id, ForeignKey("trigger.id", ondelete="CASCADE"), primary_key=True),
    Column("workspace_id", Id, ForeignKey("workspace.id"), nullable=False),
    Column("scheme", Text, nullable=False),
    # The secret that calls are signed with, and the one before it while that still counts.
    Column("sealed", LargeBinary, nullable=False),
    Column("previous_sealed", LargeBinary),
    Column("previous_until", Time),
    Column("tolerance_seconds", Integer, nullable=False),
    Column("max_bytes", Integer, nullable=False),
    Column("rate_per_minute", Integer, nullable=False),
    one_of("scheme", "STANDARD", "GITHUB", "SLACK", "STRIPE"),
)
