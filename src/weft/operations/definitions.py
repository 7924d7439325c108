"""Definitions as they come in: bounded in size, checked, brought into the canonical spelling."""

from dataclasses import dataclass
from typing import Any

import orjson

from weft.domain.entity import JsonSchema
from weft.domain.errors import ErrorCode, Problem
from weft.domain.ids import UUID
from weft.domain.spelling import write_definition
from weft.engine.compiling.compiler import examine, examine_outside
from weft.kit.json import dump_bytes
from weft.operations.services import Services


@dataclass(frozen=True, slots=True)
class CheckedDefinition:
    """`canonical` is what a version stores; with problems it is as much of it as could be read."""

    canonical: dict[str, Any]
    steps_count: int
    problems: tuple[Problem, ...]


async def check_definition(
    services: Services, workspace_id: UUID, written: Any, entity_schema: JsonSchema | None
) -> CheckedDefinition:
    """Every problem has its path under `definition`. Asks the outside, so it is never called within a transaction."""
    limits = services.limits
    if (too_large := _size_problem(written, limits.definition_bytes)) is not None:
        return CheckedDefinition({}, 0, (too_large,))
    examined = examine(written, services.catalogue, entity_schema, max_steps=limits.steps_per_definition)
    outside = await examine_outside(examined, services.world.of(workspace_id))
    return CheckedDefinition(
        canonical=write_definition(examined.definition),
        steps_count=len(examined.definition.steps),
        problems=tuple(problem.under("definition") for problem in (*examined.problems, *outside)),
    )


def _size_problem(written: Any, largest: int) -> Problem | None:
    try:
        size = len(dump_bytes(written))
    except orjson.JSONEncodeError:
        return Problem(ErrorCode.INVALID, "The definition is nested too deeply, or is no JSON.", ("definition",))
    if size > largest:
        message = f"The definition has {size:,} bytes; at most {largest:,} are allowed."
        return Problem(ErrorCode.LIMIT_EXCEEDED, message, ("definition",))
    return None
