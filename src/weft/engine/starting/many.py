"""Many runs at once, each over one entity or over its input."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID
from weft.domain.trigger import Cause
from weft.domain.workflow import Workflow
from weft.engine.plan import Plan
from weft.storage import runs
from weft.storage.run_milestones import note_started
from weft.storage.runs import NewRun, NewState


@dataclass(frozen=True, slots=True)
class SmallRun:
    """A run of one item. What goes into it has been checked: `check_values`, and the entity is one of the workflow's type."""

    id: UUID
    workflow: Workflow
    plan: Plan
    cause: Cause
    entity_id: UUID | None
    """None for a workflow that runs on its input alone."""
    input: Any
    parameters: dict[str, Any]


async def start_small_runs(connection: AsyncConnection, new: Sequence[SmallRun], now: datetime) -> None:
    """All of them in a handful of statements, whatever their workflows."""
    if not new:
        return
    await runs.add(connection, *(_row(one) for one in new))
    over_input = [one.id for one in new if one.entity_id is None]
    if over_input:
        await runs.freeze_input(connection, *over_input)
    over_entities = {one.id: one.entity_id for one in new if one.entity_id is not None}
    if over_entities:
        await runs.freeze_entity(connection, over_entities)
    await runs.add_state(connection, *(_state(one, now) for one in new))
    await note_started(connection, [one.id for one in new])


def _row(new: SmallRun) -> NewRun:
    return NewRun(
        id=new.id,
        workspace_id=new.workflow.workspace_id,
        workflow_id=new.workflow.id,
        version_id=new.workflow.version_id,
        entity_type_id=new.workflow.entity_type_id,
        parameters=new.parameters,
        input=new.input,
        cause=new.cause,
    )


def _state(new: SmallRun, now: datetime) -> NewState:
    return NewState(new.id, 1, [step.id for step in new.plan.steps], 0, None, None, now)
