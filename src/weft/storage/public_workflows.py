"""Public workflows: the only rows of one workspace that are read for another.

`visible_to` is the one condition that lets a query look over the wall between workspaces. It lets it see workflows that are
public and ACTIVE, and what is needed to copy them: the current version, and the shape of the entities.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.entity import JsonSchema
from weft.domain.ids import UUID
from weft.domain.workflow import Workflow, WorkflowStatus, WorkflowVersion
from weft.storage.tables import entity_type, workflow, workflow_version
from weft.storage.workflow_versions import version_of_row
from weft.storage.workflows import COLUMNS, workflow_of


@dataclass(frozen=True, slots=True)
class SourceOfCopy:
    workflow: Workflow
    definition: dict[str, Any]
    entity_schema: JsonSchema | None
    """With the name of the entity type as its title; None for a workflow that runs on its input alone."""


def visible_to(workspace_id: UUID) -> ColumnElement[bool]:
    """Workflows of this workspace, and those that everybody sees."""
    for_all = and_(workflow.c.public, workflow.c.status == WorkflowStatus.ACTIVE.value)
    return or_(workflow.c.workspace_id == workspace_id, for_all)


async def get_many(connection: AsyncConnection, workspace_id: UUID, ids: Sequence[UUID]) -> dict[UUID, Workflow]:
    rows = await connection.execute(select(*COLUMNS).where(visible_to(workspace_id), workflow.c.id.in_(ids)))
    return {row["id"]: workflow_of(row) for row in rows.mappings()}


async def source_of_copy(connection: AsyncConnection, workspace_id: UUID, workflow_id: UUID) -> SourceOfCopy | None:
    """All that a copy is made of, read at one moment."""
    rows = await connection.execute(
        select(
            *COLUMNS,
            workflow_version.c.definition,
            entity_type.c.name.label("type_name"),
            entity_type.c.schema.label("type_schema"),
        )
        .join(workflow_version, workflow_version.c.id == workflow.c.version_id)
        .outerjoin(entity_type, entity_type.c.id == workflow.c.entity_type_id)
        .where(visible_to(workspace_id), workflow.c.id == workflow_id)
    )
    row = rows.mappings().one_or_none()
    if row is None:
        return None
    schema = None if row["type_schema"] is None else dict(row["type_schema"]) | {"title": row["type_name"]}
    return SourceOfCopy(workflow_of(row), row["definition"], schema)


async def keep(connection: AsyncConnection, workspace_id: UUID, workflow_id: UUID) -> bool:
    """Whether it is still to be seen. If so, it is not deleted before the transaction ends."""
    query = select(workflow.c.id).where(visible_to(workspace_id), workflow.c.id == workflow_id)
    found = await connection.execute(query.with_for_update(key_share=True, read=True))
    return found.scalar_one_or_none() is not None


async def versions(
    connection: AsyncConnection, workspace_id: UUID, version_ids: Sequence[UUID]
) -> dict[UUID, WorkflowVersion]:
    """Every version of the workspace; of other workspaces only the current ones of workflows that are visible."""
    is_current = exists().where(
        workflow.c.id == workflow_version.c.workflow_id,
        workflow.c.version_id == workflow_version.c.id,
        visible_to(workspace_id),
    )
    rows = await connection.execute(
        select(*workflow_version.columns).where(
            workflow_version.c.id.in_(version_ids), or_(workflow_version.c.workspace_id == workspace_id, is_current)
        )
    )
    return {row["id"]: version_of_row(row) for row in rows.mappings()}


async def entity_schemas(
    connection: AsyncConnection, workspace_id: UUID, workflow_ids: Sequence[UUID]
) -> dict[UUID, JsonSchema]:
    """By workflow: the JSON Schema of what it works on, with the name of the entity type as its title."""
    rows = await connection.execute(
        select(workflow.c.id, entity_type.c.name, entity_type.c.schema)
        .join(entity_type, entity_type.c.id == workflow.c.entity_type_id)
        .where(visible_to(workspace_id), workflow.c.id.in_(workflow_ids))
    )
    return {row.id: dict(row.schema) | {"title": row.name} for row in rows}
