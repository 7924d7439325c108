"""What a JSON Schema says about the shape of its values, found without a value.

Answers are careful in one direction: "this property is an integer" is said only where every valid value agrees, everything
else is "unknown" (the schema `{}`), and so is whatever lies behind a reference that is not local. Nothing is ever fetched.

A schema is always read together with the `root` document it stands in, because `$ref` points there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

Schema: TypeAlias = Mapping[str, Any] | bool

ANYTHING: Schema = {}
DEEPEST = 24
"""References and combinations followed from one place: beyond it the answer is "unknown"."""

_JSON_TYPES = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})
_CHOICES = ("anyOf", "oneOf")
_CONDITIONS = ("then", "else")


@dataclass(frozen=True, slots=True)
class Property:
    """What is known of one property: its schema; whether the object declares it; which names it does declare."""

    schema: Schema
    declared: bool
    candidates: tuple[str, ...] = ()


@dataclass(slots=True)
class _Shape:
    """The properties of an object schema with its combinations folded in."""

    declared: dict[str, list[Schema]] = field(default_factory=dict[str, list[Schema]])
    open: bool = False
    closed: bool = False
    extra: list[Schema] = field(default_factory=list[Schema])


def as_schema(value: object) -> Schema:
    return cast("Schema", value) if isinstance(value, Mapping | bool) else ANYTHING


def resolve(schema: Schema, root: Schema) -> Schema:
    """`schema` with its own `$ref` followed; keywords beside the reference are kept as an `allOf`."""
    for _ in range(DEEPEST):
        if isinstance(schema, bool) or "$ref" not in schema:
            return schema
        target = resolve_reference(schema["$ref"], root)
        beside = {key: value for key, value in schema.items() if key not in {"$ref", "$defs", "definitions"}}
        if beside:
            return {"allOf": [target, beside]}
        schema = target
    return ANYTHING


def resolve_reference(reference: object, root: Schema) -> Schema:
    """The part of `root` a local reference means; unknown for all others."""
    if reference == "#":
        return root
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return ANYTHING
    place: object = root
    for part in reference[2:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(place, Mapping) and key in place:
            place = cast("Mapping[str, object]", place)[key]
        elif isinstance(place, list) and key.isdigit() and int(key) < len(cast("list[object]", place)):
            place = cast("list[object]", place)[int(key)]
        else:
            return ANYTHING
    return as_schema(place)


def json_types(schema: Schema, root: Schema, depth: int = 0) -> frozenset[str] | None:
    """The JSON types a value may have, None where anything goes. `number` and `integer` stay as they are written."""
    schema = resolve(schema, root)
    if isinstance(schema, bool) or depth > DEEPEST:
        return None
    found: list[frozenset[str]] = []
    written = schema.get("type")
    if isinstance(written, str):
        found.append(frozenset({written}))
    elif isinstance(written, list):
        found.append(frozenset(str(name) for name in cast("list[object]", written)))
    if "const" in schema:
        found.append(frozenset({_type_of(schema["const"])}))
    if isinstance(schema.get("enum"), list):
        found.append(frozenset(_type_of(value) for value in schema["enum"]))
    found.extend(types for part in _parts(schema, "allOf") if (types := json_types(part, root, depth + 1)) is not None)
    for keyword in _CHOICES:
        choices = [json_types(part, root, depth + 1) for part in _parts(schema, keyword)]
        known = [types for types in choices if types is not None]
        if choices and len(known) == len(choices):
            found.append(frozenset[str]().union(*known))
    if not found:
        return None
    narrowed = found[0]
    for types in found[1:]:
        narrowed = _both(narrowed, types)
    return narrowed & _JSON_TYPES or None


def _both(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    # Every integer is a number: number narrowed by integer is integer, and so is the reverse.
    integer = frozenset({"integer"})
    shared = one & other
    if ("number" in one and "integer" in other) or ("integer" in one and "number" in other):
        shared = shared | integer
    return shared


def _type_of(value: object) -> str:
    if value is None:
        return "null"
    for python_type, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (list, "array")):
        if isinstance(value, python_type):
            return name
    return "object"


def property_of(schema: Schema, root: Schema, name: str) -> Property:
    """What `value[name]` is. Undeclared means: the schema lists its properties, this is none of them, and nothing in it says
    outright that more are welcome (`additionalProperties`, `unevaluatedProperties`, `patternProperties`).
    """
    shape = _shape(resolve(schema, root), root, 0)
    if name in shape.declared:
        schemas = shape.declared[name]
        return Property(schemas[0] if len(schemas) == 1 else {"allOf": list(schemas)}, declared=True)
    if shape.open:
        return Property(shape.extra[0] if len(shape.extra) == 1 else ANYTHING, declared=True)
    if shape.declared or shape.closed:
        return Property(ANYTHING, declared=False, candidates=tuple(shape.declared))
    return Property(ANYTHING, declared=True)


def declared_properties(schema: Schema, root: Schema | None = None) -> dict[str, Schema]:
    """The properties the schema lists, with those of its `allOf`, `anyOf`, `oneOf` and `$ref`."""
    root = schema if root is None else root
    shape = _shape(resolve(schema, root), root, 0)
    return {name: found[0] if len(found) == 1 else {"allOf": list(found)} for name, found in shape.declared.items()}


def refuses_others(schema: Schema, root: Schema) -> bool:
    """Whether an undeclared property can never be there (`additionalProperties: false`)."""
    shape = _shape(resolve(schema, root), root, 0)
    return shape.closed and not shape.open


def items_of(schema: Schema, root: Schema) -> Schema:
    """What every element of an array is; unknown for tuples."""
    schema = resolve(schema, root)
    if isinstance(schema, bool) or "prefixItems" in schema:
        return ANYTHING
    if isinstance(schema.get("items"), Mapping):
        return as_schema(schema["items"])
    known = [found for part in _parts(schema, "allOf") if (found := items_of(part, root)) != ANYTHING]
    return known[0] if len(known) == 1 else ANYTHING


def _shape(schema: Schema, root: Schema, depth: int) -> _Shape:
    shape = _Shape()
    if isinstance(schema, bool) or depth > DEEPEST:
        shape.open = schema is not False
        return shape
    for name, found in _named(schema, "properties").items():
        shape.declared[name] = [as_schema(found)]
    _read_openness(schema, shape)
    for part in _parts(schema, "allOf"):
        other = _shape(resolve(part, root), root, depth + 1)
        # A part that lists nothing (only "required", say) has no opinion on further properties.
        shape.open |= other.open and depth < DEEPEST
        shape.closed |= other.closed
        shape.extra += other.extra
        for name, schemas in other.declared.items():
            shape.declared.setdefault(name, []).extend(schemas)
    for keyword in _CHOICES:
        _fold_choices([_shape(resolve(part, root), root, depth + 1) for part in _parts(schema, keyword)], shape)
    for part in _conditional_parts(schema):
        for name in _shape(resolve(part, root), root, depth + 1).declared:
            shape.declared.setdefault(name, [ANYTHING])
    return shape


def _read_openness(schema: Mapping[str, Any], shape: _Shape) -> None:
    for keyword in ("additionalProperties", "unevaluatedProperties"):
        said = schema.get(keyword)
        shape.closed |= said is False
        if said is True or isinstance(said, Mapping):
            shape.open = True
            shape.extra.append(as_schema(cast("object", said)))
    if schema.get("patternProperties"):
        shape.open = True
        shape.extra += [ANYTHING, ANYTHING]  # more than one possibility: the type of a further property is unknown


def _fold_choices(choices: list[_Shape], shape: _Shape) -> None:
    names = {name: None for choice in choices for name in choice.declared}
    shape.open |= any(choice.open or not (choice.declared or choice.closed) for choice in choices) and bool(names)
    for name in names:
        everywhere = all(name in choice.declared for choice in choices)
        options = [option for choice in choices for option in choice.declared.get(name, ())]
        found: Schema = {"anyOf": options} if everywhere else ANYTHING
        shape.declared.setdefault(name, []).append(options[0] if everywhere and len(options) == 1 else found)


def _parts(schema: Mapping[str, Any], keyword: str) -> Iterator[Schema]:
    written = schema.get(keyword)
    if isinstance(written, list):
        for part in cast("list[object]", written):
            yield as_schema(part)


def _conditional_parts(schema: Mapping[str, Any]) -> Iterator[Schema]:
    for keyword in _CONDITIONS:
        if keyword in schema:
            yield as_schema(schema[keyword])
    for part in _named(schema, "dependentSchemas").values():
        yield as_schema(part)


def _named(schema: Mapping[str, Any], keyword: str) -> Mapping[str, object]:
    written = schema.get(keyword)
    return cast("Mapping[str, object]", written) if isinstance(written, Mapping) else {}


@dataclass(frozen=True, slots=True)
class Located:
    """Where a dotted path led: the schema there, or the first name nobody declares, with the names that are declared."""

    schema: Schema
    unknown_name: str | None = None
    candidates: tuple[str, ...] = ()


def schema_at(schema: Schema, path: str | list[str], root: Schema | None = None) -> Located:
    """Follows `lines.0.price` through properties and items. A list of names is for names that hold dots."""
    root = schema if root is None else root
    for name in path.split(".") if isinstance(path, str) else path:
        types = json_types(schema, root)
        if name.lstrip("-").isdigit() and (types is None or "array" in types):
            schema = items_of(schema, root)
            continue
        found = property_of(schema, root, name)
        if not found.declared:
            return Located(ANYTHING, name, found.candidates)
        schema = found.schema
    return Located(resolve(schema, root))
