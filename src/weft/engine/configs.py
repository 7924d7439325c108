"""Configs of steps: the written one over that of the alias, checked by the type's own model."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from weft.domain.errors import ErrorCode
from weft.domain.spelling_fields import suggestion
from weft.domain.step import AnyStepType
from weft.engine.findings import Findings


def read_config(
    step_type: AnyStepType, config: Mapping[str, Any], path: tuple[str, ...], findings: Findings
) -> BaseModel | None:
    """None where it is wrong; every mistake is one problem."""
    try:
        return step_type.Config.model_validate(dict(config))
    except ValidationError as error:
        for mistake in error.errors(include_url=False, include_context=False, include_input=False):
            place = _place(mistake, config)
            message, hint = _in_words(mistake, place, step_type)
            findings.add(ErrorCode.INVALID_CONFIG, message, *path, *place, hint=hint)
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
