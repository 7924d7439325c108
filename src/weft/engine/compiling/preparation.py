"""A step is made: its config is checked by the type's own model, then the instance compiles what the config holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from weft.domain.entity import JsonSchema
from weft.domain.errors import ErrorCode
from weft.domain.spelling.fields import suggestion
from weft.domain.step import AnyStepType, StepType
from weft.engine.compiling.findings import Findings
from weft.engine.compiling.scope import DefinitionScope


@dataclass(frozen=True, slots=True)
class Prepared:
    """A step of a definition, ready to serve items."""

    instance: StepType[Any]
    config: Mapping[str, Any]
    """As it was written, over that of the alias."""
    wants: JsonSchema | None
    gives: JsonSchema | None


def prepared(
    step_type: AnyStepType, written: Mapping[str, Any], scope: DefinitionScope, findings: Findings
) -> Prepared | None:
    """None where the config is wrong; every mistake is one problem."""
    config = _read(step_type, written, scope)
    if config is None:
        return None
    before = len(findings.problems)
    try:
        instance = step_type(config, scope)
        wants, gives = instance.input_schema, instance.output_schema
    except Exception:
        # A type may stumble over the very mistake that it has just reported. Any other error is a bug of the type.
        if len(findings.problems) == before:
            raise
        return None
    if any(problem.code is ErrorCode.INVALID_SCHEMA for problem in findings.problems[before:]):
        wants = gives = None  # they may be made of the schema that is wrong
    return Prepared(instance, written, wants, gives)


def _read(step_type: AnyStepType, written: Mapping[str, Any], scope: DefinitionScope) -> BaseModel | None:
    try:
        return step_type.Config.model_validate(dict(written))
    except ValidationError as error:
        for mistake in error.errors(include_url=False, include_context=False, include_input=False):
            place = _place(mistake, written)
            message, hint = _in_words(mistake, place, step_type)
            scope.problem(ErrorCode.INVALID_CONFIG, message, *place, hint=hint)
        return None


def _place(mistake: ErrorDetails, config: Mapping[str, Any]) -> tuple[str, ...]:
    """The location that pydantic gives, without what is not in the JSON, such as the names of the members of a union."""
    place: list[str] = []
    value: Any = config
    for part in mistake["loc"]:
        if isinstance(value, Mapping) and part in value:
            value = cast("Mapping[Any, Any]", value)[part]
        elif isinstance(value, Sequence) and isinstance(part, int) and part < len(cast("Sequence[Any]", value)):
            value = cast("Sequence[Any]", value)[part]
        elif not (part == mistake["loc"][-1] and mistake["type"] == "missing"):
            continue
        place.append(str(part))
    return tuple(place)


def _in_words(mistake: ErrorDetails, place: tuple[str, ...], step_type: AnyStepType) -> tuple[str, str | None]:
    match mistake["type"]:
        case "missing":
            return f"{place[-1]!r} is needed here.", None
        case "extra_forbidden":
            names = [field.alias or name for name, field in step_type.Config.model_fields.items()]
            known = names if len(place) == 1 else []
            listed = f"The config of {step_type.kind!r} has: {', '.join(known)}." if known else None
            return f"There is no field {place[-1]!r} here.", suggestion(place[-1], known) or listed
        case "value_error":
            return mistake["msg"].removeprefix("Value error, "), None
        case _:
            return f"{mistake['msg'].rstrip('.')}.", None
