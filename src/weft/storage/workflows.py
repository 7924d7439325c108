"""Workflows: the named thing that people edit."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, Select, delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID
from weft.domain.progress import RunStatus
from weft.domain.workflow import Workflow, WorkflowStatus
from weft.storage import deleted_runs, firings
from weft.storage.tables import run, run_state, schedule, workflow, workflow_stats

_LAST_RUN = (
    select(func.max(workflow_stats.c.last_run_at))
    .where(workflow_stats.c.workflow_id == workflow.c.id)
    .correlate(workflow)
    .scalar_subquery()
)
COLUMNS = (*workflow.columns, _LAST_RUN.label("last_run_at"))
_UNFINISHED = tuple(status.value for status in RunStatus if not status.is_terminal)


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
            copied_from=added.copied_from,
            created_by=added.created_by,
            created_at=added.created_at,
            updated_at=added.updated_at,
        )
    )


async def get(connection: AsyncConnection, workspace_id: UUID, workflow_id: UUID) -> Workflow | None:
    return (await get_many(connection, workspace_id, [workflow_id])).get(workflow_id)


async def get_many(connection: AsyncConnection, workspace_id: UUID, ids: Sequence[UUID]) -> dict[UUID, Workflow]:
    rows = await connection.execute(_select(workspace_id).where(workflow.c.id.in_(ids)))
    return {row["id"]: workflow_of(row) for row in rows.mappings()}


async def lock(connection: AsyncConnection, workspace_id: UUID, workflow_id: UUID) -> Workflow | None:
    """The workflow, kept as it is until the transaction ends: no other change, and no new run of it, comes between."""
    rows = await connection.execute(
        _select(workspace_id).where(workflow.c.id == workflow_id).with_for_update(of=workflow)
    )
    row = rows.mappings().one_or_none()
    return None if row is None else workflow_of(row)


async def change(
    connection: AsyncConnection, workspace_id: UUID, workflow_id: UUID, values: Mapping[str, Any]
) -> Workflow | None:
    """Write these columns."""
    rows = await connection.execute(
        update(workflow)
        .where(workflow.c.workspace_id == workspace_id, workflow.c.id == workflow_id)
        .values(**values)
        .returning(*COLUMNS)
    )
    row = rows.mappings().one_or_none()
    return None if row is None else workflow_of(row)


async def remove(connection: AsyncConnection, workspace_id: UUID, workflow_id: UUID) -> bool:
    """Delete it with its versions and runs, unless a run of it is not finished. The caller holds its lock."""
    unfinished = exists().where(
        run.c.workflow_id == workflow_id, run_state.c.run_id == run.c.id, run_state.c.status.in_(_UNFINISHED)
    )
    if (await connection.execute(select(unfinished))).scalar_one():
        return False
    # Before their firings: whoever changes a schedule locks it and then those.
    schedules = (schedule.c.workspace_id == workspace_id, schedule.c.workflow_id == workflow_id)
    await connection.execute(delete(schedule).where(*schedules))
    await deleted_runs.drop_of_workflow(connection, workspace_id, workflow_id)
    await firings.give_up_queued(connection, workspace_id, workflow_id, "The workflow was deleted.")
    await connection.execute(
        delete(workflow).where(workflow.c.workspace_id == workspace_id, workflow.c.id == workflow_id)
    )
    return True


def _select(workspace_id: UUID) -> Select[Any]:
    return select(*COLUMNS).where(workflow.c.workspace_id == workspace_id)


def workflow_of(row: RowMapping) -> Workflow:
    """From a row that has `COLUMNS`, whatever else it has."""
    values: dict[str, Any] = {column.name: row[column.name] for column in COLUMNS}
    values["status"] = WorkflowStatus(row["status"])
    return Workflow(**values)
