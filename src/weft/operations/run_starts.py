"""Starting a run: everything is checked, then the selection is frozen into batches, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.access import Role, Viewer
from weft.domain.errors import Invalid, LimitExceeded, Problem
from weft.domain.ids import UUID, new_id
from weft.domain.run import Run, Selection, TriggerType
from weft.domain.trigger import Cause
from weft.engine.starting import NewStart, plan_of, start
from weft.operations.entity_filters import check_filter
from weft.operations.run_requests import RunRequest, check_wait, made_before, runnable, started
from weft.operations.run_webhooks import add_webhook, check_webhook
from weft.operations.services import Services
from weft.storage import audit

MOST_CONCURRENCY = 10_000
MOST_PRIORITY = 100


@dataclass(frozen=True, slots=True)
class StartRun(RunRequest):
    """What somebody asks to be run. Paths of problems name the fields as GraphQL does."""

    workflow_id: UUID
    selection: Selection = field(default_factory=Selection)
    input: Any = None
    parameters: dict[str, Any] = field(default_factory=dict[str, Any])
    priority: int = 0
    concurrency: int | None = None


async def start_run(services: Services, viewer: Viewer, wanted: StartRun) -> Run:
    """The run, once it is stored; workers are woken after that."""
    viewer.need(Role.RUNNER)
    _check_numbers(services, wanted)
    check_ids(services, wanted.selection.ids or ())
    check_webhook(wanted.webhook)
    async with services.database.transaction() as connection:
        run_id = wanted.new_run_id or new_id()
        before = await made_before(connection, viewer, "runWorkflow", wanted, run_id)
        if before is None:
            await _start(services, viewer, connection, run_id, wanted)
    return await started(services, viewer, before or run_id, wanted.wait)


async def _start(
    services: Services, viewer: Viewer, connection: AsyncConnection, run_id: UUID, wanted: StartRun
) -> None:
    workflow = await runnable(connection, viewer, wanted.workflow_id)
    plan = await plan_of(connection, services.plans, workflow)
    if wanted.selection.filter is not None:
        check_filter(wanted.selection.filter, plan.entity_schema, "entities", "filter")
    new = NewStart(
        workflow=workflow,
        cause=Cause(TriggerType.MANUAL, viewer.key_name),
        selection=wanted.selection,
        input=wanted.input,
        parameters=wanted.parameters,
        priority=wanted.priority,
        concurrency=wanted.concurrency,
    )
    total = await start(connection, run_id, new, plan, services.clock())
    told = await add_webhook(services, connection, viewer, run_id, wanted.webhook)
    await audit.record(connection, viewer, "run.started", run_id, {"workflow": str(workflow.id), "total": total} | told)


def _check_numbers(services: Services, wanted: StartRun) -> None:
    problems: list[Problem] = []
    if wanted.concurrency is not None and not 1 <= wanted.concurrency <= MOST_CONCURRENCY:
        problems.append(Problem(Invalid.code, f"must be 1 to {MOST_CONCURRENCY:,}", ("concurrency",)))
    if abs(wanted.priority) > MOST_PRIORITY:
        problems.append(Problem(Invalid.code, f"must be -{MOST_PRIORITY} to {MOST_PRIORITY}", ("priority",)))
    if problems:
        raise Invalid(problems=problems)
    check_wait(services, wanted.wait)


def check_ids(services: Services, ids: Sequence[UUID]) -> None:
    if len(ids) > services.limits.ids_per_selection:
        raise LimitExceeded(
            f"{len(ids):,} ids are more than the {services.limits.ids_per_selection:,} of one request.",
            path=("entities", "ids"),
            hint="Choose them with a filter.",
        )
