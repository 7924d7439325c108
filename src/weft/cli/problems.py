"""What ends a command, in sentences that name the setting or the file and say what to do."""

from collections.abc import Iterator

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_SECRET = {"database_url", "redis_url", "secret_key"}
"""Settings whose values may hold a password: they are not repeated."""


def setting_problems(error: ValidationError) -> Iterator[str]:
    for problem in error.errors():
        name = "_".join(str(part) for part in problem["loc"])
        value = "" if name in _SECRET else f" is {str(problem['input'])!r}, and"
        yield f"WEFT_{name.upper()}{value} {_demand(problem)}."


def _demand(problem: ErrorDetails) -> str:
    """What the setting has to be, in words of an operator: pydantic speaks of items, inputs and types."""
    limits = problem.get("ctx", {})
    match problem["type"]:
        case "too_short" | "string_too_short":
            return f"has to have at least {limits['min_length']} characters"
        case "int_parsing" | "int_type" | "int_from_float":
            return "has to be a whole number"
        case "float_parsing" | "float_type" | "finite_number":
            return "has to be a number"
        case "bool_parsing" | "bool_type":
            return "has to be true or false"
        case "greater_than_equal":
            return f"has to be {limits['ge']} or more"
        case "less_than_equal":
            return f"has to be {limits['le']} or less"
        case "literal_error":
            return f"has to be one of {limits['expected']}"
        case _:
            return problem["msg"].removeprefix("Value error, ")


def file_problem(error: OSError) -> str | None:
    """A file or folder that cannot be used; None for an OSError of another kind, which is a bug to be seen whole."""
    return None if error.filename is None else f"{error.filename} cannot be used: {error.strerror}."
