"""The config of the text step, and which of its fields belong to which operation."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self

from pydantic import ConfigDict, Field, model_validator

from weft.steps._config import FieldName, StepConfig, Template


class Operation(StrEnum):
    STATIC = "static"
    TEMPLATE = "template"
    REVERSE = "reverse"
    UPPER = "upper"
    LOWER = "lower"
    TITLE = "title"
    CAPITALIZE = "capitalize"
    TRIM = "trim"
    COLLAPSE = "collapse"
    REPLACE = "replace"
    SPLIT = "split"
    JOIN = "join"
    TRUNCATE = "truncate"
    CONCAT = "concat"
    LENGTH = "length"


REQUIRED: Mapping[Operation, tuple[str, ...]] = {
    Operation.STATIC: ("value",),
    Operation.TEMPLATE: ("template",),
    Operation.TRUNCATE: ("length",),
    Operation.CONCAT: ("fields",),
}
OPTIONAL: Mapping[Operation, tuple[str, ...]] = {
    Operation.TRIM: ("characters",),
    Operation.REPLACE: ("search", "pattern", "replacement", "ignore_case"),
    Operation.SPLIT: ("separator", "pattern", "ignore_case"),
    Operation.JOIN: ("separator",),
    Operation.TRUNCATE: ("suffix",),
    Operation.CONCAT: ("separator",),
}
_PARAMETERS = frozenset(name for table in (REQUIRED, OPTIONAL) for names in table.values() for name in names)


class TextConfig(StepConfig):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"operation": "static", "value": "Hello, world!"},
                {"operation": "template", "template": "Invoice {{ input.number | default: 'unknown' }}"},
                {"operation": "upper", "field": "title"},
                {"operation": "replace", "pattern": r"(\d{4})-(\d{2})", "replacement": r"\2/\1", "field": "month"},
                {"operation": "split", "field": "genres", "separator": "|", "target": "genreList"},
                {"operation": "concat", "fields": ["first", "last"], "target": "name"},
                {"operation": "truncate", "field": "summary", "length": 80},
            ]
        }
    )
    operation: Operation = Field(
        description="What is done. static and template make a text, concat joins fields, join joins a list, length counts "
        "characters, collapse makes one space of each run of white space; the others change the text of `field`.",
        examples=["upper"],
    )
    field: FieldName = Field(
        default="text",
        description="The field of the input that is read. An input that is itself text is read whole.",
        examples=["title"],
    )
    target: FieldName | None = Field(
        default=None, description="The field that is written; left out, the one that is read.", examples=["slug"]
    )
    keep: bool = Field(
        default=True, description="Whether the other fields of the input stay in the output.", examples=[False]
    )
    value: str | None = Field(
        default=None,
        description="static: the text. Also accepted as `input`.",
        examples=["Hello, world!"],
    )
    template: Template | None = Field(
        default=None, description="template: the Liquid text.", examples=["{{ title | upcase }}"]
    )
    characters: str | None = Field(
        default=None, max_length=100, description="trim: what is trimmed instead of white space.", examples=["-_"]
    )
    search: str | None = Field(
        default=None, min_length=1, max_length=1_000, description="replace: the text to look for.", examples=["-"]
    )
    pattern: str | None = Field(
        default=None,
        min_length=1,
        max_length=1_000,
        description="replace, split: a regular expression (RE2) to look for instead of a text.",
        examples=[r"(\d{4})-(\d{2})"],
    )
    replacement: str = Field(
        default="",
        max_length=1_000,
        description=r"replace: what stands in its place; with a pattern, \1 and \g<name> are its groups.",
        examples=[r"\2/\1"],
    )
    ignore_case: bool = Field(
        default=False, description="replace, split: whether the pattern ignores case.", examples=[True]
    )
    separator: str | None = Field(
        default=None,
        max_length=1_000,
        description="split, join, concat: what stands between the parts. Left out, split parts at white space, and join "
        "and concat put a space.",
        examples=[", "],
    )
    length: int | None = Field(
        default=None, ge=0, le=1_000_000, description="truncate: the most characters, suffix included.", examples=[80]
    )
    suffix: str = Field(
        default="…", max_length=100, description="truncate: what a text ends with that was cut.", examples=["..."]
    )
    fields: tuple[FieldName, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="concat: the fields, in order; null, empty and absent ones are left out.",
        examples=[["first_name", "last_name"]],
    )

    @model_validator(mode="after")
    def _parameters_belong_to_the_operation(self) -> Self:
        required = REQUIRED.get(self.operation, ())
        allowed = {*required, *OPTIONAL.get(self.operation, ())}
        given = self.model_fields_set & _PARAMETERS
        for name in sorted(given - allowed):
            raise ValueError(f"The operation {self.operation} takes no {_written(name)!r}.")
        for name in required:
            if getattr(self, name) is None:
                raise ValueError(f"The operation {self.operation} needs {_written(name)!r}.")
        if self.operation is Operation.REPLACE and (self.search is None) == (self.pattern is None):
            raise ValueError("The operation replace needs either 'search' or 'pattern'.")
        if self.operation is Operation.SPLIT and self.separator is not None and self.pattern is not None:
            raise ValueError("The operation split takes either 'separator' or 'pattern'.")
        if self.separator == "" and self.operation is Operation.SPLIT:
            raise ValueError("The operation split needs a 'separator' that is not empty.")
        if self.ignore_case and self.pattern is None:
            raise ValueError("'ignoreCase' goes with 'pattern'.")
        return self


def _written(name: str) -> str:
    return TextConfig.model_fields[name].alias or name


def alias(operation: Operation, **defaults: Any) -> Mapping[str, Any]:
    """The config behind a type name of a text-only system: text comes in, text goes out, and nothing beside it."""
    return {"operation": operation.value, "keep": False, **defaults}
