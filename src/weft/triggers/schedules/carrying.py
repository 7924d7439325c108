"""Carrying out what is due, in the transaction that holds the schedule: its firing, its run, its next slot."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.errors import CallerError, Conflict, NotFound, Problem
from weft.domain.ids import UUID, new_id
from weft.domain.run import TriggerType
from weft.domain.schedule import CatchUp, Overlap, Schedule
from weft.domain.trigger import Cause, FiringOutcome
from weft.domain.workflow import Workflow, WorkflowStatus
from weft.engine.plans import PlanCache
from weft.engine.starting import NewStart, plan_of, start
from weft.storage import firings, schedule_slots, workflows
from weft.storage.firings import NewFiring
from weft.storage.outage import outage
from weft.triggers.schedules.cron import read_cron
from weft.triggers.schedules.due import MOST_CAUGHT_UP, Fire, Pass, decide
from weft.triggers.schedules.zones import read_zone

log = structlog.get_logger(__name__)

MOST_QUEUED = 100
"""Of one schedule. Who is further behind than that does not catch up."""
PROBLEMS_TOLD = 5

_CATCHING_UP = {
    CatchUp.NONE: "none of them",
    CatchUp.LAST: "the last one only",
    CatchUp.ALL: f"no more than the last {MOST_CAUGHT_UP:,}",
}


@dataclass(frozen=True, slots=True)
class _Refused:
    reason: str


@dataclass(frozen=True, slots=True)
class Carrier:
    plans: PlanCache

    async def carry_due(self, connection: AsyncConnection, schedule: Schedule, due_at: datetime, now: datetime) -> bool:
        """Whether a run was started."""
        cron, zone = read_cron(schedule.cron_expression), read_zone(schedule.timezone)
        decision = decide(cron, zone, due_at, now, schedule.catch_up)
        noted: dict[str, Any] = {"next_at": decision.next_at}
        match decision:
            case Pass():
                reason = _in_words(decision, schedule.catch_up)
                await firings.add(connection, [_firing(schedule, decision.first, FiringOutcome.SKIPPED, reason)])
                noted["last_slot_at"] = decision.last
            case Fire():
                noted["last_slot_at"] = decision.slot
                noted |= await self._fire(connection, schedule, decision.slot, now)
        await schedule_slots.move(connection, schedule, **noted)
        return "last_run_at" in noted

    async def carry_waiting(self, connection: AsyncConnection, schedule: Schedule, now: datetime) -> bool:
        """The run of the first slot that waits, where no other is under way. Whether it was started."""
        before = await schedule_slots.open_run(connection, schedule)
        if before is not None:
            await schedule_slots.move(connection, schedule, waits_for=before.id)
            return False
        slot, *rest = schedule.queue
        begun = await self._begin(connection, schedule, slot, now, queued=True)
        noted: dict[str, Any] = {"queue": rest}
        if isinstance(begun, _Refused):
            await schedule_slots.settle(connection, schedule, [slot], FiringOutcome.REFUSED, reason=begun.reason)
            noted |= {} if rest else {"waits_for": None}
        else:
            noted |= {"last_run_at": now, "waits_for": begun if rest else None}
        await schedule_slots.move(connection, schedule, **noted)
        return "last_run_at" in noted

    async def _fire(
        self, connection: AsyncConnection, schedule: Schedule, slot: datetime, now: datetime
    ) -> dict[str, Any]:
        """What is to be noted of the schedule."""
        before = None
        if schedule.overlap is not Overlap.ALLOW:
            before = await schedule_slots.open_run(connection, schedule)
        if before is not None and schedule.overlap is Overlap.SKIP:
            reason = f"The run {before.id} of this schedule is {before.status} still."
            await firings.add(connection, [_firing(schedule, slot, FiringOutcome.SKIPPED, reason)])
            return {}
        if before is not None or schedule.queue:
            return await _queue(connection, schedule, slot, schedule.waits_for if before is None else before.id)
        begun = await self._begin(connection, schedule, slot, now, queued=False)
        if isinstance(begun, _Refused):
            await firings.add(connection, [_firing(schedule, slot, FiringOutcome.REFUSED, begun.reason)])
            return {}
        return {} if begun is None else {"last_run_at": now}

    async def _begin(
        self, connection: AsyncConnection, schedule: Schedule, slot: datetime, now: datetime, *, queued: bool
    ) -> UUID | _Refused | None:
        """The run that was started, with its firing; None where the slot had one before."""
        run_id = new_id()
        try:
            async with connection.begin_nested():
                if queued:
                    await schedule_slots.settle(connection, schedule, [slot], FiringOutcome.STARTED, run_id=run_id)
                elif not all(await firings.add(connection, [_started(schedule, slot, run_id)])):
                    return None
                await self._start(connection, schedule, run_id, now)
        except CallerError as error:
            return _Refused(_told(error.problems))
        except Exception as error:
            if outage(error) is not None:
                raise
            log.exception("A run of a schedule could not be started", schedule=str(schedule.id), exc_info=error)
            return _Refused(f"A fault of Weft kept the run from being started: {type(error).__name__}.")
        return run_id

    async def _start(self, connection: AsyncConnection, schedule: Schedule, run_id: UUID, now: datetime) -> None:
        workflow = _runnable(await workflows.get(connection, schedule.workspace_id, schedule.workflow_id))
        plan = await plan_of(connection, self.plans, workflow)
        cause = Cause(TriggerType.SCHEDULE, schedule.name, schedule.id)
        new = NewStart(workflow, cause, schedule.selection, schedule.input, schedule.parameters)
        await start(connection, run_id, new, plan, now)


async def _queue(
    connection: AsyncConnection, schedule: Schedule, slot: datetime, waits_for: UUID | None
) -> dict[str, Any]:
    if len(schedule.queue) >= MOST_QUEUED:
        reason = f"{MOST_QUEUED} runs of this schedule wait already."
        await firings.add(connection, [_firing(schedule, slot, FiringOutcome.SKIPPED, reason)])
        return {}
    reason = f"Waits for the end of the run {waits_for}."
    if not all(await firings.add(connection, [_firing(schedule, slot, FiringOutcome.QUEUED, reason)])):
        return {}
    return {"queue": [*schedule.queue, slot], "waits_for": waits_for}


def _runnable(workflow: Workflow | None) -> Workflow:
    if workflow is None:
        raise NotFound("The workflow is gone.")
    if workflow.status is not WorkflowStatus.ACTIVE:
        raise Conflict(f"The workflow {workflow.name!r} is {workflow.status}; only an ACTIVE one can be run.")
    if not workflow.enabled:
        raise Conflict(f"The workflow {workflow.name!r} is disabled: nothing starts it by itself.")
    return workflow


def _firing(schedule: Schedule, slot: datetime, outcome: FiringOutcome, reason: str) -> NewFiring:
    return NewFiring(
        workspace_id=schedule.workspace_id,
        workflow_id=schedule.workflow_id,
        trigger_type=TriggerType.SCHEDULE,
        trigger_id=schedule.id,
        trigger_name=schedule.name,
        outcome=outcome,
        slot_at=slot,
        reason=reason,
    )


def _started(schedule: Schedule, slot: datetime, run_id: UUID) -> NewFiring:
    return NewFiring(
        workspace_id=schedule.workspace_id,
        workflow_id=schedule.workflow_id,
        trigger_type=TriggerType.SCHEDULE,
        trigger_id=schedule.id,
        trigger_name=schedule.name,
        outcome=FiringOutcome.STARTED,
        slot_at=slot,
        run_id=run_id,
    )


def _in_words(passed: Pass, catch_up: CatchUp) -> str:
    since, until = (moment.isoformat().replace("+00:00", "Z") for moment in (passed.first, passed.last))
    times = (
        f"The time {since} was missed"
        if passed.count == 1
        else f"{passed.count:,} times were missed, {since} to {until}"
    )
    return f"{times}: no worker was there. Of missed times the schedule catches up on {_CATCHING_UP[catch_up]}."


def _told(problems: tuple[Problem, ...]) -> str:
    told = "; ".join(_with_its_path(problem) for problem in problems[:PROBLEMS_TOLD])
    more = f"; and {len(problems) - PROBLEMS_TOLD} more" if len(problems) > PROBLEMS_TOLD else ""
    return f"{told}{more}."


def _with_its_path(problem: Problem) -> str:
    message = problem.message.rstrip(".")
    return f"{'.'.join(problem.path)}: {message}" if problem.path else message
