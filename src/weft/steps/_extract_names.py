"""Values that are asked for by their names alone, `entities: ["invoice_number", "date"]`, instead of by a schema.

A name that a built-in rule set knows is found by its rules, and comes out under the name that was asked for. Any other one is
looked for beside its words as a label, as a property of a schema without rules is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, cast

from weft.domain.entity import JsonSchema
from weft.kit.extraction.extraction import Extraction
from weft.kit.extraction.sets import built_in
from weft.kit.extraction.sets.names import meant_by, path_in
from weft.steps._extract_config import ExtractConfig


@dataclass(frozen=True, slots=True)
class AskedNames:
    use: str | None
    """The rule set that knows them best, or was chosen."""
    paths: Mapping[str, str]
    """By each name, the value that it means: of the rule set, or one of its own."""

    @classmethod
    def of(cls, names: Sequence[str], use: str | None) -> Self:
        use = use or meant_by(tuple(names))
        return cls(use, {name: (None if use is None else path_in(use, name)) or name for name in names})

    def meant(self, config: ExtractConfig) -> ExtractConfig:
        """The config with the names of the rule set in place of those that were asked for."""
        required = None if config.required is None else tuple(self.paths.get(name, name) for name in config.required)
        fields = {self.paths.get(name, name): rules for name, rules in config.fields.items()}
        return config.model_copy(update={"required": required, "fields": fields})

    @property
    def schema(self) -> JsonSchema:
        """Of what is looked for, under the names of the rule set. None of it is required."""
        return _object({path: self._value(path) for path in self.paths.values()})

    @property
    def given_schema(self) -> JsonSchema:
        """Of what comes out, under the names that were asked for."""
        return _object({name: self._value(path) for name, path in self.paths.items()})

    def named(self, extraction: Extraction) -> Extraction:
        missing = set(extraction.missing)
        return Extraction(
            values={name: extraction.values[path] for name, path in self.paths.items() if path in extraction.values},
            fields={
                f"{name}{place.removeprefix(path)}": field
                for name, path in self.paths.items()
                for place, field in extraction.fields.items()
                if place == path or place.startswith(f"{path}.")
            },
            missing=[name for name, path in self.paths.items() if path in missing],
            confidence=extraction.confidence,
        )

    def _value(self, path: str) -> Any:
        known = None if self.use is None else cast("JsonSchema", built_in(self.use).schema)["properties"].get(path)
        return {"type": "string"} if known is None else known


def _object(properties: Mapping[str, Any]) -> JsonSchema:
    return {"type": "object", "properties": dict(properties), "additionalProperties": False}
