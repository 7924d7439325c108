"""Whether a class is complete as an entry of the catalogue."""

import re
from collections.abc import Mapping
from inspect import isclass

from pydantic import BaseModel

from weft.domain.step import AnyStepType, StepCategory, StepType

_KIND = re.compile(r"[a-z][a-z0-9_]{0,63}")
_ALIAS = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,99}")


def complaint(step_type: AnyStepType) -> str | None:
    """What is wrong with the class, as the end of a sentence that begins with its name; None where it is complete."""
    kind = getattr(step_type, "kind", None)
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        return f"has no valid kind: {kind!r}, which has to be lower case, digits and underscores"
    for attribute in ("title", "description"):
        text = getattr(step_type, attribute, None)
        if not isinstance(text, str) or not text.strip():
            return f"has no {attribute}"
    if not isinstance(getattr(step_type, "category", None), StepCategory):
        return "has no category"
    config = getattr(step_type, "Config", None)
    if not (isclass(config) and issubclass(config, BaseModel)):
        return "has no Config, a pydantic model"
    return _methods(step_type) or _names(step_type)


def _methods(step_type: AnyStepType) -> str | None:
    one, many = step_type.run is not StepType.run, step_type.run_many is not StepType.run_many
    if one == many:
        return "defines both run and run_many: one of them is its shape" if one else "defines neither run nor run_many"
    return None


def _names(step_type: AnyStepType) -> str | None:
    if step_type.version < 1:
        return f"has the version {step_type.version}, and versions begin at 1"
    for alias, defaults in step_type.aliases.items():
        if not _ALIAS.fullmatch(alias):
            return f"has an alias that is no name: {alias!r}"
        if not isinstance(defaults, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - third parties write it
            return f"has the alias {alias!r} without the config that it stands for"
    fields = {field.alias or name for name, field in step_type.Config.model_fields.items()}
    for spelling, name in step_type.spellings.items():
        if name not in fields or spelling in fields:
            return f"spells the field {name!r} of its config {spelling!r}: the first has to be a field, the other none"
    return None
