"""Definitions as they come in: bounded in size, checked, brought into the canonical spelling."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from weft.domain.definition import Definition
from weft.domain.entity import JsonSchema
from weft.domain.errors import ErrorCode, Problem
from weft.domain.files import DOCUMENT_SCHEMA
from weft.domain.ids import UUID
from weft.domain.spelling import Reading, read_definition, write_definition
from weft.domain.spelling.configs import schemas_named
from weft.engine.compiling.compiler import examine, examine_outside
from weft.kit.json import dump_bytes
from weft.operations.event_triggers import as_given_beside, is_of_documents, problems_of_triggers, with_triggers
from weft.operations.services import Services
from weft.storage import entity_types

_NOTHING = Definition(())


@dataclass(frozen=True, slots=True)
class CheckedDefinition:
    """`canonical` is what a version stores; with problems it is as much of it as could be read."""

    canonical: dict[str, Any]
    steps_count: int
    problems: tuple[Problem, ...]
    definition: Definition = _NOTHING
    of_documents: bool = False
    """Whether the workflow is to work on documents, though no entity type was named."""


async def check_definition(
    services: Services,
    workspace_id: UUID,
    written: Any,
    entity_schema: JsonSchema | None,
    *,
    triggers: Any = None,
    may_be_of_documents: bool = False,
) -> CheckedDefinition:
    """Every problem has its path under `definition`, or `triggers` where those were given beside it. Asks the outside, so it
    is never called within a transaction.
    """
    limits = services.limits
    written = with_triggers(written, triggers)
    if (too_large := _size_problem(written, limits.definition_bytes)) is not None:
        return CheckedDefinition({}, 0, (too_large,))
    reading = read_definition(written)
    of_documents = may_be_of_documents and entity_schema is None and is_of_documents(reading.definition)
    if of_documents:
        entity_schema = DOCUMENT_SCHEMA
    schemas = await _schemas(services, workspace_id, reading)
    examined = examine(
        written, services.catalogue, entity_schema, max_steps=limits.steps_per_definition, schemas=schemas
    )
    canonical = write_definition(examined.definition)
    # With the schemas that its steps refer to it has grown.
    if schemas and (too_large := _size_problem(canonical, limits.definition_bytes)) is not None:
        return CheckedDefinition({}, 0, (too_large,))
    outside = await examine_outside(examined, services.world.of(workspace_id))
    of_triggers = problems_of_triggers(examined, over_entities=entity_schema is not None)
    problems = [problem.under("definition") for problem in (*examined.problems, *of_triggers, *outside)]
    return CheckedDefinition(
        canonical=canonical,
        steps_count=len(examined.definition.steps),
        problems=tuple(problems if triggers is None else map(as_given_beside, problems)),
        definition=examined.definition,
        of_documents=of_documents,
    )


async def _schemas(services: Services, workspace_id: UUID, reading: Reading) -> Mapping[str, JsonSchema]:
    """Those of the entity types that `schemaId` refers to: the version keeps them as they are now."""
    references = schemas_named(reading, services.catalogue)
    if not references:
        return {}
    async with services.database.reading() as connection:
        return await entity_types.schemas_by_reference(connection, workspace_id, references)


def _size_problem(written: Any, largest: int) -> Problem | None:
    try:
        size = len(dump_bytes(written))
    except orjson.JSONEncodeError:
        return Problem(ErrorCode.INVALID, "The definition is nested too deeply, or is no JSON.", ("definition",))
    if size > largest:
        message = f"The definition has {size:,} bytes; at most {largest:,} are allowed."
        return Problem(ErrorCode.LIMIT_EXCEEDED, message, ("definition",))
    return None
