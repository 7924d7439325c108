"""The config of the extract step."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from weft.kit.extraction.rules import MOST_FIELDS, MOST_LABELS, Check, FieldRules, Label
from weft.steps._config import FieldName, StepConfig, Template


class Method(StrEnum):
    RULES = "RULES"
    MODEL = "MODEL"
    RULES_THEN_MODEL = "RULES_THEN_MODEL"


class OnMissing(StrEnum):
    FAIL = "FAIL"
    LEAVE = "LEAVE"


_EntityName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^.]+$")]
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "ticket": {"type": "string"},
        "opened": {"type": "string", "format": "date"},
        "price": {"type": "number"},
        "parts": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["ticket"],
}
_FIELDS: dict[str, Any] = {
    "ticket": {"rules": [{"kind": "pattern", "pattern": "Ticket (?P<value>[A-Z]{2}-[0-9]+)", "confidence": 0.95}]},
    "price": {"type": "amount", "rules": [{"kind": "label", "labels": ["price", "preis"], "where": ["RIGHT"]}]},
    "parts": {"many": True, "rules": [{"kind": "section", "headings": ["parts"], "separators": ","}]},
}


class Give(StrEnum):
    EXTRACTION = "EXTRACTION"
    VALUES = "VALUES"


class ExtractConfig(StepConfig):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"use": "invoice", "onMissing": "LEAVE"},
                {"schema": _SCHEMA, "fields": _FIELDS, "minConfidence": 0.6},
                {"entities": ["invoice_number", "date", "total_amount"], "give": "VALUES"},
                {"use": "invoice", "by": "RULES_THEN_MODEL", "provider": "openai", "model": "gpt-5-mini"},
            ]
        }
    )
    use: Literal["invoice", "contract", "resume"] | None = Field(
        default=None,
        description="A built-in schema with its rules. `schema`, `fields`, `decoys` and `checks` add to it.",
        examples=["invoice"],
    )
    json_schema: dict[str, Any] | None = Field(
        default=None,
        alias="schema",
        description="JSON Schema of the values: an object. Left out, that of `use`. `schemaId` takes that of an entity type, by its "
        "id or name, as it is when the workflow is saved, or a built-in one; it gives only the VALUES unless `give` says otherwise.",
        examples=[_SCHEMA],
    )
    entities: Annotated[tuple[_EntityName, ...], Field(min_length=1, max_length=MOST_FIELDS)] | None = Field(
        default=None,
        description="Names of the values to look for, instead of a schema. What a built-in schema has under this or a usual other name "
        "(`total_amount`, `vendor_name`, `line_items`) is found by its rules, anything else beside its name. None is required.",
        examples=[["invoice_number", "date", "total_amount"]],
    )
    give: Give = Field(
        default=Give.EXTRACTION,
        description="EXTRACTION: the values, with the place of each and how sure it is. VALUES: the values alone, as an object.",
        examples=["VALUES"],
    )
    fields: Mapping[str, FieldRules] = Field(
        default_factory=dict,
        max_length=MOST_FIELDS,
        description="How each value is found by rules, by its path in the schema (`total`, `issuer.name`). A field without rules "
        "is looked for beside its name or title.",
        examples=[_FIELDS],
    )
    decoys: tuple[Label, ...] = Field(
        default=(),
        max_length=MOST_LABELS,
        description="Labels that announce something else, so that what stands beside them is not taken.",
        examples=[["order date"]],
    )
    checks: tuple[Check, ...] = Field(
        default=(),
        max_length=50,
        description="What has to hold between values; it decides how sure they are.",
        examples=[[{"kind": "sum", "fields": ["net", "tax"], "to": ["total"]}]],
    )
    field: FieldName | None = Field(
        default=None,
        description="The field of the input that holds the document, as `parse` gives it or as text. Left out, the input itself.",
        examples=["document"],
    )
    by: Method = Field(
        default=Method.RULES,
        description="RULES: without any model. MODEL: a model reads the text. RULES_THEN_MODEL: a model is asked only for what rules "
        "did not find surely enough.",
        examples=["RULES_THEN_MODEL"],
    )
    provider: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None, description="For a model: the name of a model provider of the workspace.", examples=["openai"]
    )
    model: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^\S(.*\S)?$")] | None = Field(
        default=None, description="For a model: the model, as the provider spells it.", examples=["gpt-5-mini"]
    )
    instructions: Template | None = Field(
        default=None,
        description="For a model: Liquid text of what it should know beside the schema.",
        examples=["Amounts are in thousands."],
    )
    max_characters: int = Field(
        default=60_000,
        ge=1_000,
        le=400_000,
        description="For a model: how much of the text it is given, from its beginning.",
        examples=[20_000],
    )
    timeout: timedelta = Field(
        default=timedelta(minutes=5),
        gt=timedelta(0),
        le=timedelta(minutes=30),
        description="For a model: of one answer.",
        examples=["PT1M"],
    )
    min_confidence: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="From 0 to 1: a value that is less sure counts as missing. Above 0.8 hardly any value is wrong.",
        examples=[0.8],
    )
    required: tuple[FieldName, ...] | None = Field(
        default=None,
        max_length=MOST_FIELDS,
        description="Paths of the values that have to be there. Left out, what the schema requires.",
        examples=[["number", "total"]],
    )
    on_missing: OnMissing = Field(
        default=OnMissing.FAIL,
        description="What becomes of an item that lacks a required value. FAIL: it fails with EXTRACTION_INCOMPLETE. LEAVE: the value "
        "is left out and named in `missing`.",
        examples=["LEAVE"],
    )

    @model_validator(mode="after")
    def _knows_what_and_how(self) -> Self:
        if self.use is None and self.json_schema is None and self.entities is None:
            raise ValueError("Give a 'schema', or 'use' for a built-in one, or the names of 'entities'.")
        if self.json_schema is not None and self.entities is not None:
            raise ValueError("Give either a 'schema' or the names of 'entities'.")
        if self.entities is not None and len(set(self.entities)) < len(self.entities):
            raise ValueError("One of the 'entities' is there twice.")
        if self.by is not Method.RULES and (self.provider is None or self.model is None):
            raise ValueError(f"{self.by} needs a 'provider' and a 'model'.")
        if self.by is Method.RULES and not (self.provider is None and self.model is None):
            raise ValueError("'provider' and 'model' go with 'by': MODEL or RULES_THEN_MODEL.")
        return self
