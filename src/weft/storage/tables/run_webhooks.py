"""Who is told by webhook how a run goes on."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Table, Text, text

from weft.storage.tables.base import Id, Time, metadata, one_of

run_webhook = Table(
    "run_webhook",
    metadata,
    # With the run goes the secret.
    Column("run_id", Id, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
    Column("workspace_id", Id, nullable=False),
    # URL and secret: URLs hold tokens.
    Column("sealed", LargeBinary, nullable=False),
    Column("host", Text, nullable=False),
    # What all runs of the workspace that tell this host share.
    Column("lane", Id, nullable=False),
    # What the newest message was about, which state it told, when it was made, and which it is; null before the first.
    Column("told", Text),
    Column("told_revision", BigInteger),
    Column("told_at", Time),
    Column("delivery_id", Id),
    one_of("told", "STARTED", "PROGRESS", "ENDED"),
    Index("run_webhook_open_idx", "run_id", postgresql_where=text("told IS DISTINCT FROM 'ENDED'")),
    postgresql_with={"fillfactor": "70"},
)
