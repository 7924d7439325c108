"""The columns and keys of a table, as its database tells them."""

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import Connection, Inspector, inspect, text, types
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import NoSuchTableError

from weft.domain.outside import Column, ColumnKind, TableFacts
from weft.integrations.sql.marks import MARKS

MOST_TABLES = 200

# The first that fits: a boolean is an integer elsewhere, a JSON column a text.
_KINDS: tuple[tuple[type[Any], ColumnKind], ...] = (
    (types.Boolean, ColumnKind.BOOLEAN),
    (types.Integer, ColumnKind.INTEGER),
    (mysql.YEAR, ColumnKind.INTEGER),
    (types.Numeric, ColumnKind.NUMBER),
    (types.Uuid, ColumnKind.UUID),
    (types.JSON, ColumnKind.JSON),
    (mysql.SET, ColumnKind.OTHER),
    (types.String, ColumnKind.TEXT),
    (types.DateTime, ColumnKind.DATETIME),
    (types.Date, ColumnKind.DATE),
    (types.Time, ColumnKind.TIME),
    (types.LargeBinary, ColumnKind.BINARY),
    (types._Binary, ColumnKind.BINARY),  # noqa: SLF001 - the only name of what BINARY and VARBINARY have in common
)


def schema_and_name(table: str) -> tuple[str | None, str]:
    schema, _, name = table.rpartition(".")
    return schema or None, name


def table_names(connection: Connection) -> list[str]:
    found = [name for name in sorted(inspect(connection).get_table_names()) if name != MARKS]
    return found[:MOST_TABLES]


def facts_of(connection: Connection, table: str) -> TableFacts | None:
    schema, name = schema_and_name(table)
    inspector = inspect(connection)
    try:
        columns = inspector.get_columns(name, schema)
    except NoSuchTableError:
        return None
    checks = _checks(connection, schema, name)
    primary = tuple(inspector.get_pk_constraint(name, schema)["constrained_columns"])
    return TableFacts(
        columns=tuple(_column(column, primary, checks, connection.dialect.name) for column in columns),
        unique_keys=tuple(dict.fromkeys(key for key in (primary, *_unique_keys(inspector, schema, name)) if key)),
        remembers=_remembers(connection, inspector, schema),
    )


def _column(column: Any, primary: Sequence[str], checks: str, dialect: str) -> Column:
    rowid = dialect == "sqlite" and primary == (column["name"],) and isinstance(column["type"], types.Integer)
    filled = (
        column.get("default") is not None
        or column.get("identity") is not None
        or column.get("computed") is not None
        or column.get("autoincrement") is True
        or rowid
    )
    return Column(
        name=str(column["name"]),
        # MariaDB's JSON is a long text with a check.
        kind=ColumnKind.JSON if f"json_valid(`{column['name'].lower()}`)" in checks else _kind(column["type"]),
        type_name=_type_name(column["type"]),
        nullable=bool(column["nullable"]),
        has_default=filled,
    )


def _checks(connection: Connection, schema: str | None, name: str) -> str:
    """The conditions on the columns of a table of MariaDB."""
    if not getattr(connection.dialect, "is_mariadb", False):
        return ""
    question = (
        "SELECT lower(check_clause) FROM information_schema.check_constraints "
        "WHERE constraint_schema = coalesce(:schema, database()) AND table_name = :name"
    )
    return " ".join(connection.execute(text(question), {"schema": schema, "name": name}).scalars())


def _kind(kind: Any) -> ColumnKind:
    if isinstance(kind, mysql.TINYINT) and kind.display_width == 1:
        return ColumnKind.BOOLEAN
    return next((found for known, found in _KINDS if isinstance(kind, known)), ColumnKind.OTHER)


def _type_name(kind: Any) -> str:
    try:
        return str(kind).lower()
    except Exception:  # noqa: BLE001 - a type without a spelling of its own, such as one of an extension
        return type(kind).__name__.lower()


def _unique_keys(inspector: Inspector, schema: str | None, name: str) -> list[tuple[str, ...]]:
    constraints = [tuple(found["column_names"]) for found in inspector.get_unique_constraints(name, schema)]
    indexes: list[tuple[str, ...]] = []
    for index in inspector.get_indexes(name, schema):
        names = index["column_names"]
        options = index.get("dialect_options", {})
        partial = any(option.endswith("_where") and value is not None for option, value in options.items())
        if index["unique"] and None not in names and not partial:
            indexes.append(tuple(cast("list[str]", names)))
    return [*constraints, *indexes]


def _remembers(connection: Connection, inspector: Inspector, schema: str | None) -> bool:
    """Whether the table of marks is there, or may be made."""
    if inspector.has_table(MARKS, schema):
        return True
    match connection.dialect.name:
        case "postgresql":
            question = "SELECT has_schema_privilege(coalesce(:schema, current_schema()), 'CREATE')"
            return bool(connection.execute(text(question), {"schema": schema}).scalar())
        case "mysql" | "mariadb":
            question = (
                "SELECT EXISTS (SELECT 1 FROM information_schema.user_privileges WHERE privilege_type = 'CREATE') OR EXISTS "
                "(SELECT 1 FROM information_schema.schema_privileges WHERE privilege_type = 'CREATE' "
                "AND coalesce(:schema, database()) LIKE table_schema)"
            )
            return bool(connection.execute(text(question), {"schema": schema}).scalar())
        case _:
            return True
