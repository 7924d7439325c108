"""Model providers."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, LargeBinary, Table, Text, UniqueConstraint, func

from weft.storage.tables.base import Id, Time, metadata, one_of

model_provider = Table(
    "model_provider",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, ForeignKey("workspace.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("base_url", Text, nullable=False),
    Column("sealed_key", LargeBinary),
    Column("requests_per_minute", Integer),
    Column("tokens_per_minute", Integer),
    Column("concurrency", Integer),
    Column("revision", Integer, nullable=False, server_default="1"),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    Column("updated_at", Time, nullable=False, server_default=func.now()),
    UniqueConstraint("workspace_id", "name"),
    one_of("kind", "OPENAI_COMPATIBLE", "ANTHROPIC"),
    CheckConstraint("requests_per_minute > 0 AND tokens_per_minute > 0 AND concurrency > 0", name="limits"),
)
