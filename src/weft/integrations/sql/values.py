"""JSON values as a column takes them, or why it does not. Nothing is cut off, rounded or guessed.

Into PostgreSQL rows go as JSON text, which the server reads by the types of its columns; to other drivers as their own
objects. What decides is the same for all: the kind of the column.
"""

import base64
import binascii
import math
import re
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, cast

from weft.domain.datastore import DatastoreKind
from weft.domain.outside import Column, ColumnKind
from weft.kit.json import dumps, in_words

Convert = Callable[[Any], Any]
_DECIMAL = re.compile(r"[+-]?(\d{1,1000})(\.\d{1,1000})?([eE][+-]?\d{1,3})?")
_LARGEST_INTEGER = 2**63


class ValueRefusedError(Exception):
    """The value does not fit its column; the message says why, without the value."""


def converter(column: Column, database: DatastoreKind) -> Convert:
    """From a JSON value that is not null. Raises ValueRefusedError."""
    convert = _CONVERTERS[column.kind]
    finish = _FINISH[database].get(column.kind)
    if column.kind is ColumnKind.DATETIME:
        keeps_zone = database is DatastoreKind.POSTGRESQL and ("with time zone" in column.type_name or column.type_name.startswith("timestamptz"))  # fmt: skip
        finish = _datetime_finish(database, keeps_zone=keeps_zone)
    if finish is None:
        return convert

    def converted(value: Any) -> Any:
        return finish(convert(value))

    return converted


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise _wrong(value, "true or false")


def _integer(value: Any) -> int:
    kind = cast("type[Any]", type(value))
    if kind is int or (kind is float and value.is_integer()):
        number = int(value)
        if -_LARGEST_INTEGER <= number < _LARGEST_INTEGER:
            return number
        raise ValueRefusedError("is too large for an integer of 64 bits")
    raise _wrong(value, "a whole number")


def _number(value: Any) -> Any:
    """A text of digits is exact: money need not go through binary fractions."""
    kind = cast("type[Any]", type(value))
    if kind is int:
        return value if -_LARGEST_INTEGER <= value < _LARGEST_INTEGER else Decimal(value)
    if kind is float and math.isfinite(value):
        return value
    if kind is str and _DECIMAL.fullmatch(value):
        return Decimal(value)
    raise _wrong(value, "a number")


def _text(value: Any) -> str:
    if type(value) is not str:
        raise _wrong(value, "text")
    if "\0" in value:
        raise ValueRefusedError("holds the character NUL, which no text column takes")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueRefusedError("holds half of a character (a lone surrogate)") from None
    return value


def _parsed(read: Callable[[str], Any], wanted: str) -> Convert:
    def parse(value: Any) -> Any:
        try:
            return read(value)
        except (TypeError, ValueError):
            raise _wrong(value, wanted) from None

    return parse


def _json(value: Any) -> Any:
    return value


def _binary(value: Any) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise _wrong(value, "base64") from None


def _wrong(value: Any, wanted: str) -> ValueRefusedError:
    return ValueRefusedError(f"takes {wanted}, and the value is {in_words(value)}" + (" of another form" if isinstance(value, str) else ""))  # fmt: skip


_CONVERTERS: dict[ColumnKind, Convert] = {
    ColumnKind.BOOLEAN: _boolean,
    ColumnKind.INTEGER: _integer,
    ColumnKind.NUMBER: _number,
    ColumnKind.TEXT: _text,
    ColumnKind.DATE: _parsed(date.fromisoformat, "a date (2026-12-31)"),
    ColumnKind.TIME: _parsed(time.fromisoformat, "a time (23:59:59)"),
    ColumnKind.DATETIME: _parsed(datetime.fromisoformat, "a date and time (2026-12-31T23:59:59Z)"),
    ColumnKind.JSON: _json,
    ColumnKind.UUID: _parsed(uuid.UUID, "a UUID"),
    ColumnKind.BINARY: _binary,
    ColumnKind.OTHER: _json,
}


def _datetime_finish(database: DatastoreKind, *, keeps_zone: bool) -> Convert:
    """A time without a zone is in UTC. Columns without a zone hold UTC."""

    def finish(value: datetime) -> Any:
        try:
            moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        except OverflowError as error:
            raise ValueRefusedError("takes times from the year 1 to 9999, in UTC") from error
        moment = moment if keeps_zone else moment.replace(tzinfo=None)
        match database:
            case DatastoreKind.POSTGRESQL:
                return moment.isoformat()
            case DatastoreKind.SQLITE:
                return moment.isoformat(" ")
            case DatastoreKind.MYSQL:
                return moment

    return finish


def _iso(value: Any) -> str:
    return value.isoformat()


def _scalar(value: Any) -> Any:
    if isinstance(value, (dict, list)):
        return dumps(cast("Any", value))
    return value


def _exact_text(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


def _hex(value: bytes) -> str:
    return f"\\x{value.hex()}"


_FINISH: dict[DatastoreKind, dict[ColumnKind, Convert]] = {
    DatastoreKind.POSTGRESQL: {
        ColumnKind.NUMBER: _exact_text,
        ColumnKind.DATE: _iso,
        ColumnKind.TIME: _iso,
        ColumnKind.UUID: str,
        ColumnKind.BINARY: _hex,
    },
    DatastoreKind.MYSQL: {ColumnKind.JSON: dumps, ColumnKind.UUID: str, ColumnKind.OTHER: _scalar},
    DatastoreKind.SQLITE: {
        ColumnKind.NUMBER: _exact_text,
        ColumnKind.DATE: _iso,
        ColumnKind.TIME: _iso,
        ColumnKind.JSON: dumps,
        ColumnKind.UUID: str,
        ColumnKind.OTHER: _scalar,
    },
}
