"""Filters: fields of an event that have to have certain values, all of them.

A field is a dotted path into the payload. A name that is not at the top is looked for in the payload's `fields`, the free
ones of a document. `mime_type` and `mimeType` mean the same, in the filter and in the event. Where the event has a list, one of
its entries has to match.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from weft.domain.spelling.fields import snake
from weft.domain.spelling.trigger_filters import is_mime_field

_MISSING = object()


@dataclass(frozen=True, slots=True)
class _Field:
    """One entry of a filter: where to look, each name in all its spellings, and what has to be there."""

    names: tuple[tuple[str, ...], ...]
    fits: Callable[[Any], bool]

    def holds(self, payload: Any) -> bool:
        found = _follow(payload, self.names)
        if found is _MISSING and type(payload) is dict:
            found = _follow(cast("dict[str, Any]", payload).get("fields"), self.names)
        value: Any = None if found is _MISSING else found
        if type(value) is list:
            return any(map(self.fits, cast("list[Any]", value)))
        return self.fits(value)


class EventFilter:
    """A filter in its canonical spelling, ready to be asked."""

    def __init__(self, written: Mapping[str, Any]) -> None:
        self._fields = [_Field(_names(field), _fits(field, wanted)) for field, wanted in written.items()]

    def lets_through(self, *payloads: Any) -> bool:
        """Each field may stand in any of these payloads."""
        for field in self._fields:
            for payload in payloads:
                if field.holds(payload):
                    break
            else:
                return False
        return True


def _names(field: str) -> tuple[tuple[str, ...], ...]:
    return tuple(_spellings(name) for name in field.split("."))


def _spellings(name: str) -> tuple[str, ...]:
    camel = re.sub(r"(?<=.)_([a-zA-Z0-9])", lambda found: found[1].upper(), name)
    return tuple(dict.fromkeys((name, camel, snake(name))))


def _follow(value: Any, names: Sequence[tuple[str, ...]]) -> Any:
    for spellings in names:
        if type(value) is not dict:
            return _MISSING
        fields = cast("dict[str, Any]", value)
        for name in spellings:
            if name in fields:
                value = fields[name]
                break
        else:
            return _MISSING
    return value


def _fits(field: str, wanted: Any) -> Callable[[Any], bool]:
    values = cast("list[Any]", wanted) if isinstance(wanted, list) else [wanted]
    if is_mime_field(field):
        return _mime_test([value.strip().lower() for value in values if isinstance(value, str)])
    texts = frozenset(value for value in values if isinstance(value, str))
    others = [value for value in values if not isinstance(value, str)]
    return lambda value: value in texts if isinstance(value, str) else any(_same(value, one) for one in others)


def _mime_test(patterns: Sequence[str]) -> Callable[[Any], bool]:
    """Types have no case, and what follows a semicolon is no part of them."""
    everything = not {"*", "*/*"}.isdisjoint(patterns)
    families = tuple(pattern[:-1] for pattern in patterns if pattern.endswith("/*"))
    types = frozenset(patterns)

    def test(value: Any) -> bool:
        if not isinstance(value, str):
            return False
        kind = value.partition(";")[0].strip().lower()
        return everything or kind in types or kind.startswith(families)

    return test


def _same(one: Any, other: Any) -> bool:
    """As JSON has it: true is not 1, and 1 is 1.0."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return one == other
