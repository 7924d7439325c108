"""Runs: started, cancelled, paused, resumed, retried, read."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.access import Role, Viewer
from weft.domain.entity import EntityFilter
from weft.domain.errors import Conflict, Invalid, LimitExceeded, NotFound, Problem
from weft.domain.ids import UUID, new_id
from weft.domain.page import Page, PageRequest
from weft.domain.progress import Progress
from weft.domain.run import Run, Selection, TriggerType
from weft.domain.workflow import Workflow, WorkflowStatus
from weft.engine.batching import cut
from weft.engine.plan import Plan
from weft.kit.json_schema import SchemaValidator, canonicalise_numbers
from weft.operations.progress import wait_for_end
from weft.operations.services import Services
from weft.storage import audit, entities, entity_types, idempotency, run_lists, runs, workflow_versions, workflows
from weft.storage.run_lists import RunFilter
from weft.storage.runs import NewRun, NewState

Change = Callable[[AsyncConnection, UUID, UUID], Awaitable[Progress | None]]

MOST_CONCURRENCY = 10_000
MOST_PRIORITY = 100
IDEMPOTENCY_KEY_LENGTH = 200


@dataclass(frozen=True, slots=True)
class StartRun:
    """What somebody asks to be run. Paths of problems name the fields as GraphQL does."""

    workflow_id: UUID
    selection: Selection = field(default_factory=Selection)
    input: Any = None
    parameters: dict[str, Any] = field(default_factory=dict[str, Any])
    priority: int = 0
    concurrency: int | None = None
    idempotency_key: str | None = None
    wait: timedelta | None = None
    """Answer when the run has ended, or after this time, whichever is first."""


@dataclass(frozen=True, slots=True)
class RetryRun:
    run_id: UUID
    from_failed_step: bool = True
    """Take over what the failed items completed; otherwise they begin again from the first step."""
    idempotency_key: str | None = None
    wait: timedelta | None = None


async def start_run(services: Services, viewer: Viewer, wanted: StartRun) -> Run:
    """The run, once it is stored; workers are woken after that."""
    viewer.need(Role.RUNNER)
    _check_numbers(services, wanted)
    async with services.database.transaction() as connection:
        run_id = new_id()
        before = await _made_before(connection, viewer, "runWorkflow", wanted, run_id)
        if before is None:
            await _start(services, viewer, connection, run_id, wanted)
    return await _started(services, viewer, before or run_id, wanted.wait)


async def retry_run(services: Services, viewer: Viewer, wanted: RetryRun) -> Run:
    """A new run over the failed items of one that has ended. What happened in that one stays as it was."""
    viewer.need(Role.RUNNER)
    _check_wait(services, wanted.wait)
    async with services.database.transaction() as connection:
        run_id = new_id()
        before = await _made_before(connection, viewer, "retryRun", wanted, run_id)
        if before is None:
            await _retry(services, viewer, connection, run_id, wanted)
    return await _started(services, viewer, before or run_id, wanted.wait)


async def cancel_run(services: Services, viewer: Viewer, run_id: UUID) -> Run:
    """End it now: what is finished stays, the rest is cancelled."""
    return await _change(services, viewer, run_id, runs.cancel, "cancelled")


async def pause_run(services: Services, viewer: Viewer, run_id: UUID) -> Run:
    """Begin no further item. Steps under way are let finish and are recorded."""
    return await _change(services, viewer, run_id, runs.pause, "paused")


async def resume_run(services: Services, viewer: Viewer, run_id: UUID) -> Run:
    run = await _change(services, viewer, run_id, runs.resume, "resumed")
    await services.wakeups.wake()
    return run


async def get_run(services: Services, viewer: Viewer, run_id: UUID) -> Run | None:
    return (await get_runs(services, viewer, [run_id]))[0]


async def get_runs(services: Services, viewer: Viewer, run_ids: Sequence[UUID]) -> list[Run | None]:
    """In the order of the ids; None where there is none in the workspace."""
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        found = await runs.get_many(connection, viewer.workspace_id, run_ids)
    return [found.get(run_id) for run_id in run_ids]


async def list_runs(services: Services, viewer: Viewer, wanted: RunFilter, request: PageRequest) -> Page[Run]:
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        return await run_lists.page(connection, viewer.workspace_id, wanted, request)


# Starting


async def _start(
    services: Services, viewer: Viewer, connection: AsyncConnection, run_id: UUID, wanted: StartRun
) -> None:
    workflow = await _runnable(connection, viewer, wanted.workflow_id)
    plan = await _plan_of(services, connection, viewer, workflow, workflow.version_id)
    _check_selection_given(workflow, wanted)
    given, parameters = _checked_values(plan, workflow, wanted)
    new = NewRun(
        id=run_id,
        workspace_id=viewer.workspace_id,
        workflow_id=workflow.id,
        version_id=workflow.version_id,
        entity_type_id=workflow.entity_type_id,
        parameters=parameters,
        input=given,
        trigger_type=TriggerType.MANUAL,
        triggered_by=viewer.key_name,
    )
    await runs.add(connection, new)
    total, held_limit = await _freeze(services, connection, new, plan, wanted)
    state = NewState(run_id, total, [step.id for step in plan.steps], wanted.priority, wanted.concurrency, held_limit)
    await runs.add_state(connection, state)
    await workflows.ran(connection, viewer.workspace_id, workflow.id)
    await audit.record(connection, viewer, "run.started", run_id, {"workflow": str(workflow.id), "total": total})


async def _runnable(connection: AsyncConnection, viewer: Viewer, workflow_id: UUID) -> Workflow:
    workflow = await workflows.get(connection, viewer.workspace_id, workflow_id)
    if workflow is None:
        raise NotFound(f"There is no workflow {workflow_id} in this workspace.", path=("workflowId",))
    if workflow.status is not WorkflowStatus.ACTIVE:
        raise Conflict(
            f"The workflow {workflow.name!r} is {workflow.status}; only an ACTIVE one can be run.",
            path=("workflowId",),
            hint="Set its status to ACTIVE with updateWorkflow.",
        )
    return workflow


async def _plan_of(
    services: Services, connection: AsyncConnection, viewer: Viewer, workflow: Workflow, version_id: UUID
) -> Plan:
    version = await workflow_versions.get(connection, viewer.workspace_id, version_id)
    if version is None:
        raise NotFound(f"The version {version_id} of the workflow is gone.")
    schema = None
    if workflow.entity_type_id is not None:
        entity_type = await entity_types.type_by_id(connection, viewer.workspace_id, workflow.entity_type_id)
        schema = None if entity_type is None else entity_type.schema
    return services.plans.get(version_id, version.definition, schema)


def _check_selection_given(workflow: Workflow, wanted: StartRun) -> None:
    if workflow.entity_type_id is not None and wanted.selection.is_empty:
        raise Invalid(
            "This workflow works on entities: say on which.",
            path=("entities",),
            hint="Give `entities: {ids: […]}`, `{filter: {…}}` or `{all: true}`.",
        )
    if workflow.entity_type_id is None and not wanted.selection.is_empty:
        raise Invalid(
            "This workflow has no entity type, so it runs on its input alone.",
            path=("entities",),
            hint="Leave `entities` out and give `input`, or set the workflow's entity type.",
        )


def _checked_values(plan: Plan, workflow: Workflow, wanted: StartRun) -> tuple[Any, dict[str, Any]]:
    """The input and the parameters by their schemas, with numbers as the schemas say; all problems at once."""
    problems: list[Problem] = []
    given = wanted.input
    if workflow.entity_type_id is None:
        given = _checked(plan.input_schema, given, "input", problems)
    elif given is not None:
        raise Invalid("A run over entities takes no input of its own.", path=("input",), hint="Use `parameters`.")
    parameters = _checked(plan.parameters_schema, wanted.parameters, "parameters", problems)
    if problems:
        raise Invalid(problems=problems)
    return given, parameters


def _checked(schema: SchemaValidator | None, value: Any, name: str, problems: list[Problem]) -> Any:
    if schema is None:
        return value
    problems += [
        Problem(Invalid.code, f"{name} {violation.message}", (name, *violation.path))
        for violation in schema.check(value)
    ]
    canonical = canonicalise_numbers(schema.schema)
    return value if problems or canonical is None else canonical(value)


async def _freeze(
    services: Services, connection: AsyncConnection, new: NewRun, plan: Plan, wanted: StartRun
) -> tuple[int, int | None]:
    """The selection as batches: how many items they hold, and how many batches may be held at once."""
    if new.entity_type_id is None:
        return await runs.freeze_input(connection, new.id), None
    chosen = wanted.selection
    if chosen.ids is not None:
        ids = await _existing(services, connection, new, new.entity_type_id, chosen.ids)
        cutting = cut(len(ids), computes_only=plan.computes_only, concurrency=wanted.concurrency)
        return await runs.freeze_ids(connection, new.id, ids, cutting.size), cutting.held_limit
    which = chosen.filter or EntityFilter()
    count = await runs.count_matching(connection, new.workspace_id, new.entity_type_id, which)
    cutting = cut(count, computes_only=plan.computes_only, concurrency=wanted.concurrency)
    total = await runs.freeze_matching(connection, new.id, new.workspace_id, new.entity_type_id, which, cutting.size)
    return total, cutting.held_limit


async def _existing(
    services: Services, connection: AsyncConnection, new: NewRun, entity_type_id: UUID, ids: Sequence[UUID]
) -> Sequence[UUID]:
    """The ids without repetition, when all are entities of the workflow's type in this workspace."""
    if len(ids) > services.limits.ids_per_selection:
        raise LimitExceeded(
            f"{len(ids):,} ids are more than the {services.limits.ids_per_selection:,} of one request.",
            path=("entities", "ids"),
            hint="Choose them with a filter.",
        )
    unique = list(dict.fromkeys(ids))
    known = await entities.existing_ids(connection, new.workspace_id, entity_type_id, unique)
    missing = [index for index, entity_id in enumerate(ids) if entity_id not in known]
    if missing:
        raise Invalid(
            problems=[
                Problem(
                    NotFound.code,
                    f"There is no entity {ids[index]} of the workflow's type in this workspace.",
                    ("entities", "ids", str(index)),
                )
                for index in missing[:20]
            ]
        )
    return unique


