"""What flows between steps, as JSON Schemas: known where it is certain, None where it is not.

Answers are careful in one direction, as in `weft.kit.schema_shape`: a misfit is reported only where no value could fit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from weft.domain.entity import JsonSchema
from weft.kit.cel.schema_types import json_schema_of, type_of_schema
from weft.kit.schema_shape import (
    ANYTHING,
    Schema,
    declared_properties,
    json_types,
    property_of,
    refuses_others,
    resolve,
)

_DEEPEST = 12
_OBJECT = frozenset({"object"})
_NOBODYS_NAME = "\0"
"""A field that no schema declares: whether it may be there tells whether others may."""

_IN_WORDS = {
    "null": "null",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "array": "a list",
    "object": "an object",
}


def joined(outputs: Mapping[str, JsonSchema | None]) -> JsonSchema | None:
    """The input of a step behind several others, by the rule of the executor: their outputs merged in this order where all
    are objects, otherwise an object with one field per step.

    Any of them may have been skipped, so no field is certain to be there.
    """
    known = [schema for schema in outputs.values() if schema is not None]
    if len(known) < len(outputs):
        return None
    are_objects = [_types(schema) == _OBJECT for schema in known]
    may_be_objects = ["object" in (_types(schema) or {"object"}) for schema in known]
    if all(are_objects):
        return _merged(known)
    if not any(may_be_objects):
        fields = {step_id: inlined(cast("JsonSchema", schema)) for step_id, schema in outputs.items()}
        return {"type": "object", "properties": fields, "additionalProperties": False}
    return None


def _merged(schemas: Sequence[JsonSchema]) -> JsonSchema:
    parts = [_fields_of(part, part) for part in map(inlined, schemas)]
    properties: dict[str, Schema] = {}
    for name in {name: None for part in parts for name in part.declared}:
        # Which of the steps a field comes from is only known at run time: all that may bring it have to agree.
        options = [part.declared.get(name, ANYTHING) for part in parts if name in part.declared or part.is_open]
        properties[name] = options[0] if all(option == options[0] for option in options) else ANYTHING
    openness: JsonSchema = {}
    if any(part.is_open for part in parts):
        openness = {"additionalProperties": True}
    elif all(refuses_others(schema, schema) for schema in schemas):
        openness = {"additionalProperties": False}
    return {"type": "object", "properties": properties, **openness}


@dataclass(frozen=True, slots=True)
class _Fields:
    declared: Mapping[str, Schema]
    is_open: bool
    """Whether it may have others, too."""


def _fields_of(schema: Schema, root: Schema) -> _Fields:
    return _Fields(declared_properties(schema, root), property_of(schema, root, _NOBODYS_NAME).declared)


def inlined(schema: JsonSchema) -> JsonSchema:
    """The same schema without local references, so that it can stand inside another one."""
    return json_schema_of(type_of_schema(schema))


def misfit(given: JsonSchema, wanted: JsonSchema) -> str | None:
    """Why no value of `given` can be one of `wanted`, as the end of a sentence; None where one might."""
    return _misfit(given, given, wanted, wanted, "", 0)


def _misfit(
    given: Schema, given_root: Schema, wanted: Schema, wanted_root: Schema, place: str, depth: int
) -> str | None:
    gives, wants = json_types(given, given_root), json_types(wanted, wanted_root)
    if gives is not None and wants is not None and not _overlap(gives, wants):
        return f"{place or 'it'} is {in_words(gives)}, and {in_words(wants)} is needed"
    if depth == _DEEPEST:
        return None
    if gives == _OBJECT and (wants is None or "object" in wants):
        return _misfit_of_fields(given, given_root, wanted, wanted_root, place, depth)
    return None


def _misfit_of_fields(
    given: Schema, given_root: Schema, wanted: Schema, wanted_root: Schema, place: str, depth: int
) -> str | None:
    required, always = _required(wanted, wanted_root), _required(given, given_root)
    gives, wants = _fields_of(given, given_root), _fields_of(wanted, wanted_root)
    for name in sorted(required):
        if name not in gives.declared and not gives.is_open:
            return f"{place or 'it'} has no field {name!r}, which is needed"
    for name, schema in wants.declared.items():
        if name in gives.declared and (name in required or name in always):
            where = f"{place}.{name}" if place else f"its field {name!r}"
            if reason := _misfit(gives.declared[name], given_root, schema, wanted_root, where, depth + 1):
                return reason
    return None


def _required(schema: Schema, root: Schema) -> frozenset[str]:
    resolved = resolve(schema, root)
    return frozenset() if isinstance(resolved, bool) else frozenset(cast("list[str]", resolved.get("required", ())))


def _overlap(gives: frozenset[str], wants: frozenset[str]) -> bool:
    # A number may be a whole one, so both names overlap.
    numeric = {"integer", "number"}
    return bool(gives & wants) or bool(gives & numeric and wants & numeric)


def in_words(types: frozenset[str]) -> str:
    return " or ".join(_IN_WORDS[name] for name in sorted(types - {"null"} or types))


def _types(schema: JsonSchema) -> frozenset[str] | None:
    return json_types(schema, schema)
