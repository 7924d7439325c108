"""How much work a stranger's JSON Schema can cause, found before it is used.

A schema of a few lines can stand for millions of checks: `$ref` to a part that refers twice to the next one, twenty times
over; or a part that tries itself twice on the same value, once per level of a nested value. So the references are followed
once, as a validator would, with a budget, and what is found becomes a limit on the depth of values.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import orjson

from weft.kit.schema_shape import Schema, resolve_reference

LARGEST_SCHEMA = 256 * 1024
DEEPEST_SCHEMA = 64
MOST_CHECKS = 10_000
"""Subschemas once every reference is followed: failing values report each of them, at about 35 µs."""

DEEPEST_VALUE = 200
"""For recursive schemas: the validator recurses on the C stack with them, and 100,000 levels end the process."""

_SAME_VALUE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas")
_BELOW = (
    "items", "prefixItems", "additionalItems", "additionalProperties", "contains", "propertyNames",
    "unevaluatedItems", "unevaluatedProperties",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SchemaLimits:
    problem: str | None
    deepest_value: int | None
    """None: the schema is not recursive, so it looks no deeper into a value than it is deep itself."""
    checks: int = 0
    """Subschemas once every reference is followed."""


def limits_of(schema: Schema) -> SchemaLimits:
    if (problem := _written_size(schema)) is not None:
        return SchemaLimits(problem, None)
    walk = _Walk(schema)
    try:
        walk.visit(schema, (), {})
    except _TooMuchError as error:
        return SchemaLimits(str(error), None)
    return SchemaLimits(None, walk.deepest_value(), walk.checks)


def deeper_than(value: object, limit: int) -> bool:
    """Whether lists and objects are nested more than `limit` levels. Not recursive: the value may be hostile itself."""
    level = [value]
    for _ in range(limit + 1):
        level = [part for outer in level for part in _parts_of(outer)]
        if not level:
            return False
    return True


def parts_in(value: object, most: int) -> int:
    """How many values a value consists of, counted up to about `most`."""
    count, waiting = 1, [value]
    while waiting and count <= most:
        inner = waiting.pop()
        if isinstance(inner, dict | list):
            count += len(cast("list[object]", inner))
            waiting += _parts_of(cast("object", inner))
    return count


def _parts_of(value: object) -> list[object]:
    if isinstance(value, dict):
        return [part for part in cast("dict[object, object]", value).values() if isinstance(part, dict | list)]
    if isinstance(value, list):
        return [part for part in cast("list[object]", value) if isinstance(part, dict | list)]
    return []


def _written_size(schema: Schema) -> str | None:
    if deeper_than(schema, DEEPEST_SCHEMA):
        return f"the schema is nested more than {DEEPEST_SCHEMA} levels deep"
    try:
        size = len(orjson.dumps(schema))
    except TypeError as error:
        return f"the schema is not plain JSON: {error}"
    return f"the schema has {size} bytes, at most {LARGEST_SCHEMA} are allowed" if size > LARGEST_SCHEMA else None


class _TooMuchError(Exception):
    """The schema is refused; the message says why."""


@dataclass(slots=True)
class _Walk:
    root: Schema
    checks: int = 0
    returns: dict[tuple[Any, ...], int] = field(default_factory=dict[tuple[Any, ...], int])
    shortest_round: int = DEEPEST_VALUE

    def visit(self, schema: Schema, place: tuple[str, ...], open_references: dict[str, tuple[str, ...]]) -> None:
        self.checks += 1
        if self.checks > MOST_CHECKS:
            raise _TooMuchError(f"with its references followed the schema has more than {MOST_CHECKS} parts")
        if isinstance(schema, bool):
            return
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference.startswith("#"):
            self._follow(reference, place, open_references)
        for step, part in _subschemas(schema):
            self.visit(part, (*place, step) if step else place, open_references)

    def _follow(self, reference: str, place: tuple[str, ...], open_references: dict[str, tuple[str, ...]]) -> None:
        entered = open_references.get(reference, () if reference == "#" else None)
        if entered is None:
            self.visit(resolve_reference(reference, self.root), place, {**open_references, reference: place})
            return
        if len(place) == len(entered):
            raise _TooMuchError(f'"{reference}" refers to itself without end')
        round_trip = (reference, entered, place)
        self.returns[round_trip] = self.returns.get(round_trip, 0) + 1
        self.shortest_round = min(self.shortest_round, len(place) - len(entered))

    def deepest_value(self) -> int | None:
        if not self.returns:
            return None
        branches = max(self.returns.values())
        if branches == 1:
            return DEEPEST_VALUE
        # Each round trip multiplies the work by the number of branches that take it.
        rounds = math.log(10 * MOST_CHECKS / self.checks, branches) if self.checks < 10 * MOST_CHECKS else 0
        return max(4, int(rounds) * self.shortest_round)


def _subschemas(schema: Mapping[str, Any]) -> Iterator[tuple[str, Schema]]:
    """Each subschema with the step it takes into the value: "" for none, "*" for elements and names not known."""
    for keyword in _SAME_VALUE:
        yield from (("", part) for part in _schemas_in(schema.get(keyword), named=keyword == "dependentSchemas"))
    for keyword in _BELOW:
        yield from (("*", part) for part in _schemas_in(schema.get(keyword), named=False))
    properties = schema.get("properties")
    for name, part in cast("Mapping[str, Any]", properties).items() if isinstance(properties, Mapping) else ():
        yield from ((f".{name}", one) for one in _schemas_in(part, named=False))
    yield from (("*", part) for part in _schemas_in(schema.get("patternProperties"), named=True))


def _schemas_in(value: object, *, named: bool) -> Iterator[Schema]:
    if isinstance(value, list):
        yield from (cast("Schema", part) for part in cast("list[object]", value) if isinstance(part, Mapping | bool))
    elif isinstance(value, Mapping) and named:
        parts = cast("Mapping[str, object]", value).values()
        yield from (cast("Schema", part) for part in parts if isinstance(part, Mapping | bool))
    elif isinstance(value, Mapping | bool):
        yield cast("Schema", value)
