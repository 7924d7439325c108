"""The input and the parameters of a run, by the schemas of its plan."""

from typing import Any

from weft.domain.errors import Invalid, Problem
from weft.domain.workflow import Workflow
from weft.engine.plan import Plan
from weft.kit.json_schema import SchemaValidator, canonicalise_numbers


def check_values(plan: Plan, workflow: Workflow, given: Any, parameters: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Input and parameters, with numbers as the schemas say. Raises `Invalid` with all problems at once."""
    problems: list[Problem] = []
    if workflow.entity_type_id is None:
        given = _checked(plan.input_schema, given, "input", problems)
    elif given is not None:
        raise Invalid("A run over entities takes no input of its own.", path=("input",), hint="Use `parameters`.")
    parameters = _checked(plan.parameters_schema, parameters, "parameters", problems)
    if problems:
        raise Invalid(problems=problems)
    return given, parameters


def _checked(schema: SchemaValidator | None, value: Any, name: str, problems: list[Problem]) -> Any:
    if schema is None:
        return value
    problems += [
        Problem(Invalid.code, f"{name} {violation.message}", (name, *violation.path))
        for violation in schema.check(value)
    ]
    canonical = canonicalise_numbers(schema.schema)
    return value if problems or canonical is None else canonical(value)
