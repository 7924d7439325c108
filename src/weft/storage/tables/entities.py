"""Entities, their types, and how they came in."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB

from weft.storage.tables.base import Id, Time, metadata

entity_type = Table(
    "entity_type",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, ForeignKey("workspace.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False, server_default=""),
    Column("schema", JSON, nullable=False),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    Column("updated_at", Time, nullable=False, server_default=func.now()),
    Column("built_in", Boolean, nullable=False, server_default=false()),
    # Whether entities of it may have files: a run over such a type looks for them.
    Column("holds_documents", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("workspace_id", "name"),
)

entity = Table(
    "entity",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, nullable=False),
    # No foreign key: checking it takes a quarter of the time of an import. Whoever adds entities holds their type
    # (`entity_types.hold_type`), and a type that has entities is not deleted.
    Column("entity_type_id", Id, nullable=False),
    Column("external_id", Text),
    Column("data", JSONB, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("published_at", Time),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    Column("updated_at", Time, nullable=False, server_default=func.now()),
    Index("entity_type_order_idx", "entity_type_id", "id"),
    Index(
        "entity_external_id_key",
        "entity_type_id",
        "external_id",
        unique=True,
        postgresql_where=text("external_id IS NOT NULL"),
    ),
)

# `import` is a word of Python, hence the longer name here.
entity_import = Table(
    "entity_import",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, ForeignKey("workspace.id"), nullable=False),
    Column("entity_type_id", Id, ForeignKey("entity_type.id"), nullable=False),
    Column("format", Text, nullable=False),
    Column("on_conflict", Text, nullable=False),
    Column("external_id_field", Text),
    Column("status", Text, nullable=False),
    Column("rows_read", BigInteger, nullable=False, server_default="0"),
    Column("created", BigInteger, nullable=False, server_default="0"),
    Column("updated", BigInteger, nullable=False, server_default="0"),
    Column("skipped", BigInteger, nullable=False, server_default="0"),
    Column("failed", BigInteger, nullable=False, server_default="0"),
    Column("bytes_read", BigInteger, nullable=False, server_default="0"),
    Column("revision", BigInteger, nullable=False, server_default="0"),
    Column("error", Text),
    Column("upload_digest", LargeBinary, nullable=False),
    Column("upload_expires_at", Time, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    Column("started_at", Time),
    Column("updated_at", Time, nullable=False, server_default=func.now()),
    Column("finished_at", Time),
    Index("entity_import_order_idx", "workspace_id", "id"),
)

import_error = Table(
    "import_error",
    metadata,
    Column("import_id", Id, ForeignKey("entity_import.id", ondelete="CASCADE"), primary_key=True),
    Column("line", BigInteger, primary_key=True),
    Column("code", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("path", ARRAY(Text), nullable=False),
    Column("excerpt", Text, nullable=False),
)
