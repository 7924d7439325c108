"""Named values as JSON in bounded size, whatever they are: for what people read and no program relies on.

Nothing that is handed in can make it fail. What is no JSON is shown as text, and what is too large is left out by name.
"""

from collections.abc import Mapping
from itertools import islice
from typing import Any, cast

import orjson

from weft.kit.json import dump_bytes
from weft.kit.storable import NUL_AS_JSON, storable

LEFT_OUT = "leftOut"
"""The field that names those that are not there."""
MOST_NAMED = 20
NAME_LENGTH = 100
TEXT_LENGTH = 1_000
"""Of what is shown as text because it is no JSON."""
MOST_DEEP = 20
MOST_PARTS = 10_000
LARGEST_INTEGER = 2**63 - 1


def bounded_fields(fields: Mapping[str, Any], most_bytes: int) -> str:
    """JSON text of an object that PostgreSQL can store, and every reader of JSON can read."""
    if not fields:
        return "{}"
    written = _written(fields)
    return (written if len(written) <= most_bytes else _shortened(fields, most_bytes)).decode()


def _written(value: Any) -> bytes:
    try:
        written = orjson.dumps(value, _in_text, orjson.OPT_NON_STR_KEYS)
    except (TypeError, RecursionError):  # orjson's own errors are TypeErrors
        return dump_bytes(_Plain().value(value, MOST_DEEP))
    return dump_bytes(_Plain().value(value, MOST_DEEP)) if NUL_AS_JSON in written else written


def _in_text(value: object) -> str:
    try:
        text = repr(value) if isinstance(value, BaseException) else str(value)
    except Exception as error:  # noqa: BLE001 - whatever it is, it was to be shown and not to break anything
        text = f"({type(value).__name__}, which cannot be shown: {type(error).__name__})"
    return storable(text if len(text) <= TEXT_LENGTH else f"{text[:TEXT_LENGTH]}…")


class _Plain:
    """The same value in nothing but what JSON has, for the few that orjson refuses."""

    def __init__(self) -> None:
        self._parts = 0

    def value(self, value: Any, deep: int) -> Any:
        self._parts += 1
        match value:
            case None | bool() | float():
                return value
            case int():
                return value if abs(value) <= LARGEST_INTEGER else _large(value)
            case str():
                return storable(value)
            case dict() if deep and self._parts <= MOST_PARTS:
                found = cast("dict[Any, Any]", value)
                return {_name(key): self.value(part, deep - 1) for key, part in islice(found.items(), MOST_PARTS)}
            case list() | tuple() | set() | frozenset() if deep and self._parts <= MOST_PARTS:
                return [self.value(part, deep - 1) for part in islice(cast("list[Any]", value), MOST_PARTS)]
            case dict() | list() | tuple() | set() | frozenset():
                return "…"
            case _:
                return _in_text(value)


def _large(value: int) -> str:
    # A number of thousands of digits takes its time to be written, and Python refuses it.
    return str(value) if value.bit_length() <= TEXT_LENGTH else f"(an integer of {value.bit_length():,} bits)"


def _name(key: object) -> str:
    return storable(key) if isinstance(key, str) else _in_text(key)


def _shortened(fields: Mapping[str, Any], most_bytes: int) -> bytes:
    kept: dict[str, Any] = {}
    left_out: list[str] = []
    size = MOST_NAMED * NAME_LENGTH
    for name, value in fields.items():
        part = _written({name: value})
        if size + len(part) <= most_bytes:
            kept |= orjson.loads(part)
            size += len(part)
        elif len(left_out) < MOST_NAMED:
            left_out.append(storable(name[:NAME_LENGTH]))
    return dump_bytes({**kept, LEFT_OUT: left_out})