# Retrying


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
    workflow = await _runnable(connection, viewer, old.workflow_id)
    plan = await _plan_of(services, connection, viewer, workflow, old.version_id)
    new = NewRun(
        id=run_id,
        workspace_id=viewer.workspace_id,
        workflow_id=old.workflow_id,
        version_id=old.version_id,
        entity_type_id=old.entity_type_id,
        parameters=old.parameters,
        input=old.input,
        trigger_type=TriggerType.RETRY,
        triggered_by=viewer.key_name,
        retry_of=old.id,
    )
    await runs.add(connection, new)
    cutting = cut(old.progress.failed, computes_only=plan.computes_only, concurrency=old.concurrency)
    if old.entity_type_id is None:
        total = await runs.freeze_input(connection, run_id)
    else:
        total = await runs.freeze_failed(connection, run_id, old.id, cutting.size)
    step_ids = [step.id for step in plan.steps]
    if wanted.from_failed_step:
        await runs.copy_checkpoints(connection, run_id, old.id, step_ids)
    state = NewState(run_id, total, step_ids, old.priority, old.concurrency, cutting.held_limit)
    await runs.add_state(connection, state)
    await workflows.ran(connection, viewer.workspace_id, workflow.id)
    await audit.record(connection, viewer, "run.retried", run_id, {"retryOf": str(old.id), "total": total})


