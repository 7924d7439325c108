"""The step that declares what a workflow takes, and checks it."""

from typing import Any

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from weft.domain.entity import JsonSchema
from weft.domain.errors import ErrorCode
from weft.domain.step import StepCategory, StepContext, StepScope, StepType
from weft.steps._config import StepConfig
from weft.steps._defaults import Defaults
from weft.steps._json import check, reason_of

_EXAMPLE: JsonDict = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "language": {"type": "string", "default": "en"}},
    "required": ["title"],
}


class InputConfig(StepConfig):
    model_config = ConfigDict(json_schema_extra={"examples": [{"schema": _EXAMPLE}, {}]})

    json_schema: dict[str, Any] = Field(
        default_factory=dict[str, Any],
        alias="schema",
        description="JSON Schema of the input. A property that is absent gets its `default`. Left out, anything is taken.",
        examples=[_EXAMPLE],
    )


class Input(StepType[InputConfig]):
    kind = "input"
    title = "Input"
    description = "Declares what the workflow takes, fills in defaults, and fails the items that do not fit."
    category = StepCategory.INPUT
    Config = InputConfig

    def prepare(self, scope: StepScope) -> None:
        schema = self.config.json_schema
        self._validator = scope.json_schema(schema, "schema")
        self._defaults = Defaults.of(schema)
        self._output_schema = self._defaults.filled_schema(schema) if schema else scope.input_schema
        for violation in self._validator.check(self._defaults.fill({})):
            if violation.path and violation.path[0] in self._defaults.values and violation.keyword != "required":
                message = f"The default does not fit its own schema: {reason_of(violation)}."
                scope.problem(ErrorCode.INVALID_SCHEMA, message, "schema", "properties", violation.path[0], "default")

    @property
    def output_schema(self) -> JsonSchema | None:
        return self._output_schema

    def run(self, ctx: StepContext, input: Any) -> Any:  # noqa: ARG002 - the words of the contract
        value = self._defaults.fill(input)
        check(self._validator, value, "INPUT_INVALID")
        return value
