"""The selection of a run, frozen into batches."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.entity import EntityFilter
from weft.domain.errors import Invalid, NotFound, Problem
from weft.domain.ids import UUID
from weft.domain.run import Selection
from weft.domain.workflow import Workflow
from weft.engine.batching import LARGE_ENOUGH, cut
from weft.engine.plan import Plan
from weft.storage import entities, runs

PROBLEMS_NAMED = 20


@dataclass(frozen=True, slots=True)
class Frozen:
    total: int
    """Items."""
    held_limit: int | None
    """Batches that may be held at once over all workers; None for no limit."""


def check_selection_given(workflow: Workflow, selection: Selection) -> None:
    if workflow.entity_type_id is not None and selection.is_empty:
        raise Invalid(
            "This workflow works on entities: say on which.",
            path=("entities",),
            hint="Give `entities: {ids: […]}`, `{filter: {…}}` or `{all: true}`.",
        )
    if workflow.entity_type_id is None and not selection.is_empty:
        raise Invalid(
            "This workflow has no entity type, so it runs on its input alone.",
            path=("entities",),
            hint="Leave `entities` out and give `input`, or set the workflow's entity type.",
        )


async def check_selection(connection: AsyncConnection, workflow: Workflow, selection: Selection) -> None:
    """Whether a run could be over it, by what there is now."""
    check_selection_given(workflow, selection)
    if workflow.entity_type_id is not None and selection.ids is not None:
        await _existing(connection, workflow.workspace_id, workflow.entity_type_id, selection.ids)


async def freeze(
    connection: AsyncConnection,
    run_id: UUID,
    workflow: Workflow,
    plan: Plan,
    selection: Selection,
    concurrency: int | None,
) -> Frozen:
    """The selection as batches of the run, whose row stands already."""
    type_id = workflow.entity_type_id
    if type_id is None:
        return Frozen(await runs.freeze_input(connection, run_id), None)
    workspace_id = workflow.workspace_id
    if selection.ids is not None:
        ids = await _existing(connection, workspace_id, type_id, selection.ids)
        cutting = cut(len(ids), in_bulk=plan.in_bulk, concurrency=concurrency)
        return Frozen(await runs.freeze_ids(connection, run_id, ids, cutting.size), cutting.held_limit)
    which = selection.filter or EntityFilter()
    count = await runs.count_matching(connection, workspace_id, type_id, which, most=LARGE_ENOUGH)
    cutting = cut(count, in_bulk=plan.in_bulk, concurrency=concurrency)
    total = await runs.freeze_matching(connection, run_id, workspace_id, type_id, which, cutting.size)
    return Frozen(total, cutting.held_limit)


async def _existing(
    connection: AsyncConnection, workspace_id: UUID, entity_type_id: UUID, ids: Sequence[UUID]
) -> Sequence[UUID]:
    """The ids without repetition, when all are entities of the workflow's type in this workspace."""
    unique = list(dict.fromkeys(ids))
    known = await entities.existing_ids(connection, workspace_id, entity_type_id, unique)
    missing = [index for index, entity_id in enumerate(ids) if entity_id not in known]
    if missing:
        raise Invalid(
            problems=[
                Problem(
                    NotFound.code,
                    f"There is no entity {ids[index]} of the workflow's type in this workspace.",
                    ("entities", "ids", str(index)),
                )
                for index in missing[:PROBLEMS_NAMED]
            ]
        )
    return unique
