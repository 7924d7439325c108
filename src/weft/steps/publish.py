"""The step that writes back into the entity."""

from typing import Annotated, Any, cast

from pydantic import ConfigDict, Field

from weft.domain.entity import JsonSchema
from weft.domain.errors import ErrorCode
from weft.domain.step import Fail, Output, PublishEntity, StepCategory, StepContext, StepScope, StepType
from weft.kit.json_schema import declared_properties
from weft.kit.schema_shape import refuses_others
from weft.kit.suggest import hint_for
from weft.steps._config import Expression, FieldName, StepConfig
from weft.steps._evaluation import evaluated
from weft.steps._json import check, object_of, object_schema

_Mapping = Annotated[dict[FieldName, Expression], Field(min_length=1, max_length=200)]
_Names = Annotated[tuple[FieldName, ...], Field(min_length=1, max_length=200)]


class PublishConfig(StepConfig):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{}, {"fields": ["title"]}, {"fields": {"title": "'new'"}, "publish": False}]}
    )
    fields: _Mapping | _Names | None = Field(
        default=None,
        description="What is written: CEL expressions by the names of the entity's fields, or the names of fields of the "
        "input. Left out, every field of the input. Fields that are not named stay as they are.",
        examples=[{"status": "'checked'", "total": "input.total"}, ["title", "year"]],
    )
    publish: bool = Field(default=True, description="Whether the entity is also marked as published.", examples=[False])


class Publish(StepType[PublishConfig]):
    kind = "publish"
    title = "Publish"
    description = "Writes fields back into the entity as its next version, and marks it as published."
    category = StepCategory.OUTPUT
    cacheable = False
    Config = PublishConfig

    def prepare(self, scope: StepScope) -> None:
        fields = self.config.fields
        self._mapping = scope.mapping(fields, "fields") if isinstance(fields, dict) else None
        self._names = fields if isinstance(fields, tuple) else None
        self._entity_schema = scope.entity_schema
        self._validator = None if scope.entity_schema is None else scope.json_schema(scope.entity_schema, "fields")
        if scope.entity_schema is not None:
            self._check_names(scope, scope.entity_schema)

    @property
    def input_schema(self) -> JsonSchema | None:
        if self._mapping is not None:
            return None
        return {"type": "object", "required": list(self._names or ())}

    @property
    def output_schema(self) -> JsonSchema | None:
        return self._entity_schema or object_schema(None, {})

    def run(self, ctx: StepContext, input: Any) -> Any:
        entity = ctx.values.get("entity")
        if not isinstance(entity, dict):
            raise Fail("This run has no entities, so there is nothing to publish into.", code="NO_ENTITY")
        fields = self._chosen(ctx, input)
        merged = {**cast("dict[str, Any]", entity), **fields}
        if self._validator is not None:
            check(self._validator, merged, "ENTITY_INVALID")
        return Output(merged, effects=(PublishEntity(fields, publish=self.config.publish),))

    def _chosen(self, ctx: StepContext, value: Any) -> dict[str, Any]:
        if self._mapping is not None:
            return evaluated(self._mapping, ctx)
        given = object_of(value)
        if self._names is None:
            return given
        if missing := [name for name in self._names if name not in given]:
            raise Fail(f"The input has no field {missing[0]!r}.", code="FIELD_MISSING", details={"missing": missing})
        return {name: given[name] for name in self._names}

    def _check_names(self, scope: StepScope, schema: JsonSchema) -> None:
        known = declared_properties(schema)
        if not refuses_others(schema, schema):
            return
        for index, name in enumerate(self.config.fields or ()):
            if name not in known:
                path = name if isinstance(self.config.fields, dict) else str(index)
                message = f"The entity type has no field {name!r}{hint_for(name, known)}."
                scope.problem(ErrorCode.UNKNOWN_REFERENCE, message, "fields", path)
