"""Values for arguments: what fits their types, and sometimes what does not."""

import random
from dataclasses import dataclass
from typing import Any, cast

from fuzzing.pool import NUMBERS, TEXTS, Pool
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    is_required_input_field,
)

DEEPEST = 5
ODD: tuple[Any, ...] = (None, *TEXTS[:6], *NUMBERS, [], {}, {"a": 1}, True, 1.5, [[]])
SCALARS: dict[str, tuple[Any, ...]] = {
    "Boolean": (True, False),
    "Float": (0.0, 1.5, -1.0, 1e308, 3),
    "DateTime": (
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00+02:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "x",
    ),
    "Duration": ("PT1S", "PT0S", "P1D", "PT0.001S", "-PT1S", "P9999Y", "PT1e9S"),
    "Decimal": ("1.50", "0", "-1", "1e400", "NaN", "Infinity", "x"),
    "BigInt": (0, 1, 2**40, 2**63, "7", -1),
    "UUID": ("01a20000-0000-7000-8000-000000000000", "x"),
}


@dataclass
class Values:
    pool: Pool
    chance: random.Random
    odd: float = 0.05
    """How often a value is of a wrong type."""

    def of(self, wanted: object, name: str, depth: int = 0) -> Any:
        """`wanted` is the type of an argument or of an input field."""
        if self.chance.random() < self.odd:
            return self.chance.choice(ODD)
        match wanted:
            case GraphQLNonNull():
                return self._given(cast("Any", wanted).of_type, name, depth)
            case _ if self.chance.random() < 0.15:
                return None
            case _:
                return self._given(wanted, name, depth)

    def _given(self, wanted: object, name: str, depth: int) -> Any:
        match wanted:
            case GraphQLList():
                return [
                    self.of(cast("Any", wanted).of_type, name, depth + 1)
                    for _ in range(self.chance.choice((0, 1, 1, 2, 3)))
                ]
            case GraphQLEnumType():
                return self.chance.choice(sorted(wanted.values))
            case GraphQLInputObjectType():
                return self._object(wanted, depth)
            case GraphQLScalarType():
                return self._scalar(wanted.name, name)
            case _:
                raise AssertionError(wanted)

    def _object(self, wanted: GraphQLInputObjectType, depth: int) -> dict[str, Any]:
        fields = sorted(wanted.fields.items())
        if wanted.is_one_of:
            fields = [self.chance.choice(fields)]
        given: dict[str, Any] = {}
        for name, one in fields:
            optional = not is_required_input_field(one) and not wanted.is_one_of
            if optional and (depth >= DEEPEST or self.chance.random() < 0.6):
                continue
            kind: object = one.type
            if wanted.is_one_of and self.chance.random() > self.odd:
                given[name] = self._given(kind, name, depth + 1)
            else:
                given[name] = self.of(kind, name, depth + 1)
        return given

    def _scalar(self, kind: str, name: str) -> Any:
        match kind:
            case "ID":
                return self.pool.id(self.chance, name)
            case "String":
                return self.pool.text(self.chance, name)
            case "Int" if name in {"first", "last"}:
                return self.chance.choice((1, 2, 3, 5, 10, 0, -1, 100, 101))
            case "Int":
                return self.chance.choice(NUMBERS[:-4])
            case "JSON":
                return self.pool.json(self.chance, name)
            case _:
                return self.chance.choice(SCALARS.get(kind, TEXTS))
