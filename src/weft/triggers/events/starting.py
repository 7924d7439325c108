"""Carrying out what was chosen: firings and runs, in the transaction that marks the events as handled."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.errors import CallerError, Problem
from weft.domain.ids import UUID, new_id
from weft.domain.run import Selection
from weft.domain.trigger import Cause, FiringOutcome
from weft.engine.plan import Plan
from weft.engine.plans import PlanCache
from weft.engine.starting import NewStart, SmallRun, check_values, plan_of, start, start_small_runs
from weft.storage import event_queue, firings
from weft.storage.database import DATABASE_IS_AWAY, in_short, is_passing
from weft.storage.firings import NewFiring
from weft.triggers.events.choosing import Choice, Refusal, Start

log = structlog.get_logger(__name__)

PROBLEMS_TOLD = 5


@dataclass(frozen=True, slots=True)
class ReadyRun:
    """A choice that is to become a run, and can."""

    choice: Choice
    id: UUID
    plan: Plan
    start: Start
    """Checked, with numbers as the schemas say."""


Prepared = ReadyRun | Choice
"""A choice that comes to no run is a refusal."""


@dataclass(frozen=True, slots=True)
class Starter:
    plans: PlanCache

    async def prepared(self, connection: AsyncConnection, choice: Choice, plans: dict[UUID, Plan | str]) -> Prepared:
        """Whether the run could begin. `plans` are those of the round, or why there are none."""
        workflow, wanted = choice.workflow, choice.comes_to
        if isinstance(wanted, Refusal):
            return choice
        plan = plans.get(workflow.id)
        if plan is None:
            plan = plans[workflow.id] = await self._plan(connection, choice)
        if isinstance(plan, str):
            return choice.refused(plan)
        try:
            given, parameters = check_values(plan, workflow, wanted.input, wanted.parameters)
        except CallerError as error:
            return choice.refused(_in_words("The run could not begin with this", error.problems))
        return ReadyRun(choice, new_id(), plan, Start(given, parameters, wanted.entity_ids))

    async def carry_out(self, connection: AsyncConnection, prepared: Sequence[Prepared], now: datetime) -> int:
        """How many runs were started."""
        prepared = await _with_known_entities(connection, prepared)
        await firings.add(connection, [_firing_of(one) for one in prepared if isinstance(one, Choice)])
        # Always in the same order: two transactions that start runs of the same workflows never wait for each other in a circle.
        runs = [one for one in prepared if isinstance(one, ReadyRun)]
        runs.sort(key=lambda one: one.choice.workflow.id)
        try:
            async with connection.begin_nested():
                return await _begin(connection, runs, now)
        except Exception as error:
            if is_broken(error):
                raise
            # An error of the database shows all values of its statement: what people stored does not belong into a log.
            trace = None if isinstance(error, (CallerError, *DATABASE_IS_AWAY)) else error
            log.warning("Runs that events start are stored one by one", error=in_short(error), exc_info=trace)
        return await _begin_each(connection, runs, now)

    async def _plan(self, connection: AsyncConnection, choice: Choice) -> Plan | str:
        """Or why there is none."""
        try:
            return await plan_of(connection, self.plans, choice.workflow)
        except CallerError as error:
            return _in_words("The workflow cannot be run by this version of Weft", error.problems)


def is_broken(error: Exception) -> bool:
    """Whether it is not the fault of what was to be started: the database is away, or said to try again."""
    return isinstance(error, DATABASE_IS_AWAY) and is_passing(error)


async def _with_known_entities(connection: AsyncConnection, prepared: Sequence[Prepared]) -> Sequence[Prepared]:
    """Of the entities that they name, those of the workflow's type that are there; a refusal where there is none."""
    named = {
        (one.choice.workflow.workspace_id, one.choice.workflow.entity_type_id, entity_id)
        for one in prepared
        if isinstance(one, ReadyRun) and one.choice.workflow.entity_type_id is not None
        for entity_id in one.start.entity_ids
    }
    if not named:
        return prepared
    known = await event_queue.existing(connection, list(named))
    return [_known(one, known) for one in prepared]


