"""What a database has to say against a `store` step when its definition is saved."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from weft.domain.errors import ErrorCode, Problem
from weft.domain.outside import Column, ColumnKind, Datastores, TableFacts
from weft.domain.step import Fail, Retry
from weft.kit.schema_shape import Schema, json_types
from weft.kit.suggest import hint_for

_TAKES: Mapping[ColumnKind, frozenset[str]] = {
    ColumnKind.BOOLEAN: frozenset({"boolean"}),
    ColumnKind.INTEGER: frozenset({"integer", "number"}),
    ColumnKind.NUMBER: frozenset({"integer", "number", "string"}),
    ColumnKind.TEXT: frozenset({"string"}),
    ColumnKind.DATE: frozenset({"string"}),
    ColumnKind.TIME: frozenset({"string"}),
    ColumnKind.DATETIME: frozenset({"string"}),
    ColumnKind.UUID: frozenset({"string"}),
    ColumnKind.BINARY: frozenset({"string"}),
}
"""JSON types, as far as the type alone decides. Texts of numbers are exact decimals."""
_MENDS = {
    ColumnKind.TEXT: "Write it as text: string(…)",
    ColumnKind.INTEGER: "Make it a whole number: int(…)",
    ColumnKind.NUMBER: "Make it a number: double(…)",
}


@dataclass(frozen=True, slots=True)
class Writing:
    """What a step is going to write, as far as it is known when it is saved."""

    datastore: str
    table: str
    key: tuple[str, ...]
    """Upsert by these; empty for an insert."""
    types: Mapping[str, Schema]
    """What is known of the values, by column."""
    mapped: bool
    """Whether `types` has all columns: without a mapping the input may have others."""


async def problems_of(writing: Writing, datastores: Datastores) -> Sequence[Problem]:
    try:
        facts = await datastores.table(writing.datastore, writing.table)
        tables: Sequence[str] = () if facts is not None else await datastores.tables(writing.datastore)
    except Fail as fail:
        unknown = fail.code == "DATASTORE_UNKNOWN"
        code = ErrorCode.UNKNOWN_REFERENCE if unknown else ErrorCode.INVALID_CONFIG
        return [Problem(code, fail.reason, ("datastore",))]
    except Retry as retry:
        message = f"The datastore {writing.datastore!r} cannot be asked now: {retry.reason}"
        return [Problem(ErrorCode.INVALID_CONFIG, message, ("datastore",), hint="Try again, or test the datastore.")]
    if facts is None:
        hint = hint_for(writing.table, tables)
        message = f"There is no table {writing.table!r} in the datastore {writing.datastore!r}{hint}."
        return [Problem(ErrorCode.UNKNOWN_REFERENCE, message, ("table",))]
    return [*_columns(writing, facts), *_left_out(writing, facts), *_keys(writing, facts)]


def _columns(writing: Writing, facts: TableFacts) -> Iterable[Problem]:
    known = {column.name: column for column in facts.columns}
    for name, schema in writing.types.items():
        path = ("mapping", name) if writing.mapped else ("table",)
        column = known.get(name)
        if column is None:
            message = f"The table {writing.table!r} has no column {name!r}{hint_for(name, known)}."
            yield Problem(ErrorCode.UNKNOWN_REFERENCE, message, path)
        elif (mismatch := _mismatch(column, schema)) is not None:
            yield Problem(ErrorCode.TYPE_MISMATCH, mismatch, path, hint=_MENDS.get(column.kind))


def _mismatch(column: Column, schema: Schema) -> str | None:
    types, takes = json_types(schema, schema), _TAKES.get(column.kind)
    if types is None or takes is None or types & takes:
        return None
    if not types - {"null"}:
        return None if column.nullable else f"The column {column.name!r} is never null, and this always is."
    given = " or ".join(sorted(types))
    return f"The column {column.name!r} ({column.type_name}) does not take what this gives: {given}."


def _left_out(writing: Writing, facts: TableFacts) -> Iterable[Problem]:
    """Only with a mapping: what the input may have beyond its schema is not known."""
    if not writing.mapped:
        return
    for column in facts.columns:
        if column.name not in writing.types and not column.nullable and not column.has_default:
            message = f"The column {column.name!r} is never null and has no default, and nothing is written into it."
            yield Problem(
                ErrorCode.INVALID_CONFIG, message, ("mapping",), hint=f"Add an expression for {column.name!r}."
            )


def _keys(writing: Writing, facts: TableFacts) -> Iterable[Problem]:
    known = {column.name for column in facts.columns}
    unknown = [(number, name) for number, name in enumerate(writing.key) if name not in known]
    for number, name in unknown:
        message = f"The table {writing.table!r} has no column {name!r}{hint_for(name, known)}."
        yield Problem(ErrorCode.UNKNOWN_REFERENCE, message, ("key", str(number)))
    if writing.key and not unknown and not any(set(key) == set(writing.key) for key in facts.unique_keys):
        keys = "; ".join(", ".join(key) for key in facts.unique_keys)
        hint = f"Its unique keys: {keys}." if keys else "It has no unique key: create one."
        message = f"The columns {', '.join(writing.key)} are no unique key of the table {writing.table!r}."
        yield Problem(ErrorCode.INVALID_CONFIG, message, ("key",), hint=hint)
    if not writing.key and not facts.remembers:
        yield Problem(
            ErrorCode.INVALID_CONFIG,
            "Rows that were inserted are noted in the table weft_stored, which is not there and may not be made.",
            ("mode",),
            hint="Use UPSERT, or create the table, or let the user of the datastore create it.",
        )
