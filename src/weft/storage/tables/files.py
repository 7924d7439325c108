"""Files, how they came in, and the documents that have them."""

from sqlalchemy import BigInteger, Column, ForeignKey, ForeignKeyConstraint, Index, Table, Text, func, text

from weft.storage.tables.base import Id, Time, metadata

# A row stands before its object is put into the store, so no object lies there that no row knows of.
file = Table(
    "file",
    metadata,
    Column("workspace_id", Id, ForeignKey("workspace.id"), primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("mime_type", Text, nullable=False),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    # Null until the object is in the store.
    Column("stored_at", Time),
)

# Counted along, since counting a million files for each new one takes too long.
file_total = Table(
    "file_total",
    metadata,
    Column("workspace_id", Id, ForeignKey("workspace.id"), primary_key=True),
    Column("files", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
)

upload = Table(
    "upload",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, ForeignKey("workspace.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("declared_size", BigInteger),
    Column("declared_sha256", Text),
    Column("size", BigInteger),
    Column("sha256", Text),
    Column("received_at", Time),
    Column("document_id", Id),
    Column("expires_at", Time, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    Index("upload_order_idx", "workspace_id", "id"),
    Index("upload_content_idx", "workspace_id", "sha256", postgresql_where=text("sha256 IS NOT NULL")),
)

# Which file an entity has. Apart from the entity's data, which people and steps write: whatever they put there, the file
# of a document stays its own. No foreign key to the entity: deleting a million of them would look here a million times.
document = Table(
    "document",
    metadata,
    Column("entity_id", Id, primary_key=True),
    Column("workspace_id", Id, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("mime_type", Text, nullable=False),
    ForeignKeyConstraint(["workspace_id", "sha256"], ["file.workspace_id", "file.sha256"], name="document_file_fkey"),
    Index("document_content_idx", "workspace_id", "sha256"),
)
