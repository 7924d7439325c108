"""The step that shapes the result of a workflow."""

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from weft.domain.entity import JsonSchema
from weft.domain.step import StepCategory, StepContext, StepScope, StepType
from weft.steps._config import Expression, FieldName, StepConfig, Template
from weft.steps._evaluation import evaluated, mapped_schemas, rendered
from weft.steps._json import made_object


class OutputConfig(StepConfig):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"fields": {"result": "input"}},
                {"fields": {"result": "input"}, "text": "Done: {{ input }}", "target": "summary"},
                {"text": "Done: {{ input }}", "format": "TEXT"},
                {},
            ]
        }
    )
    fields: Annotated[dict[FieldName, Expression], Field(max_length=200)] = Field(
        default_factory=dict[str, str],
        description="CEL expressions by the names of the fields of the result.",
        examples=[{"title": "input.title", "checked": "steps.check.ok"}],
    )
    text: Template | None = Field(
        default=None, description="Liquid text of the result.", examples=["{{ title }}, {{ year }}"]
    )
    target: FieldName = Field(default="text", description="The field that holds the text.", examples=["summary"])
    format: Literal["OBJECT", "TEXT"] = Field(
        default="OBJECT",
        description="OBJECT: the fields, with the text under `target`. TEXT: the text alone.",
        examples=["TEXT"],
    )

    @model_validator(mode="after")
    def _parts_fit_each_other(self) -> Self:
        if self.format == "TEXT" and (self.text is None or self.fields):
            raise ValueError("The format TEXT needs a 'text', and takes no 'fields'.")
        if self.text is not None and self.target in self.fields:
            raise ValueError(f"The field {self.target!r} is made twice: by 'fields' and by 'text'.")
        return self


class OutputStep(StepType[OutputConfig]):
    kind = "output"
    title = "Output"
    description = "Shapes the result: chosen fields, a text, or both. With neither, the input is the result."
    category = StepCategory.OUTPUT
    Config = OutputConfig

    def prepare(self, scope: StepScope) -> None:
        config = self.config
        self._mapping = scope.mapping(config.fields, "fields") if config.fields else None
        self._text = None if config.text is None else scope.template(config.text, "text")
        self._base = scope.input_schema

    @property
    def output_schema(self) -> JsonSchema | None:
        if self._mapping is None and self._text is None:
            return self._base
        if self.config.format == "TEXT":
            return {"type": "string"}
        text: dict[str, JsonSchema] = {} if self._text is None else {self.config.target: {"type": "string"}}
        return made_object(mapped_schemas(self._mapping) | text)

    def run(self, ctx: StepContext, input: Any) -> Any:
        if self._mapping is None and self._text is None:
            return input
        result = {} if self._mapping is None else evaluated(self._mapping, ctx)
        if self._text is not None:
            text = rendered(self._text, ctx)
            if self.config.format == "TEXT":
                return text
            result[self.config.target] = text
        return result
