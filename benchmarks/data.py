"""Entities in their table, and a workflow to run over them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import orjson

from benchmarks.customers import SCHEMA, STEPS, entity_data
from benchmarks.system import System
from weft.domain.ids import UUID, new_id
from weft.graphql.nodes import encode_id, read_id

CHUNK = 10_000

CREATE_TYPE = """mutation ($input: CreateEntityTypeInput!) {
  createEntityType(input: $input) { entityType { id } errors { message path } } }"""
CREATE_WORKFLOW = """mutation ($input: CreateWorkflowInput!) {
  createWorkflow(input: $input) { workflow { id } errors { message path } } }"""


@dataclass(frozen=True, slots=True)
class Dataset:
    """The entities of a type, and the workflow that is run over them. Ids are GraphQL's where they are texts."""

    workflow: str
    entity_type: UUID
    size: int
    failing: int
    """How many of them fail in W1's second step."""
    some: Sequence[str]
    """The ids of the first entities."""


async def make_dataset(
    system: System, name: str, size: int, *, steps: Sequence[dict[str, Any]] = STEPS, failing_every: int = 0
) -> Dataset:
    """With `failing_every`, the first and then every so manieth entity fails."""
    made = await system.client.change(CREATE_TYPE, name=name, schema=SCHEMA)
    type_key = made["entityType"]["id"]
    type_id = read_id(type_key, "EntityType")
    some = await _add_entities(system, type_id, size, failing_every)
    made = await system.client.change(
        CREATE_WORKFLOW, name=name, entityTypeId=type_key, definition={"steps": list(steps)}
    )
    failing = len(range(0, size, failing_every)) if failing_every else 0
    return Dataset(made["workflow"]["id"], type_id, size, failing, [encode_id("Entity", key) for key in some])


async def workspace_of(system: System, type_id: UUID) -> UUID:
    query = "SELECT workspace_id FROM entity_type WHERE id = $1"
    return cast("UUID", await system.connection.fetchval(query, type_id))


async def _add_entities(system: System, type_id: UUID, size: int, failing_every: int) -> list[UUID]:
    """The ids of the first ones."""
    workspace = await workspace_of(system, type_id)
    some: list[UUID] = []
    for first in range(0, size, CHUNK):
        numbers = range(first, min(first + CHUNK, size))
        rows = [
            (new_id(), workspace, type_id, f"c{number}", orjson.dumps(entity_data(number, fails=fails)).decode())
            for number in numbers
            for fails in (bool(failing_every) and number % failing_every == 0,)
        ]
        some = some or [row[0] for row in rows[:200]]
        columns = ["id", "workspace_id", "entity_type_id", "external_id", "data"]
        await system.connection.copy_records_to_table("entity", columns=columns, records=rows)
    # Statistics for the planner, and no hint bits left for the first reader to write.
    await system.connection.execute("VACUUM (ANALYZE) entity")
    return some
