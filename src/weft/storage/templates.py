"""Templates that a workspace saved. Those that everybody has are files of `weft.operations`."""

from typing import Any

from sqlalchemy import RowMapping, Select, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.entity import EntityType
from weft.domain.ids import UUID
from weft.domain.page import Page, PageRequest
from weft.domain.workflow import Template
from weft.storage.entity_types import entity_type_of
from weft.storage.paging import after_id
from weft.storage.tables import entity_type, template

_COLUMNS = tuple(column for column in template.columns if column.name != "created_by")


async def add(connection: AsyncConnection, added: Template, created_by: str) -> None:
    await connection.execute(
        insert(template).values(
            id=UUID(added.id),
            workspace_id=added.workspace_id,
            name=added.name,
            description=added.description,
            category=added.category,
            definition=added.definition,
            entity_schema=added.entity_schema,
            parameters_schema=added.parameters_schema,
            created_by=created_by,
            created_at=added.created_at,
        )
    )


async def get(connection: AsyncConnection, workspace_id: UUID, template_id: UUID) -> Template | None:
    rows = await connection.execute(_select(workspace_id).where(template.c.id == template_id))
    row = rows.mappings().one_or_none()
    return None if row is None else _template_of(row)


async def page(
    connection: AsyncConnection, workspace_id: UUID, category: str | None, request: PageRequest
) -> Page[Template]:
    """Newest first."""
    query = _select(workspace_id)
    if category is not None:
        query = query.where(template.c.category == category)
    total = await connection.scalar(select(func.count()).select_from(query.subquery()))
    if (after := after_id(request)) is not None:
        query = query.where(template.c.id < after)
    rows = (await connection.execute(query.order_by(template.c.id.desc()).limit(request.first + 1))).mappings()
    return Page[Template].of([_template_of(row) for row in rows], request.first, lambda found: found.id, total)


async def entity_type_named(connection: AsyncConnection, workspace_id: UUID, name: str) -> EntityType | None:
    """The type that a template's entities may be of."""
    rows = await connection.execute(
        select(*entity_type.c).where(entity_type.c.workspace_id == workspace_id, entity_type.c.name == name)
    )
    row = rows.mappings().one_or_none()
    return None if row is None else entity_type_of(row)


def _select(workspace_id: UUID) -> Select[Any]:
    return select(*_COLUMNS).where(template.c.workspace_id == workspace_id)


def _template_of(row: RowMapping) -> Template:
    values: dict[str, Any] = {**row, "id": str(row["id"])}
    return Template(**values)
