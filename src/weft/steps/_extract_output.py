"""The schema of what extract gives."""

from typing import Any

import orjson

from weft.domain.entity import JsonSchema
from weft.kit.extraction.shaping import Shaper

_FOUND: JsonSchema = {
    "type": ["object", "null"],
    "properties": {
        "page": {"type": ["integer", "null"]},
        "start": {"type": "integer"},
        "end": {"type": "integer"},
        "text": {"type": "string"},
        "by": {"enum": ["rule", "model", "attachment"]},
        "rule": {"type": ["string", "null"]},
    },
    "required": ["page", "start", "end", "text", "by", "rule"],
}
_FIELD: JsonSchema = {
    "type": "object",
    "properties": {"value": {}, "confidence": {"type": "number"}, "found": _FOUND},
    "required": ["value", "confidence", "found"],
}


def output_schema(shaper: Shaper, *, complete: bool) -> JsonSchema:
    """`complete`: an item that lacks a required value fails, so the values fit the whole schema."""
    values: Any = shaper.schema if complete else shaper.open.schema
    if isinstance(values, bool) or b'"$ref"' in orjson.dumps(values):
        values = {"type": "object"}  # a reference means a place from the top, and this is not the top
    return {
        "type": "object",
        "properties": {
            "values": {key: part for key, part in values.items() if key not in {"$schema", "$id"}},
            "fields": {"type": "object", "additionalProperties": _FIELD},
            "missing": {"type": "array", "items": {"type": "string"}},
            "confidence": {"type": "number"},
        },
        "required": ["values", "fields", "missing", "confidence"],
        "additionalProperties": False,
    }
