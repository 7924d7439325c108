"""The columns of a CSV file: texts in, values of the schema's types out."""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from weft.domain.entity import JsonSchema
from weft.domain.errors import ErrorCode, Problem
from weft.kit.schema_shape import declared_properties, json_types, property_of
from weft.kit.suggest import hint_for
from weft.operations.import_files import UnusableFile
from weft.operations.records import RefusedRecord, refuse

Conversion = Callable[[str], Any]

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}(\.0+)?")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_NOTHING = object()
"""What an empty cell is where the schema allows neither null nor an empty text: the field is left out."""


class Columns:
    """Raises UnusableFile when the header does not fit the type."""

    def __init__(self, names: Sequence[str], schema: JsonSchema, external_id_field: str | None) -> None:
        self._names = [name.strip() for name in names]
        self._external_id = _checked_header(self._names, schema, external_id_field)
        beside = self._external_id is not None and not _is_declared(schema, self._names[self._external_id])
        self._beside = self._external_id if beside else None
        self._conversions = [
            (name, conversion)
            for at, name in enumerate(self._names)
            if at != self._beside and (conversion := conversion_for(property_types(schema, name))) is not None
        ]

    def to_record(self, cells: list[str]) -> tuple[dict[str, Any], str | None]:
        """The record, and the external id where it is no field of it. Raises RefusedRecord."""
        if len(cells) != len(self._names):
            raise refuse(f"The row has {len(cells)} fields, the header {len(self._names)}.")
        record: dict[str, Any] = dict(zip(self._names, cells, strict=True))
        external_id = None if self._external_id is None else cells[self._external_id]
        if self._beside is not None:
            del record[self._names[self._beside]]
        problems: list[Problem] = []
        for name, conversion in self._conversions:
            try:
                value = conversion(record[name])
            except ValueError as error:
                problems.append(Problem(ErrorCode.TYPE_MISMATCH, f"{name}: {error}", (name,)))
                continue
            if value is _NOTHING:
                del record[name]
            else:
                record[name] = value
        if problems:
            raise RefusedRecord(*problems)
        return record, external_id


def _checked_header(names: Sequence[str], schema: JsonSchema, external_id_field: str | None) -> int | None:
    """The place of the external id's column."""
    if any(not name for name in names):
        raise UnusableFile(f"Column {names.index('') + 1} of the header has no name.")
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise UnusableFile(f"The header names these columns more than once: {_listed(twice)}.")
    if external_id_field is not None and external_id_field not in names:
        hint = hint_for(external_id_field, names)
        raise UnusableFile(f"The header has no column {external_id_field!r}, which is to hold the external id{hint}.")
    declared = declared_properties(schema)
    unknown = [name for name in names if name != external_id_field and not _is_declared(schema, name)]
    if unknown:
        hints = [f"{name!r}{hint_for(name, declared)}" for name in unknown[:10]]
        raise UnusableFile(
            f"The file has columns that the schema of the entity type knows nothing of: {', '.join(hints)}. "
            "Take them out, or declare them in the schema; a column's type is what its texts are read by."
        )
    missing = [name for name in schema.get("required", ()) if name not in names]
    if missing:
        raise UnusableFile(f"The header lacks columns that every record must have: {_listed(missing)}.")
    return None if external_id_field is None else names.index(external_id_field)


def _is_declared(schema: JsonSchema, name: str) -> bool:
    return property_of(schema, schema, name).declared


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names[:10])


def property_types(schema: JsonSchema, name: str) -> frozenset[str] | None:
    return json_types(property_of(schema, schema, name).schema, schema)


def conversion_for(types: frozenset[str] | None) -> Conversion | None:
    """From the text of a cell to a value of one of the types; None where the text is the value already."""
    if types is None or types == frozenset({"string"}):
        return None
    attempts = [convert for name, convert in _BY_TYPE if name in types]
    empty = None if "null" in types else "" if "string" in types else _NOTHING
    expected = " or ".join(_WORDS[name] for name, _ in _BY_TYPE if name in types) or "empty"

    def convert(text: str) -> Any:
        if not text:
            return empty
        for attempt in attempts:
            if (value := attempt(text)) is not _NOTHING:
                return value
        shown = text if len(text) <= 40 else f"{text[:40]}…"  # noqa: PLR2004 - enough to recognise the cell by
        raise ValueError(f"{shown!r} is not {expected}")

    return convert


def _integer(text: str) -> Any:
    text = text.strip()
    return int(text.partition(".")[0]) if _INTEGER.fullmatch(text) else _NOTHING


def _number(text: str) -> Any:
    text = text.strip()
    value = float(text) if _NUMBER.fullmatch(text) else math.inf
    return value if math.isfinite(value) else _NOTHING


def _boolean(text: str) -> Any:
    return _TRUTHS.get(text.strip().lower(), _NOTHING)


def _json(kind: type) -> Conversion:
    def convert(text: str) -> Any:
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            return _NOTHING
        return value if isinstance(value, kind) else _NOTHING

    return convert


# In this order: a text always fits, so it is the last thing a cell is taken for.
_BY_TYPE: tuple[tuple[str, Conversion], ...] = (
    ("integer", _integer),
    ("number", _number),
    ("boolean", _boolean),
    ("object", _json(dict)),
    ("array", _json(list)),
    ("string", str),
)
_WORDS = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a JSON object",
    "array": "a JSON list",
    "string": "a text",
}
