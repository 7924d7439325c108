"""Workflow versions: definitions that never change."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, Select, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.errors import Invalid
from weft.domain.ids import UUID
from weft.domain.page import Page, PageRequest
from weft.domain.workflow import WorkflowVersion
from weft.storage.tables import workflow_version

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
    return {row["id"]: _version_of(row) for row in rows.mappings()}


async def page(
    connection: AsyncConnection, workspace_id: UUID, workflow_id: UUID, request: PageRequest
) -> Page[WorkflowVersion]:
    """Newest first. Numbers have no gaps, so the newest one's is the total."""
    query = (
        _select(workspace_id)
        .where(workflow_version.c.workflow_id == workflow_id)
        .order_by(workflow_version.c.number.desc())
        .limit(request.first + 1)
    )
    if request.after is not None:
        query = query.where(workflow_version.c.number < _number(request.after))
    rows = (await connection.execute(query)).mappings()
    newest = select(func.max(workflow_version.c.number)).where(
        workflow_version.c.workspace_id == workspace_id, workflow_version.c.workflow_id == workflow_id
    )
    return Page[WorkflowVersion].of(
        [_version_of(row) for row in rows],
        request.first,
        lambda version: str(version.number),
        await connection.scalar(newest) or 0,
    )


def _number(key: str) -> int:
    if not key.isdecimal() or len(key) > 9:  # noqa: PLR2004 - more digits than the column holds
        raise Invalid("This is not a cursor of this list.", path=("after",))
    return int(key)


def _select(workspace_id: UUID) -> Select[Any]:
    return select(*_COLUMNS).where(workflow_version.c.workspace_id == workspace_id)


def _version_of(row: RowMapping) -> WorkflowVersion:
    return WorkflowVersion(**row)
