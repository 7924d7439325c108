"""JSON values in words, and JSON Schemas of objects whose fields a step changes."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from weft.domain.entity import JsonSchema
from weft.domain.step import Fail
from weft.kit.json import in_words
from weft.kit.json_schema import SchemaValidator, SchemaViolation, declared_properties
from weft.kit.schema_shape import json_types, property_of

MOST_DETAILS = 20
"""Violations kept with a failed item: a person reads a few, and every failed item stores them."""
_UNHEARD_OF = "\x00"


def object_of(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Fail(f"The input is {in_words(value)}, and this step needs an object.", code="OBJECT_EXPECTED")
    return cast("dict[str, Any]", value)


def check(validator: SchemaValidator, value: Any, code: str) -> None:
    """Raises `Fail` with every violation, the first one as its reason."""
    if violations := validator.check(value, most=MOST_DETAILS):
        details = [described(violation) for violation in violations]
        raise Fail(reason_of(violations[0], len(violations) - 1), code=code, details=details)


def described(violation: SchemaViolation) -> dict[str, Any]:
    return {"path": violation.path, "message": violation.message}


def reason_of(violation: SchemaViolation, others: int = 0) -> str:
    place = ".".join(violation.path) or "The value"
    return f"{place}: {violation.message}" + (f" (and {others} more)" if others else "")


def always_object(schema: JsonSchema | None) -> JsonSchema | None:
    """The schema, where it allows nothing but objects."""
    if schema is None or json_types(schema, schema) != frozenset({"object"}):
        return None
    return schema


def object_schema(
    base: JsonSchema | None,
    added: Mapping[str, JsonSchema],
    *,
    removed: Iterable[str] = (),
    renamed: Mapping[str, str] | None = None,
) -> JsonSchema:
    """The schema of an object like `base` after its fields were removed, renamed and added, in this order.

    Of `base` only what stays true is kept: rules that tie fields together may not hold for the new object. Where `base`
    is not known, or welcomes other fields, so does the answer.
    """
    renamed = renamed or {}
    gone = {*removed, *renamed}
    base = always_object(base) or {}
    known = declared_properties(base)
    always = set(cast("list[str]", base.get("required", ())))
    properties: dict[str, Any] = {name: schema for name, schema in known.items() if name not in gone}
    required = always - gone
    for old, new in renamed.items():
        # Where the old name may be absent, the new one may still hold what stood there before.
        properties[new] = known.get(old, {}) if old in always else {}
        required |= {new} if old in always else set()
    result = {name: base[name] for name in ("$defs", "definitions") if name in base}
    result |= {"type": "object", "properties": properties | dict(added), "required": sorted(required | set(added))}
    if property_of(base, base, _UNHEARD_OF).declared:
        result["additionalProperties"] = True
    return result


def open_schema(schema: JsonSchema) -> JsonSchema:
    """The schema as what is known of a value that may hold more fields than the schema speaks of."""
    return schema if "additionalProperties" in schema else {**schema, "additionalProperties": True}


def made_object(added: Mapping[str, JsonSchema], optional: Mapping[str, JsonSchema] | None = None) -> JsonSchema:
    """The schema of an object with these fields and no others."""
    properties = dict(added) | dict(optional or {})
    return {"type": "object", "properties": properties, "required": sorted(added), "additionalProperties": False}
