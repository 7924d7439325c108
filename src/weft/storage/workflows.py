"""Workflows: the named thing that people edit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, and_, delete, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID
from weft.domain.page import Page, PageRequest
from weft.domain.progress import RunStatus
from weft.domain.workflow import Workflow, WorkflowStatus
from weft.storage.paging import after_id
from weft.storage.tables import run, run_checkpoint, run_item, run_log, run_state, workflow, workflow_stats

_LAST_RUN = (
    select(func.max(workflow_stats.c.last_run_at))
    .where(workflow_stats.c.workflow_id == workflow.c.id)
    .correlate(workflow)
    .scalar_subquery()
)
_COLUMNS = (*workflow.columns, _LAST_RUN.label("last_run_at"))
_UNFINISHED = tuple(status.value for status in RunStatus if not status.is_terminal)


@dataclass(frozen=True, slots=True)
class WorkflowFilter:
    """All that is given holds."""

    status: WorkflowStatus | None = None
    category: str | None = None
    public: bool | None = None
    entity_type_id: UUID | None = None
    search: str | None = None
    """Part of the name or the description, case ignored."""


async def add(connection: AsyncConnection, added: Workflow) -> None:
    """Its first version is written after it, in the same transaction."""
    await connection.execute(
        insert(workflow).values(
            id=added.id,
            workspace_id=added.workspace_id,
            name=added.name,
            description=added.description,
            category=added.category,
            entity_type_id=added.entity_type_id,
            status=added.status.value,
            enabled=added.enabled,
            public=added.public,
            version_id=added.version_id,
            version_number=added.version_number,
            steps_count=added.steps_count,
            created_by=added.created_by,
            created_at=added.created_at,
            updated_at=added.updated_at,
        )
    )


async def get(connection: AsyncConnection, workspace_id: UUID, workflow_id: UUID) -> Workflow | None:
    return (await get_many(connection, workspace_id, [workflow_id])).get(workflow_id)


async def get_many(connection: AsyncConnection, workspace_id: UUID, ids: Sequence[UUID]) -> dict[UUID, Workflow]:
    rows = await connection.execute(_select(workspace_id).where(workflow.c.id.in_(ids)))
    return {row["id"]: _workflow_of(row) for row in rows.mappings()}


async def lock(connection: AsyncConnection, workspace_id: UUID, workflow_id: UUID) -> Workflow | None:
    """The workflow, kept as it is until the transaction ends: no other change, and no new run of it, comes between."""
    rows = await connection.execute(
        _select(workspace_id).where(workflow.c.id == workflow_id).with_for_update(of=workflow)
    )
    row = rows.mappings().one_or_none()
    return None if row is None else _workflow_of(row)


async def change(
    connection: AsyncConnection, workspace_id: UUID, workflow_id: UUID, values: Mapping[str, Any]
) -> Workflow | None:
    """Write these columns."""
    rows = await connection.execute(
        update(workflow)
        .where(workflow.c.workspace_id == workspace_id, workflow.c.id == workflow_id)
        .values(**values)
        .returning(*_COLUMNS)
    )
    row = rows.mappings().one_or_none()
    return None if row is None else _workflow_of(row)


async def remove(connection: AsyncConnection, workspace_id: UUID, workflow_id: UUID) -> bool:
    """Delete it with its versions and runs, unless a run of it is not finished. The caller holds its lock."""
    unfinished = exists().where(
        run.c.workflow_id == workflow_id, run_state.c.run_id == run.c.id, run_state.c.status.in_(_UNFINISHED)
    )
    if (await connection.execute(select(unfinished))).scalar_one():
        return False
    runs = select(run.c.id).where(run.c.workflow_id == workflow_id)
    for table in (run_item, run_checkpoint, run_log):
        await connection.execute(delete(table).where(table.c.run_id.in_(runs)))
    await connection.execute(
        delete(workflow).where(workflow.c.workspace_id == workspace_id, workflow.c.id == workflow_id)
    )
    return True


async def page(
    connection: AsyncConnection, workspace_id: UUID, wanted: WorkflowFilter, request: PageRequest
) -> Page[Workflow]:
    """Newest first."""
    conditions = _conditions(workspace_id, wanted)
    total = await connection.scalar(select(func.count()).select_from(workflow).where(conditions))
    query = select(*_COLUMNS).where(conditions).order_by(workflow.c.id.desc()).limit(request.first + 1)
    if (after := after_id(request)) is not None:
        query = query.where(workflow.c.id < after)
    rows = (await connection.execute(query)).mappings()
    return Page[Workflow].of([_workflow_of(row) for row in rows], request.first, lambda found: str(found.id), total)


def _select(workspace_id: UUID) -> Select[Any]:
    return select(*_COLUMNS).where(workflow.c.workspace_id == workspace_id)


def _conditions(workspace_id: UUID, wanted: WorkflowFilter) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [workflow.c.workspace_id == workspace_id]
    if wanted.status is not None:
        conditions.append(workflow.c.status == wanted.status.value)
    if wanted.category is not None:
        conditions.append(workflow.c.category == wanted.category)
    if wanted.public is not None:
        conditions.append(workflow.c.public.is_(wanted.public))
    if wanted.entity_type_id is not None:
        conditions.append(workflow.c.entity_type_id == wanted.entity_type_id)
    if wanted.search:
        found_in = (workflow.c.name, workflow.c.description)
        conditions.append(or_(*(column.icontains(wanted.search, autoescape=True) for column in found_in)))
    return and_(*conditions)


def _workflow_of(row: RowMapping) -> Workflow:
    values: dict[str, Any] = {**row, "status": WorkflowStatus(row["status"])}
    return Workflow(**values)