# What both share


async def _made_before(
    connection: AsyncConnection, viewer: Viewer, operation: str, wanted: StartRun | RetryRun, run_id: UUID
) -> UUID | None:
    if wanted.idempotency_key is None:
        return None
    if not 0 < len(wanted.idempotency_key) <= IDEMPOTENCY_KEY_LENGTH:
        raise Invalid(f"A key has 1 to {IDEMPOTENCY_KEY_LENGTH} characters.", path=("idempotencyKey",))
    # How long to wait for the answer is no part of what is asked for.
    body = replace(wanted, idempotency_key=None, wait=None)
    digest = hashlib.sha256(repr(body).encode()).digest()
    return await idempotency.claim(connection, viewer.workspace_id, operation, wanted.idempotency_key, digest, run_id)


async def _started(services: Services, viewer: Viewer, run_id: UUID, wait: timedelta | None) -> Run:
    await services.wakeups.wake()
    if wait is not None:
        await wait_for_end(services, viewer, run_id, wait.total_seconds())
    run = await get_run(services, viewer, run_id)
    if run is None:
        raise NotFound(f"The run {run_id} was deleted.")
    return run


def _check_numbers(services: Services, wanted: StartRun) -> None:
    problems: list[Problem] = []
    if wanted.concurrency is not None and not 1 <= wanted.concurrency <= MOST_CONCURRENCY:
        problems.append(Problem(Invalid.code, f"must be 1 to {MOST_CONCURRENCY:,}", ("concurrency",)))
    if abs(wanted.priority) > MOST_PRIORITY:
        problems.append(Problem(Invalid.code, f"must be -{MOST_PRIORITY} to {MOST_PRIORITY}", ("priority",)))
    if problems:
        raise Invalid(problems=problems)
    _check_wait(services, wanted.wait)


def _check_wait(services: Services, wait: timedelta | None) -> None:
    longest = services.limits.wait_seconds
    if wait is not None and not timedelta() <= wait <= timedelta(seconds=longest):
        raise Invalid(
            f"`wait` is 0 to {longest:g} seconds.",
            path=("wait",),
            hint="Watch longer runs with the subscription runProgress.",
        )


async def _change(services: Services, viewer: Viewer, run_id: UUID, change: Change, done: str) -> Run:
    viewer.need(Role.RUNNER)
    async with services.database.transaction() as connection:
        progress = await change(connection, viewer.workspace_id, run_id)
        run = (await runs.get_many(connection, viewer.workspace_id, [run_id])).get(run_id)
        if run is None:
            raise NotFound(f"There is no run {run_id} in this workspace.", path=("runId",))
        if progress is None:
            raise Conflict(f"The run is {run.status}: it cannot be {done}.", path=("runId",))
        await audit.record(connection, viewer, f"run.{done}", run_id)
    await services.channel.publish(progress)
    return run
