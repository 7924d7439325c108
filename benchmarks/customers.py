"""The records of about 300 bytes that the figures work on, and the three steps of W1."""

from typing import Any

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "city": {"type": "string"},
        "amount": {"type": "number"},
        "quantity": {"type": "integer"},
        "notes": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["name", "amount", "quantity"],
    "additionalProperties": False,
}
FIELDS = {"total": "input.amount * double(input.quantity)", "label": "input.name + ' of ' + input.city"}
CHECK: dict[str, Any] = {
    "type": "object",
    "properties": {"total": {"type": "number", "minimum": 0}, "label": {"type": "string"}},
    "required": ["total", "label"],
}
TEXT = "{{ label }} owes {{ total }}"
STEPS = (
    {"id": "shape", "type": "transform", "config": {"fields": FIELDS, "keep": False}},
    {"id": "check", "type": "validate", "config": {"schema": CHECK}},
    {"id": "say", "type": "text", "config": {"operation": "template", "template": TEXT, "keep": False}},
)


def entity_data(number: int, *, fails: bool = False) -> dict[str, Any]:
    return {
        "name": f"Customer {number}",
        "city": f"City {number % 997}",
        "amount": float(number % 1000) + 0.25,
        "quantity": -1 if fails else number % 9 + 1,
        "notes": "A note that is long enough to make the record about three hundred bytes. " * 2,
        "tags": ["alpha", "beta", f"t{number % 50}"],
    }
