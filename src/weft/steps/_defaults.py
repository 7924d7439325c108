"""The `default` values of a JSON Schema, filled in where a field is absent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from weft.domain.entity import JsonSchema

_DEEPEST = 32


@dataclass(frozen=True, slots=True)
class Defaults:
    """Follows `properties` only: what stands behind references and alternatives may not apply to the value at hand."""

    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    below: Mapping[str, "Defaults"] = field(default_factory=dict[str, "Defaults"])

    @classmethod
    def of(cls, schema: object, depth: int = 0) -> "Defaults":
        properties = cast("Mapping[str, Any]", schema).get("properties") if isinstance(schema, Mapping) else None
        if not isinstance(properties, Mapping) or depth > _DEEPEST:
            return cls()
        parts = {
            name: cast("Mapping[str, Any]", part)
            for name, part in cast("Mapping[str, object]", properties).items()
            if isinstance(part, Mapping)
        }
        below = {name: cls.of(part, depth + 1) for name, part in parts.items()}
        return cls(
            {name: part["default"] for name, part in parts.items() if "default" in part},
            {name: defaults for name, defaults in below.items() if defaults},
        )

    def __bool__(self) -> bool:
        return bool(self.values or self.below)

    def fill(self, value: Any) -> Any:
        """The value with its defaults; the same object where none is missing, so that most items are not copied."""
        if not isinstance(value, dict):
            return value
        fields = cast("dict[str, Any]", value)
        changed = {name: default for name, default in self.values.items() if name not in fields}
        for name, below in self.below.items():
            old = changed[name] if name in changed else fields.get(name)
            if (new := below.fill(old)) is not old:
                changed[name] = new
        return {**fields, **changed} if changed else fields

    def filled_schema(self, schema: JsonSchema) -> JsonSchema:
        """The schema of filled values: what has a default is always there."""
        if not self:
            return schema
        properties = dict(cast("Mapping[str, Any]", schema["properties"]))
        for name, below in self.below.items():
            properties[name] = below.filled_schema(properties[name])
        required = {*cast("list[str]", schema.get("required", ())), *self.values}
        return {**schema, "properties": properties, "required": sorted(required)}
