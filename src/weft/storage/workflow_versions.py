"""Workflow versions: definitions that never change."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, Select, insert, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.errors import Invalid
from weft.domain.ids import UUID
from weft.domain.page import Page, PageRequest
from weft.domain.workflow import WorkflowVersion
from weft.storage.tables import workflow, workflow_version

_COLUMNS = tuple(workflow_version.columns)


async def add(connection: AsyncConnection, added: WorkflowVersion) -> None:
    await connection.execute(
        insert(workflow_version).values(
            id=added.id,
            workspace_id=added.workspace_id,
            workflow_id=added.workflow_id,
            number=added.number,
            definition=added.definition,
            created_by=added.created_by,
            created_at=added.created_at,
        )
    )


async def get(connection: AsyncConnection, workspace_id: UUID, version_id: UUID) -> WorkflowVersion | None:
    return (await get_many(connection, workspace_id, [version_id])).get(version_id)


async def get_many(connection: AsyncConnection, workspace_id: UUID, ids: Sequence[UUID]) -> dict[UUID, WorkflowVersion]:
    rows = await connection.execute(_select(workspace_id).where(workflow_version.c.id.in_(ids)))
    return {row["id"]: version_of_row(row) for row in rows.mappings()}


async def pages(
    connection: AsyncConnection, workspace_id: UUID, workflow_ids: Sequence[UUID], request: PageRequest
) -> dict[UUID, Page[WorkflowVersion]]:
    """The versions of each of these workflows, newest first. Numbers have no gaps, so the newest one's is the total."""
    listed = select(*_COLUMNS).where(workflow_version.c.workflow_id == workflow.c.id)
    if request.after is not None:
        listed = listed.where(workflow_version.c.number < _number(request.after))
    lateral = listed.order_by(workflow_version.c.number.desc()).limit(request.first + 1).lateral("listed")
    rows = await connection.execute(
        select(workflow.c.id.label("of"), workflow.c.version_number.label("total"), *lateral.c)
        .select_from(workflow.outerjoin(lateral, true()))
        .where(workflow.c.workspace_id == workspace_id, workflow.c.id.in_(workflow_ids))
        .order_by(lateral.c.number.desc())
    )
    versions: dict[UUID, list[WorkflowVersion]] = {workflow_id: [] for workflow_id in workflow_ids}
    totals = dict.fromkeys(workflow_ids, 0)
    for row in rows.mappings():
        totals[row["of"]] = row["total"]
        if row["id"] is not None:
            versions[row["of"]].append(version_of_row(row))
    return {
        workflow_id: Page[WorkflowVersion].of(found, request.first, lambda one: str(one.number), totals[workflow_id])
        for workflow_id, found in versions.items()
    }


def _number(key: str) -> int:
    if not key.isdecimal() or len(key) > 9:  # noqa: PLR2004 - more digits than the column holds
        raise Invalid("This is not a cursor of this list.", path=("after",))
    return int(key)


def _select(workspace_id: UUID) -> Select[Any]:
    return select(*_COLUMNS).where(workflow_version.c.workspace_id == workspace_id)


def version_of_row(row: RowMapping) -> WorkflowVersion:
    return WorkflowVersion(**{column.name: row[column.name] for column in _COLUMNS})
