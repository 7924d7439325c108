"""How large values are: those of the data, and of literals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, TypeAlias, cast

import orjson

from weft.kit.cel.formulas import Formula, constant, either, total
from weft.kit.cel.references import Path

POINTER = 16.0
FIXED = 32.0
"""A number, a time, a truth value."""


@dataclass(frozen=True, slots=True)
class Measure:
    """Upper bounds of a value: its bytes, the length of the list or map it is, and of those it holds at any depth."""

    size: Formula
    length: float = inf
    inner: float = inf
    text: str | None = None
    """The value itself, where it is a text that is known."""

    @property
    def part(self) -> "Measure":
        return Measure(self.size, self.inner, self.inner)


Measures: TypeAlias = Mapping[Path, Measure]

NOTHING = Measure(constant(0), 0, 0)
FIXED_MEASURE = Measure(constant(FIXED), 0, 0)


def assumed(paths: Sequence[Path], size: float, *, text: str | None = None) -> dict[Path, Measure]:
    """Each path as large as this. Two bytes of JSON are the shortest element."""
    return dict.fromkeys(paths, Measure(constant(size), size // 2 + 1, size // 2 + 1, text))


def measured(paths: Sequence[Path], data: Mapping[str, Any]) -> dict[Path, Measure]:
    return {path: _measure(_at(path, data)) for path in paths}


def _at(path: Path, data: Any) -> Any:
    for name in path:
        if not isinstance(data, dict):
            break  # fails when it is evaluated, or is a field of something that was handed over whole
        data = cast("dict[str, Any]", data).get(name)
    return data


def _measure(value: Any) -> Measure:
    length, inner = _lengths(value)
    return Measure(constant(float(len(orjson.dumps(value)))), length, inner, value if isinstance(value, str) else None)


def _lengths(value: Any) -> tuple[int, int]:
    kind = cast("type[Any]", type(value))
    if kind is not dict and kind is not list:
        return 0, 0
    parts: list[Any] = value if kind is list else list(value.values())
    return len(parts), max(
        (max(_lengths(part)) for part in parts if type(part) is dict or type(part) is list), default=0
    )


def literal(value: Any) -> Measure:
    if isinstance(value, str):
        return Measure(constant(float(len(value.encode()))), 0, 0, value)
    return Measure(constant(float(len(value))), 0, 0) if isinstance(value, bytes) else FIXED_MEASURE


def held(parts: Sequence[Measure], length: int) -> Measure:
    """A list or map written as a literal."""
    size = total(constant(POINTER * (len(parts) + 1)), *(part.size for part in parts))
    return Measure(size, length, max((max(part.length, part.inner) for part in parts), default=0))


def one_of(values: Sequence[Measure]) -> Measure:
    return Measure(
        either(one.size for one in values),
        max((one.length for one in values), default=0),
        max((one.inner for one in values), default=0),
    )
