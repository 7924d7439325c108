"""Retrying a run: a new run over the failed items of one that has ended, from where they failed."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.access import Role, Viewer
from weft.domain.errors import Conflict, NotFound
from weft.domain.ids import UUID, new_id
from weft.domain.run import Run, TriggerType
from weft.domain.trigger import Cause
from weft.engine.batching import cut
from weft.engine.starting import plan_of
from weft.operations.run_requests import RunRequest, check_wait, made_before, runnable, started
from weft.operations.run_webhooks import add_webhook, check_webhook
from weft.operations.services import Services
from weft.storage import audit, runs
from weft.storage.run_milestones import note_started
from weft.storage.runs import NewRun, NewState


@dataclass(frozen=True, slots=True)
class RetryRun(RunRequest):
    run_id: UUID
    from_failed_step: bool = True
    """Take over what the failed items completed; otherwise they begin again from the first step."""


async def retry_run(services: Services, viewer: Viewer, wanted: RetryRun) -> Run:
    """A new run over the failed items of one that has ended. What happened in that one stays as it was."""
    viewer.need(Role.RUNNER)
    check_wait(services, wanted.wait)
    check_webhook(wanted.webhook)
    async with services.database.transaction() as connection:
        run_id = wanted.new_run_id or new_id()
        before = await made_before(connection, viewer, "retryRun", wanted, run_id)
        if before is None:
            await _retry(services, viewer, connection, run_id, wanted)
    return await started(services, viewer, before or run_id, wanted.wait)


async def _retry(
    services: Services, viewer: Viewer, connection: AsyncConnection, run_id: UUID, wanted: RetryRun
) -> None:
    old = (await runs.get_many(connection, viewer.workspace_id, [wanted.run_id])).get(wanted.run_id)
    if old is None:
        raise NotFound(f"There is no run {wanted.run_id} in this workspace.", path=("runId",))
    if not old.status.is_terminal:
        raise Conflict(
            f"The run is {old.status}: its failed items can be retried when it has ended.",
            path=("runId",),
            hint="Wait for its end, or cancel it.",
        )
    if old.progress.failed == 0:
        raise Conflict("No item of this run failed.", path=("runId",))
    workflow = await runnable(connection, viewer, old.workflow_id)
    plan = await plan_of(connection, services.plans, workflow, old.version_id)
    new = NewRun(
        id=run_id,
        workspace_id=viewer.workspace_id,
        workflow_id=old.workflow_id,
        version_id=old.version_id,
        entity_type_id=old.entity_type_id,
        parameters=old.parameters,
        input=old.input,
        cause=Cause(TriggerType.RETRY, viewer.key_name),
        retry_of=old.id,
    )
    await runs.add(connection, new)
    cutting = cut(old.progress.failed, in_bulk=plan.in_bulk, concurrency=old.concurrency)
    if old.entity_type_id is None:
        total = await runs.freeze_input(connection, run_id)
    else:
        total = await runs.freeze_failed(connection, run_id, old.id, cutting.size)
    if total == 0:
        raise Conflict("The items of this run are no longer kept, so none of them can be retried.", path=("runId",))
    step_ids = [step.id for step in plan.steps]
    if wanted.from_failed_step:
        await runs.copy_checkpoints(connection, run_id, old.id, step_ids)
    now = services.clock()
    await runs.add_state(
        connection, NewState(run_id, total, step_ids, old.priority, old.concurrency, cutting.held_limit, now)
    )
    await note_started(connection, [run_id])
    told = await add_webhook(services, connection, viewer, run_id, wanted.webhook)
    await audit.record(connection, viewer, "run.retried", run_id, {"retryOf": str(old.id), "total": total} | told)
