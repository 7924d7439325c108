"""A new table in a database elsewhere, with columns that take what the step `store` writes."""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Connection,
    Date,
    DateTime,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    Time,
    Uuid,
)
from sqlalchemy import Column as SqlColumn
from sqlalchemy.types import TypeEngine

from weft.domain.outside import ColumnKind, NewTable
from weft.integrations.sql.reflection import schema_and_name

DIGITS, DECIMALS = 30, 10
"""Of a number: MySQL cuts the decimals off where nothing is said."""
KEY_CHARACTERS = 255
"""Of a text in a key: MySQL takes none without a length."""

_TYPES: dict[ColumnKind, TypeEngine[Any]] = {
    ColumnKind.BOOLEAN: Boolean(),
    ColumnKind.INTEGER: BigInteger(),
    ColumnKind.NUMBER: Numeric(DIGITS, DECIMALS),
    ColumnKind.TEXT: Text(),
    ColumnKind.DATE: Date(),
    ColumnKind.TIME: Time(),
    ColumnKind.DATETIME: DateTime(timezone=True),
    ColumnKind.JSON: JSON(),
    ColumnKind.UUID: Uuid(),
}
MADE_KINDS = tuple(_TYPES)
"""The kinds that a new table may have."""


def create(connection: Connection, new: NewTable) -> None:
    """Raises what the database says, also where there is a table of this name."""
    schema, name = schema_and_name(new.name)
    table = Table(name, MetaData(), schema=schema)
    for column in new.columns:
        in_key = column.name in new.key
        kind = String(KEY_CHARACTERS) if in_key and column.kind is ColumnKind.TEXT else _TYPES[column.kind]
        nullable = column.nullable and not in_key
        table.append_column(SqlColumn(column.name, kind, primary_key=in_key, autoincrement=False, nullable=nullable))
    table.create(connection)
