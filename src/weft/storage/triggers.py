"""Triggers that listen to events. `webhook_triggers` has those that are called from outside."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import RowMapping, Select, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID
from weft.domain.run import TriggerType
from weft.domain.trigger import Trigger
from weft.storage.tables import trigger

_CHANGING = (
    "name",
    "event",
    "filter",
    "condition",
    "input",
    "parameters",
    "enabled",
    "position",
    "revision",
    "updated_at",
)


async def get_many(connection: AsyncConnection, workspace_id: UUID, ids: Sequence[UUID]) -> dict[UUID, Trigger]:
    rows = await connection.execute(_select(workspace_id).where(trigger.c.id.in_(ids)))
    return {row["id"]: trigger_of(row) for row in rows.mappings()}


async def of_workflows(connection: AsyncConnection, workspace_id: UUID, workflow_ids: Sequence[UUID]) -> list[Trigger]:
    """Of each of these workflows, in the order of their definitions."""
    statement = _select(workspace_id).where(trigger.c.workflow_id.in_(workflow_ids)).order_by(trigger.c.position)
    return [trigger_of(row) for row in (await connection.execute(statement)).mappings()]


async def replace_of_definition(
    connection: AsyncConnection, workspace_id: UUID, before: Sequence[Trigger], after: Sequence[Trigger]
) -> None:
    """What the definition of a workflow, whose lock the caller holds, makes of its triggers."""
    known = {one.id: one for one in before}
    kept = [one.id for one in after if one.id in known]
    mine = trigger.c.workspace_id == workspace_id
    if gone := known.keys() - set(kept):
        await connection.execute(delete(trigger).where(mine, trigger.c.id.in_(gone)))
    if any(one.id in known and one.position != known[one.id].position for one in after):
        # Out of the way first: no two of a workflow may ever have the same position.
        moved = update(trigger).where(mine, trigger.c.id.in_(kept)).values(position=-1 - trigger.c.position)
        await connection.execute(moved)
        changed = list(after)
    else:
        changed = [one for one in after if one != known.get(one.id)]
    if changed:
        statement = upsert(trigger)
        statement = statement.on_conflict_do_update(
            index_elements=["id"], set_={name: statement.excluded[name] for name in _CHANGING}, where=mine
        )
        await connection.execute(statement, [asdict(one) for one in changed])


def _select(workspace_id: UUID) -> Select[Any]:
    return select(*trigger.columns).where(trigger.c.workspace_id == workspace_id, trigger.c.type == TriggerType.EVENT)


def trigger_of(row: RowMapping) -> Trigger:
    values: dict[str, Any] = {**row, "type": TriggerType(row["type"])}
    return Trigger(**values)
