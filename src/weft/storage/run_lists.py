"""Lists of runs: of a workspace, and of many workflows at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, column, func, select, text, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID
from weft.domain.page import Page, PageRequest
from weft.domain.progress import RunStatus
from weft.domain.run import Run, TriggerType
from weft.domain.usage import FIGURES, Usage
from weft.storage.paging import after_id
from weft.storage.runs import RUNS, run_of
from weft.storage.tables import Id, run, run_state


@dataclass(frozen=True, slots=True)
class RunFilter:
    workflow_id: UUID | None = None
    statuses: tuple[RunStatus, ...] | None = None
    trigger_type: TriggerType | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    retry_of: UUID | None = None


async def page(connection: AsyncConnection, workspace_id: UUID, wanted: RunFilter, request: PageRequest) -> Page[Run]:
    """Newest first."""
    query = RUNS.where(*_conditions(workspace_id, wanted, request)).order_by(run.c.id.desc()).limit(request.first + 1)
    rows = await connection.execute(query)
    return Page[Run].of([run_of(row) for row in rows.mappings()], request.first, lambda one: str(one.id))


async def pages_of_workflows(
    connection: AsyncConnection,
    workspace_id: UUID,
    workflow_ids: Sequence[UUID],
    wanted: RunFilter,
    request: PageRequest,
) -> dict[UUID, Page[Run]]:
    """The runs of each of these workflows, newest first."""
    return await _pages(
        connection, run.c.workflow_id, workflow_ids, _conditions(workspace_id, wanted, request), request
    )


async def pages_of_triggers(
    connection: AsyncConnection, workspace_id: UUID, trigger_ids: Sequence[UUID], request: PageRequest
) -> dict[UUID, Page[Run]]:
    """The runs that each of these triggers or schedules started, newest first."""
    conditions = _conditions(workspace_id, RunFilter(), request)
    return await _pages(connection, run.c.trigger_id, trigger_ids, conditions, request)


async def _pages(
    connection: AsyncConnection,
    owner: ColumnElement[UUID],
    ids: Sequence[UUID],
    conditions: Sequence[ColumnElement[bool]],
    request: PageRequest,
) -> dict[UUID, Page[Run]]:
    """By the owner, a column of `run`."""
    asked = func.unnest(bindparam("owners", ids, ARRAY(Id))).table_valued(column("id", Id), name="asked")
    asked = asked.render_derived()
    listed = (
        RUNS.where(owner == asked.c.id, *conditions)
        .order_by(run.c.id.desc())
        .limit(request.first + 1)
        .lateral("listed")
    )
    rows = await connection.execute(
        select(listed, asked.c.id.label("owner_id"))
        .select_from(asked.join(listed, true()))
        .order_by(listed.c.id.desc())
    )
    found: dict[UUID, list[Run]] = {one: [] for one in ids}
    for row in rows.mappings():
        found[row["owner_id"]].append(run_of(row))
    return {one: Page[Run].of(of_one, request.first, lambda run: str(run.id)) for one, of_one in found.items()}


USAGES = text(
    """
    SELECT workflow_id, figure, sum(amount)::bigint AS amount FROM (
      SELECT r.workflow_id, (u.place - 1) % :figures AS figure, u.value AS amount
      FROM run r
      JOIN run_state s ON s.run_id = r.id AND cardinality(s.step_usage) > 0
      CROSS JOIN LATERAL unnest(s.step_usage) WITH ORDINALITY AS u (value, place)
      WHERE r.workspace_id = :workspace_id AND r.workflow_id = ANY (:workflow_ids ::uuid[])
      UNION ALL
      SELECT p.workflow_id, p.figure, p.amount FROM past_usage p JOIN workflow w ON w.id = p.workflow_id
      WHERE w.workspace_id = :workspace_id AND w.id = ANY (:workflow_ids ::uuid[])
    ) used
    GROUP BY 1, 2
    """
)


async def usages_of_workflows(
    connection: AsyncConnection, workspace_id: UUID, workflow_ids: Sequence[UUID]
) -> dict[UUID, Usage]:
    """Summed over the runs of each, those that were deleted too. Workflows without any usage are left out."""
    values = {"workspace_id": workspace_id, "workflow_ids": list(workflow_ids), "figures": FIGURES}
    sums: dict[UUID, list[int]] = {}
    for row in await connection.execute(USAGES, values):
        sums.setdefault(row.workflow_id, [0] * FIGURES)[row.figure] = row.amount
    return {workflow_id: Usage(*figures) for workflow_id, figures in sums.items()}


def _conditions(workspace_id: UUID, wanted: RunFilter, request: PageRequest) -> list[ColumnElement[bool]]:
    """All that a run has to fulfil to be on the page or behind it."""
    conditions = [run.c.workspace_id == workspace_id]
    if wanted.workflow_id is not None:
        conditions.append(run.c.workflow_id == wanted.workflow_id)
    if wanted.statuses is not None:
        conditions.append(run_state.c.status.in_([status.value for status in wanted.statuses]))
    if wanted.trigger_type is not None:
        conditions.append(run.c.trigger_type == wanted.trigger_type)
    if wanted.created_after is not None:
        conditions.append(run.c.created_at > wanted.created_after)
    if wanted.created_before is not None:
        conditions.append(run.c.created_at < wanted.created_before)
    if wanted.retry_of is not None:
        conditions.append(run.c.retry_of == wanted.retry_of)
    if (after := after_id(request)) is not None:
        conditions.append(run.c.id < after)
    return conditions
