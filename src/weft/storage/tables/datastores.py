"""Databases elsewhere that steps write into."""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, UniqueConstraint, func

from weft.storage.tables.base import Id, Time, metadata, one_of

datastore = Table(
    "datastore",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, ForeignKey("workspace.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("host", Text),
    Column("port", Integer),
    Column("database", Text),
    Column("user", Text),
    Column("tls", Text),
    Column("file", Text),
    # Sealed with the identity of this row (`auth.secrets`).
    Column("password", LargeBinary),
    Column("revision", Integer, nullable=False, server_default="1"),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    Column("updated_at", Time, nullable=False, server_default=func.now()),
    UniqueConstraint("workspace_id", "name"),
    Index("datastore_order_idx", "workspace_id", "id"),
    one_of("kind", "POSTGRESQL", "MYSQL", "SQLITE"),
)
