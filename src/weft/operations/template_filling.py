"""A template becomes a definition: the parameters are put in where it asks for them.

| in the template | becomes |
|---|---|
| `{"$parameter": "name"}` | the value, whatever it is |
| `{"$join": ["input.total > ", {"$parameter": "limit"}]}` | one text: texts as they stand, values as JSON, which CEL reads as a literal |

A parameter that is not given has the `default` of its schema.
"""

from collections.abc import Mapping
from typing import Any, cast

from weft.domain.entity import JsonSchema
from weft.domain.errors import ErrorCode, Problem
from weft.kit.json import dumps
from weft.kit.json_schema import compile_schema


def complete_parameters(
    schema: JsonSchema | None, given: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """The parameters with their defaults, and what is wrong with them, each with its path under `parameters`."""
    described = schema or {"type": "object", "additionalProperties": False}
    properties = cast("Mapping[str, Any]", described.get("properties", {}))
    defaults = {name: about["default"] for name, about in properties.items() if "default" in about}
    complete = {**defaults, **given}
    problems = tuple(
        Problem(
            ErrorCode.INVALID,
            f"{violation.path[-1] if violation.path else 'It'} {violation.message}.",
            ("parameters", *violation.path),
        )
        for violation in compile_schema(described).check(complete)
    )
    # A whole number where any number may stand: as a literal in CEL it has to be one with a fraction.
    numbers = {name for name, about in properties.items() if about.get("type") == "number"}
    return {
        name: float(value) if name in numbers and isinstance(value, int) else value for name, value in complete.items()
    }, problems


def filled(template: Any, parameters: Mapping[str, Any]) -> Any:
    """Raises KeyError for a parameter that the template's schema does not describe: a mistake of the template."""
    if isinstance(template, list):
        return [filled(entry, parameters) for entry in cast("list[Any]", template)]
    if not isinstance(template, Mapping):
        return template
    fields = cast("Mapping[str, Any]", template)
    if set(fields) == {"$parameter"}:
        return parameters[fields["$parameter"]]
    if set(fields) == {"$join"}:
        return "".join(part if isinstance(part, str) else dumps(filled(part, parameters)) for part in fields["$join"])
    return {name: filled(entry, parameters) for name, entry in fields.items()}
