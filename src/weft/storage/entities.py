"""Queries about entities. How whole batches of them are written is in `entity_writes`."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, any_, bindparam, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.entity import Entity, EntityFilter
from weft.domain.ids import UUID
from weft.domain.page import Page, PageRequest
from weft.storage.entity_filter import where
from weft.storage.paging import after_id
from weft.storage.tables import Id, entity

MOST_COUNTED = 100_000
"""Rows counted for the total of a list: a fifth of a second at most. Beyond it the total is not known."""


def entity_of(row: RowMapping) -> Entity:
    return Entity(**row)


async def entities_by_id(
    connection: AsyncConnection, workspace_id: UUID, entity_ids: Sequence[UUID]
) -> dict[UUID, Entity]:
    """Those of the entities that are in the workspace."""
    statement = select(entity).where(entity.c.workspace_id == workspace_id, entity.c.id.in_(entity_ids))
    return {row["id"]: entity_of(row) for row in (await connection.execute(statement)).mappings()}


async def entities_named(
    connection: AsyncConnection,
    workspace_id: UUID,
    entity_type_id: UUID,
    entity_ids: Sequence[UUID],
    external_ids: Sequence[str],
) -> list[Entity]:
    """Entities of the type that have one of the ids or one of the external ids."""
    statement = select(entity).where(
        entity.c.workspace_id == workspace_id,
        entity.c.entity_type_id == entity_type_id,
        or_(entity.c.id.in_(entity_ids), entity.c.external_id.in_(external_ids)),
    )
    return [entity_of(row) for row in (await connection.execute(statement)).mappings()]


async def page_of_entities(
    connection: AsyncConnection,
    workspace_id: UUID,
    entity_type_id: UUID,
    filter: EntityFilter,
    page: PageRequest,
    *,
    count: bool,
) -> Page[Entity]:
    """Entities of the type that the filter lets pass, in the order they were made; with their number where `count`."""
    wanted = where(filter, workspace_id, entity_type_id)
    after = after_id(page)
    behind = wanted if after is None else [*wanted, entity.c.id > after]
    rows = await connection.execute(select(entity).where(*behind).order_by(entity.c.id).limit(page.first + 1))
    found = [entity_of(row) for row in rows.mappings()]
    total = await _count(connection, wanted) if count else None
    return Page[Entity].of(found, page.first, lambda row: str(row.id), total)


async def _count(connection: AsyncConnection, wanted: Sequence[ColumnElement[bool]]) -> int | None:
    some = select(entity.c.id).where(*wanted).limit(MOST_COUNTED + 1).subquery()
    counted = await connection.scalar(select(func.count()).select_from(some))
    return counted if counted is not None and counted <= MOST_COUNTED else None


async def lock_entity(connection: AsyncConnection, workspace_id: UUID, entity_id: UUID) -> Entity | None:
    """The entity, which nobody else can change until the end of the transaction."""
    statement = select(entity).where(entity.c.workspace_id == workspace_id, entity.c.id == entity_id).with_for_update()
    row = (await connection.execute(statement)).mappings().one_or_none()
    return None if row is None else entity_of(row)


async def replace_data(
    connection: AsyncConnection, workspace_id: UUID, entity_id: UUID, data: dict[str, Any]
) -> Entity | None:
    """Give the entity new data and the next version."""
    statement = (
        update(entity)
        .where(entity.c.workspace_id == workspace_id, entity.c.id == entity_id)
        .values(data=data, version=entity.c.version + 1, updated_at=func.now())
        .returning(*entity.c)
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    return None if row is None else entity_of(row)


async def delete_by_id(
    connection: AsyncConnection, workspace_id: UUID, entity_ids: Sequence[UUID]
) -> Mapping[UUID, int]:
    """How many of the entities there were, by their type."""
    wanted = and_(entity.c.workspace_id == workspace_id, entity.c.id.in_(entity_ids))
    gone = delete(entity).where(wanted).returning(entity.c.entity_type_id).cte("gone")
    counted = select(gone.c.entity_type_id, func.count()).group_by(gone.c.entity_type_id)
    return {row[0]: row[1] for row in await connection.execute(counted)}


async def delete_by_filter(
    connection: AsyncConnection,
    workspace_id: UUID,
    entity_type_id: UUID,
    filter: EntityFilter,
) -> int:
    """How many entities of the type the filter let pass."""
    wanted = and_(*where(filter, workspace_id, entity_type_id))
    return (await connection.execute(delete(entity).where(wanted))).rowcount


async def existing_ids(
    connection: AsyncConnection, workspace_id: UUID, entity_type_id: UUID, entity_ids: Sequence[UUID]
) -> set[UUID]:
    """Those of the ids that are entities of the type, in the workspace."""
    statement = select(entity.c.id).where(
        entity.c.workspace_id == workspace_id,
        entity.c.entity_type_id == entity_type_id,
        entity.c.id == any_(bindparam("ids", list(entity_ids), ARRAY(Id))),
    )
    return set((await connection.execute(statement)).scalars())
