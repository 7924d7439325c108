"""The scope in which a sandbox prepares a step again.

Nothing is known of the data here, so nothing about it can be refused: the definition was checked when it was saved, with
all that is known. A mistake that is found nevertheless is raised.
"""

from collections.abc import Mapping

from weft.domain.entity import JsonSchema
from weft.domain.errors import ErrorCode, Invalid
from weft.domain.step import StepScope
from weft.engine.compiling.step_text import compile_text
from weft.kit.cel import CelExpression, CelMapping, CelScope, compile_cel, compile_mapping
from weft.kit.json_schema import SchemaValidator, compile_schema
from weft.kit.liquid import LiquidTemplate

_NAMES = CelScope(dict.fromkeys(("input", "entity", "steps", "params", "run", "item")), strict=False)


class SandboxScope(StepScope):
    def __init__(self) -> None:
        self.input_schema = None
        self.entity_schema = None

    def expression(self, source: str, *path: str) -> CelExpression:  # noqa: ARG002 - the caller names a raised error
        return compile_cel(source, _NAMES)

    def mapping(self, sources: Mapping[str, str], *path: str) -> CelMapping:  # noqa: ARG002 - as above
        return compile_mapping(sources, _NAMES)

    def template(self, source: str, *path: str) -> LiquidTemplate:  # noqa: ARG002 - as above
        return compile_text(source)

    def json_schema(self, schema: JsonSchema, *path: str) -> SchemaValidator:  # noqa: ARG002 - as above
        return compile_schema(schema)

    def problem(self, code: ErrorCode, message: str, *path: str, hint: str | None = None) -> None:
        raise Invalid(f"{code}: {message}", path=path, hint=hint)
