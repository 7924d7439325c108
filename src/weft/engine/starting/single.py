"""One run, over any selection."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID
from weft.domain.run import Selection
from weft.domain.trigger import Cause
from weft.domain.workflow import Workflow
from weft.engine.plan import Plan
from weft.engine.starting.selecting import check_selection_given, freeze
from weft.engine.starting.values import check_values
from weft.storage import runs
from weft.storage.run_milestones import note_ended, note_started
from weft.storage.runs import NewRun, NewState


@dataclass(frozen=True, slots=True)
class NewStart:
    """What is to be run, and why."""

    workflow: Workflow
    cause: Cause
    selection: Selection = field(default_factory=Selection)
    input: Any = None
    parameters: dict[str, Any] = field(default_factory=dict[str, Any])
    priority: int = 0
    concurrency: int | None = None


async def start(connection: AsyncConnection, run_id: UUID, new: NewStart, plan: Plan, now: datetime) -> int:
    """How many items the run has. Raises a `CallerError` for what does not fit the workflow."""
    workflow = new.workflow
    check_selection_given(workflow, new.selection)
    given, parameters = check_values(plan, workflow, new.input, new.parameters)
    row = NewRun(
        id=run_id,
        workspace_id=workflow.workspace_id,
        workflow_id=workflow.id,
        version_id=workflow.version_id,
        entity_type_id=workflow.entity_type_id,
        parameters=parameters,
        input=given,
        cause=new.cause,
    )
    await runs.add(connection, row)
    frozen = await freeze(connection, run_id, workflow, plan, new.selection, new.concurrency)
    step_ids = [step.id for step in plan.steps]
    state = NewState(run_id, frozen.total, step_ids, new.priority, new.concurrency, frozen.held_limit, now)
    await runs.add_state(connection, state)
    await note_started(connection, [run_id])
    if frozen.total == 0:
        await note_ended(connection, run_id)
    return frozen.total