def _known(one: Prepared, known: set[tuple[UUID, UUID]]) -> Prepared:
    if isinstance(one, Choice) or (type_id := one.choice.workflow.entity_type_id) is None:
        return one
    wanted = one.start
    ids = [entity_id for entity_id in wanted.entity_ids if (type_id, entity_id) in known]
    if not ids:
        some = ", ".join(map(str, wanted.entity_ids[:3])) + (", …" if len(wanted.entity_ids) > 3 else "")  # noqa: PLR2004 - enough to recognise them
        return one.choice.refused(f"The event names no entity of the workflow's type: {some}.")
    return replace(one, start=replace(wanted, entity_ids=ids))


async def _begin(connection: AsyncConnection, runs: Sequence[ReadyRun], now: datetime) -> int:
    """Firings first: where there is one for the same workflow and event, this is no second run."""
    added = await firings.add(connection, [_firing_of(one.choice, one.id) for one in runs])
    new = [one for one, is_new in zip(runs, added, strict=True) if is_new]
    small = [_small(one) for one in new if len(one.start.entity_ids) <= 1]
    await start_small_runs(connection, small, now)
    for one in new:
        if len(one.start.entity_ids) > 1:
            selection = Selection(ids=tuple(one.start.entity_ids))
            wanted = NewStart(one.choice.workflow, _cause(one.choice), selection, None, one.start.parameters)
            await start(connection, one.id, wanted, one.plan, now)
    return len(new)


async def _begin_each(connection: AsyncConnection, runs: Sequence[ReadyRun], now: datetime) -> int:
    """One that cannot be stored costs only itself."""
    begun = 0
    for one in runs:
        try:
            async with connection.begin_nested():
                begun += await _begin(connection, [one], now)
        except Exception as error:
            if is_broken(error):
                raise
            await firings.add(connection, [_firing_of(one.choice.refused(_why_not(one.choice, error)))])
    return begun


def _why_not(choice: Choice, error: Exception) -> str:
    if isinstance(error, CallerError):  # an entity that was there a moment ago
        return _in_words("The run could not begin", error.problems)
    workflow, event, why = str(choice.workflow.id), str(choice.event.id), in_short(error)
    log.warning("A run that an event starts cannot be stored", workflow=workflow, event_id=event, error=why)
    return f"A fault of Weft kept the run from being stored: {type(error).__name__}."


def _small(run: ReadyRun) -> SmallRun:
    entity_id = next(iter(run.start.entity_ids), None)
    return SmallRun(
        run.id, run.choice.workflow, run.plan, _cause(run.choice), entity_id, run.start.input, run.start.parameters
    )


def _cause(choice: Choice) -> Cause:
    trigger, event = choice.trigger, choice.event
    return Cause(trigger.type, trigger.name, trigger.id, event.id, event.depth)


def _firing_of(choice: Choice, run_id: UUID | None = None) -> NewFiring:
    refusal = choice.comes_to if isinstance(choice.comes_to, Refusal) else None
    return NewFiring(
        workspace_id=choice.event.workspace_id,
        workflow_id=choice.workflow.id,
        trigger_type=choice.trigger.type,
        trigger_id=choice.trigger.id,
        trigger_name=choice.trigger.name,
        outcome=FiringOutcome.STARTED if refusal is None else refusal.outcome,
        event_id=choice.event.id,
        run_id=run_id,
        reason=None if refusal is None else refusal.reason,
    )


def _in_words(what: str, problems: Sequence[Problem]) -> str:
    told = "; ".join(
        f"{problem.message.rstrip('.')} ({'.'.join(problem.path)})" for problem in problems[:PROBLEMS_TOLD]
    )
    more = f"; and {len(problems) - PROBLEMS_TOLD} more" if len(problems) > PROBLEMS_TOLD else ""
    return f"{what}: {told}{more}."
