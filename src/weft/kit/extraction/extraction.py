"""What extraction gives: values that fit a schema, and for each where it was found and how sure it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from weft.kit.extraction.candidates import Found


@dataclass(frozen=True, slots=True)
class Extracted:
    """One value."""

    value: Any
    confidence: float
    found: Found | None

    def as_json(self) -> dict[str, Any]:
        return {
            "value": self.value,
            "confidence": round(self.confidence, 3),
            "found": self.found.as_json() if self.found is not None else None,
        }


@dataclass(frozen=True, slots=True)
class Extraction:
    values: Any
    """In the shape of the schema."""
    fields: Mapping[str, Extracted]
    """By path: `total`, `issuer.name`, `lines.0.amount`."""
    missing: Sequence[str]
    """Fields that were looked for and not found, or not surely enough."""
    confidence: float
    """Of the whole: as sure as the fields are on average."""

    def as_json(self) -> dict[str, Any]:
        return {
            "values": self.values,
            "fields": {path: field.as_json() for path, field in self.fields.items()},
            "missing": list(self.missing),
            "confidence": round(self.confidence, 3),
        }
