"""Starting a run: everything is checked, then the selection is frozen into batches, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.access import Role, Viewer
from weft.domain.entity import EntityFilter
from weft.domain.errors import Invalid, LimitExceeded, NotFound, Problem
from weft.domain.ids import UUID, new_id
from weft.domain.run import Run, Selection, TriggerType
from weft.domain.workflow import Workflow
from weft.engine.batching import LARGE_ENOUGH, cut
from weft.engine.plan import Plan
from weft.kit.json_schema import SchemaValidator, canonicalise_numbers
from weft.operations.run_requests import RunRequest, check_wait, made_before, plan_of, runnable, started
from weft.operations.services import Services
from weft.storage import audit, entities, runs, workflows
from weft.storage.runs import NewRun, NewState

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
    async with services.database.transaction() as connection:
        run_id = new_id()
        before = await made_before(connection, viewer, "runWorkflow", wanted, run_id)
        if before is None:
            await _start(services, viewer, connection, run_id, wanted)
    return await started(services, viewer, before or run_id, wanted.wait)


async def _start(
    services: Services, viewer: Viewer, connection: AsyncConnection, run_id: UUID, wanted: StartRun
) -> None:
    workflow = await runnable(connection, viewer, wanted.workflow_id)
    plan = await plan_of(services, connection, viewer, workflow, workflow.version_id)
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


def _check_numbers(services: Services, wanted: StartRun) -> None:
    problems: list[Problem] = []
    if wanted.concurrency is not None and not 1 <= wanted.concurrency <= MOST_CONCURRENCY:
        problems.append(Problem(Invalid.code, f"must be 1 to {MOST_CONCURRENCY:,}", ("concurrency",)))
    if abs(wanted.priority) > MOST_PRIORITY:
        problems.append(Problem(Invalid.code, f"must be -{MOST_PRIORITY} to {MOST_PRIORITY}", ("priority",)))
    if problems:
        raise Invalid(problems=problems)
    check_wait(services, wanted.wait)


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
        cutting = cut(len(ids), in_bulk=plan.in_bulk, concurrency=wanted.concurrency)
        return await runs.freeze_ids(connection, new.id, ids, cutting.size), cutting.held_limit
    which = chosen.filter or EntityFilter()
    count = await runs.count_matching(connection, new.workspace_id, new.entity_type_id, which, most=LARGE_ENOUGH)
    cutting = cut(count, in_bulk=plan.in_bulk, concurrency=wanted.concurrency)
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
