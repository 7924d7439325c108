"""What is known of a CEL value before it exists: its kind, and for JSON values the schema it came with.

The kinds are CEL's: dyn, null, bool, int, uint, double, string, bytes, timestamp, duration, list, map, optional, type.
`dyn` means "not known": nothing is ever refused because of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeAlias, cast

from weft.kit.schema_shape import ANYTHING, Property, Schema, items_of, json_types, property_of, resolve_reference

JsonSchema: TypeAlias = dict[str, Any]

LARGEST_OUTPUT_SCHEMA = 2000
"""Parts of a schema written out for a result; what would be further down is left open."""

_KIND_OF_JSON = {
    frozenset({"integer"}): "int",
    frozenset({"number"}): "double",
    frozenset({"integer", "number"}): "double",
    frozenset({"string"}): "string",
    frozenset({"boolean"}): "bool",
    frozenset({"null"}): "null",
    frozenset({"array"}): "list",
    frozenset({"object"}): "map",
}
_JSON_OF_KIND: dict[str, JsonSchema] = {
    "bool": {"type": "boolean"},
    "int": {"type": "integer"},
    "uint": {"type": "integer", "minimum": 0},
    "double": {"type": "number"},
    "string": {"type": "string"},
    "bytes": {"type": "string", "contentEncoding": "base64"},
    "timestamp": {"type": "string", "format": "date-time"},
    "duration": {"type": "string", "format": "duration"},
    "null": {"type": "null"},
}


@dataclass(frozen=True, slots=True)
class CelType:
    kind: str
    element: "CelType | None" = None
    """What a list, a map without known names, or an optional holds."""
    members: Mapping[str, "CelType"] | None = None
    """The entries of a map that was written as a literal, or that the scope put together."""
    absent: frozenset[str] = frozenset()
    """Those of the members that may be missing."""
    schema: Schema | None = None
    root: Schema = True
    """The document in which the references of `schema` are looked up."""


DYN = CelType("dyn")
BOOL = CelType("bool")
STRING = CelType("string")
SCALARS = frozenset({"null", "bool", "int", "uint", "double", "string", "bytes"})
NUMBERS = frozenset({"int", "uint", "double"})


def type_of_schema(schema: Schema | None, root: Schema | None = None) -> CelType:
    """The type of values that are valid against the schema and whose numbers were put right by `canonicalise_numbers`."""
    if schema is None:
        return DYN
    root = schema if root is None else root
    types = json_types(schema, root)
    return CelType(_KIND_OF_JSON.get(types, "dyn") if types else "dyn", schema=schema, root=root)


def member_of(owner: CelType, name: str) -> tuple[CelType, Property]:
    """The type of `owner.name`, and whether it is declared there."""
    if owner.members is not None:
        if name in owner.members:
            return owner.members[name], Property(ANYTHING, declared=True)
        return DYN, Property(ANYTHING, declared=False, candidates=tuple(owner.members))
    if owner.schema is not None:
        found = property_of(owner.schema, owner.root, name)
        return type_of_schema(found.schema, owner.root), found
    return owner.element or DYN, Property(ANYTHING, declared=True)


def element_of(owner: CelType) -> CelType:
    if owner.element is not None:
        return owner.element
    return type_of_schema(items_of(owner.schema, owner.root), owner.root) if owner.schema is not None else DYN


def either(one: CelType, other: CelType) -> CelType:
    """The type of a value that is one or the other."""
    if one == other:
        return one
    if one.kind == "list" and other.kind == "list":
        if _is_empty(one) or _is_empty(other):
            return other if _is_empty(one) else one
        return CelType("list", element=either(element_of(one), element_of(other)))
    if one.kind == other.kind and one.kind in _JSON_OF_KIND:
        return CelType(one.kind)
    if json_schema_of(one) and json_schema_of(other):
        kind = one.kind if one.kind == other.kind else "dyn"
        return CelType(kind, schema={"anyOf": [json_schema_of(one), json_schema_of(other)]})
    return CelType("map") if one.kind == other.kind == "map" else DYN


def any_of(types: list[CelType]) -> CelType:
    return reduce(either, types) if types else DYN


def _is_empty(type_: CelType) -> bool:
    # The literal []: it has no elements, so it fits every list.
    return type_.kind == "list" and type_.element is None and type_.schema is None


def json_schema_of(type_: CelType) -> JsonSchema:
    """The JSON Schema of such a value once it is plain JSON; {} where nothing is known. Self-contained: no references."""
    if type_.schema is not None:
        return _written_out(type_.schema, type_.root, (), [LARGEST_OUTPUT_SCHEMA])
    if type_.kind == "list":
        items = json_schema_of(type_.element) if type_.element is not None else {}
        return {"type": "array", "items": items} if items else {"type": "array"}
    if type_.members is not None:
        return {
            "type": "object",
            "properties": {name: json_schema_of(member) for name, member in type_.members.items()},
            "required": [name for name in type_.members if name not in type_.absent],
            "additionalProperties": False,
        }
    if type_.kind == "map":
        return {"type": "object"}
    return dict(_JSON_OF_KIND.get(type_.kind, {}))


def _written_out(schema: Schema, root: Schema, inside: tuple[str, ...], budget: list[int]) -> JsonSchema:
    budget[0] -= 1
    if isinstance(schema, bool) or budget[0] < 0:
        return {}
    written: JsonSchema = {}
    for keyword, value in schema.items():
        if keyword in {"$ref", "$defs", "definitions", "$schema", "$id"}:
            continue
        written[keyword] = _part_written_out(keyword, value, root, inside, budget)
    reference = schema.get("$ref")
    if not isinstance(reference, str) or reference in inside:
        return written
    target = _written_out(resolve_reference(reference, root), root, (*inside, reference), budget)
    return target if not written else {"allOf": [target, written]}


def _part_written_out(keyword: str, value: Any, root: Schema, inside: tuple[str, ...], budget: list[int]) -> Any:
    if keyword in {"enum", "const", "default", "examples", "required", "type"}:
        return value
    if keyword in {"properties", "patternProperties", "dependentSchemas"} and isinstance(value, Mapping):
        named = cast("Mapping[str, Schema]", value)
        return {name: _subschema(part, root, inside, budget) for name, part in named.items()}
    if isinstance(value, list):
        return [_subschema(part, root, inside, budget) for part in cast("list[Any]", value)]
    return _subschema(value, root, inside, budget)


def _subschema(value: Any, root: Schema, inside: tuple[str, ...], budget: list[int]) -> Any:
    return _written_out(cast("Schema", value), root, inside, budget) if isinstance(value, Mapping) else value
