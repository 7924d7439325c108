"""One Python type per JSON Schema number type.

JSON knows one kind of number: `5` arrives as an int even where the schema says "number", and `5.0` is a valid "integer".
Typed expressions tell the two apart (int + double is an error there), so a value is put right once, when it is stored, and
everything that reads it later can rely on its schema: "number" is a float, "integer" an int.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, cast

import orjson

from weft.kit.schema_shape import (
    ANYTHING,
    Schema,
    as_schema,
    declared_properties,
    items_of,
    json_types,
    property_of,
    resolve,
)

Conversion: TypeAlias = Callable[[Any], Any]

_LARGEST = 2**63
MOST_SCHEMAS = 2000
"""Distinct subschemas followed: far more than people write; beyond it numbers stay as they came."""


def canonicalise_numbers(schema: Schema) -> Conversion | None:
    """A function from a valid value to the same value with its numbers as the schema types them; None where there is nothing
    to do. The value given is not changed: what needs no change is returned as it is, the rest is copied.
    """
    builder = _Builder(schema)
    return builder.conversion_for(schema) if builder.holds_numbers(schema, set()) else None


def _as_number(value: Any) -> Any:
    return float(value) if type(value) is int and -_LARGEST <= value < 2 * _LARGEST else value


def _as_integer(value: Any) -> Any:
    return int(value) if type(value) is float and value.is_integer() and -_LARGEST <= value < _LARGEST else value


class _Builder:
    """Builds one conversion per distinct schema, so that recursive schemas end."""

    def __init__(self, root: Schema) -> None:
        self.root = root
        self.built: dict[bytes, Conversion | None] = {}
        self.needless: set[bytes] = set()

    def conversion_for(self, schema: Schema) -> Conversion | None:
        schema = resolve(schema, self.root)
        if isinstance(schema, bool) or not schema:
            return None
        key = orjson.dumps(schema)  # by text: resolving makes new objects of equal content
        if key in self.built:
            return self.built[key] or (lambda value: self._later(key, value))
        if key in self.needless or len(self.built) + len(self.needless) >= MOST_SCHEMAS:
            return None
        self.built[key] = None
        conversion = self._build(schema)
        if conversion is None:
            del self.built[key]
            self.needless.add(key)
        else:
            self.built[key] = conversion
        return conversion

    def _later(self, key: bytes, value: Any) -> Any:
        conversion = self.built.get(key)
        return conversion(value) if conversion is not None else value

    def _build(self, schema: Schema) -> Conversion | None:
        types = json_types(schema, self.root)
        steps: list[Conversion] = []
        if types is not None and "number" in types:
            steps.append(_as_number)
        elif types is not None and "integer" in types:
            steps.append(_as_integer)
        if types is None or "object" in types:
            declared = declared_properties(schema, self.root)
            members = {name: found for name, part in declared.items() if (found := self.conversion_for(part))}
            others = self.conversion_for(_other_properties(schema, self.root))
            if members or others:
                steps.append(_object_conversion(members, frozenset(declared), others))
        if (types is None or "array" in types) and (element := self.conversion_for(items_of(schema, self.root))):
            steps.append(_array_conversion(element))
        if len(steps) < 2:  # noqa: PLR2004 - one step needs no chain
            return steps[0] if steps else None
        return lambda value: _chain(steps, value)

    def holds_numbers(self, schema: Schema, seen: set[bytes]) -> bool:
        schema = resolve(schema, self.root)
        if isinstance(schema, bool) or not schema or len(seen) >= MOST_SCHEMAS:
            return False
        key = orjson.dumps(schema)
        if key in seen:
            return False
        seen.add(key)
        if (json_types(schema, self.root) or frozenset()) & {"number", "integer"}:
            return True
        below = [*declared_properties(schema, self.root).values(), items_of(schema, self.root)]
        below.append(_other_properties(schema, self.root))
        return any(self.holds_numbers(part, seen) for part in below)


def _other_properties(schema: Schema, root: Schema) -> Schema:
    if isinstance(schema, Mapping) and "patternProperties" not in schema:
        # The empty name is never declared in earnest: what it is, every undeclared property is.
        return ANYTHING if "" in declared_properties(schema, root) else as_schema(property_of(schema, root, "").schema)
    return ANYTHING


def _object_conversion(
    members: Mapping[str, Conversion], declared: frozenset[str], others: Conversion | None
) -> Conversion:
    wanted = tuple(members.items())

    def convert(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        fields = cast("dict[str, Any]", value)
        changed: dict[str, Any] = {}
        for name, conversion in wanted:
            if name in fields and (new := conversion(old := fields[name])) is not old:
                changed[name] = new
        if others is not None:
            for name, old in fields.items():
                if name not in declared and (new := others(old)) is not old:
                    changed[name] = new
        return {**fields, **changed} if changed else fields

    return convert


def _array_conversion(element: Conversion) -> Conversion:
    def convert(value: Any) -> Any:
        if not isinstance(value, list):
            return value
        old = cast("list[Any]", value)
        new = [element(part) for part in old]
        return new if any(one is not other for one, other in zip(new, old, strict=True)) else old

    return convert


def _chain(steps: list[Conversion], value: Any) -> Any:
    for step in steps:
        value = step(value)
    return value
