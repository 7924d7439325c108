"""The step that makes new fields of old ones."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import ConfigDict, Field, model_validator

from weft.domain.entity import JsonSchema
from weft.domain.step import StepCategory, StepContext, StepScope, StepType
from weft.steps._config import Expression, FieldName, StepConfig
from weft.steps._evaluation import evaluated, mapped_schemas
from weft.steps._json import made_object, object_of, object_schema


class TransformConfig(StepConfig):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"fields": {"total": "double(input.quantity) * input.price", "source": "'import'"}},
                {"rename": {"Title": "title"}, "remove": ["Director"]},
                {"keep": False, "fields": {"label": "string(input.title)"}},
            ]
        }
    )
    fields: Annotated[dict[FieldName, Expression], Field(max_length=200)] = Field(
        default_factory=dict[str, str],
        description="CEL expressions by the names of the fields that they make. All of them read the input as it came in.",
        examples=[{"total": "double(input.quantity) * input.price"}],
    )
    keep: bool = Field(
        default=True,
        description="Whether the fields of the input stay; false leaves only `fields` and what is renamed.",
        examples=[False],
    )
    rename: dict[FieldName, FieldName] = Field(
        default_factory=dict[str, str],
        description="New names by old ones. A field that is absent is passed over.",
        examples=[{"Title": "title"}],
    )
    remove: tuple[FieldName, ...] = Field(
        default=(), description="Fields that are left out of the output.", examples=[["internal_note"]]
    )

    @model_validator(mode="after")
    def _names_are_used_once(self) -> Self:
        if not (self.fields or self.rename or self.remove):
            raise ValueError("A transform needs at least one of 'fields', 'rename' and 'remove'.")
        if self.remove and not self.keep:
            raise ValueError("'remove' goes with 'keep': without it no other field stays anyway.")
        if both := sorted(set(self.rename) & set(self.remove)):
            raise ValueError(f"The field {both[0]!r} is both renamed and removed.")
        made = [*self.fields, *self.rename.values()]
        if twice := sorted({name for name in made if made.count(name) > 1}):
            raise ValueError(f"The field {twice[0]!r} is made twice.")
        return self


class Transform(StepType[TransformConfig]):
    kind = "transform"
    title = "Transform"
    description = "Makes new fields by CEL expressions, renames and removes fields."
    category = StepCategory.PROCESSING
    Config = TransformConfig
    InputSchema: ClassVar[JsonSchema | None] = {"type": "object"}

    def prepare(self, scope: StepScope) -> None:
        config = self.config
        self._mapping = scope.mapping(config.fields, "fields") if config.fields else None
        self._base = scope.input_schema
        self._gone = (*config.remove, *config.rename)
        self._only_makes = self._mapping is not None and not (config.keep or config.rename)

    @property
    def output_schema(self) -> JsonSchema | None:
        made = mapped_schemas(self._mapping)
        if self.config.keep:
            return object_schema(self._base, made, removed=self.config.remove, renamed=self.config.rename)
        return made_object(made, optional={name: {} for name in self.config.rename.values()})

    def run(self, ctx: StepContext, input: Any) -> Any:
        fields = object_of(input)
        if self._mapping is not None and self._only_makes:
            return evaluated(self._mapping, ctx)
        config = self.config
        output = dict(fields) if config.keep else {}
        for name in self._gone:
            output.pop(name, None)
        for old, new in config.rename.items():
            if old in fields:
                output[new] = fields[old]
        if self._mapping is not None:
            output.update(evaluated(self._mapping, ctx))
        return output
