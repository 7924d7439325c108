"""The step that gives its input back."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from weft.domain.entity import JsonSchema
from weft.domain.run import LogLevel
from weft.domain.step import StepCategory, StepContext, StepScope, StepType
from weft.steps._config import StepConfig, Template
from weft.steps._evaluation import rendered


class EchoConfig(StepConfig):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{}, {"message": "Got {{ input.title | default: 'nothing' }}"}]}
    )

    message: Template | None = Field(
        default=None,
        description="Liquid text that is written to the log of the run for each item.",
        examples=["Got {{ title }}"],
    )


class Echo(StepType[EchoConfig]):
    kind = "echo"
    title = "Echo"
    description = "Gives its input back unchanged, and logs a message where one is set: to look into a workflow."
    category = StepCategory.OUTPUT
    Config = EchoConfig
    aliases: ClassVar[Mapping[str, Mapping[str, Any]]] = {"Echo": {}}

    def prepare(self, scope: StepScope) -> None:
        message = self.config.message
        self._message = None if message is None else scope.template(message, "message")
        self._input_schema = scope.input_schema

    @property
    def output_schema(self) -> JsonSchema | None:
        return self._input_schema

    def run(self, ctx: StepContext, input: Any) -> Any:
        if self._message is not None:
            ctx.log(LogLevel.INFO, rendered(self._message, ctx))
        return input
