"""Queries about entity types."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, and_, delete, exists, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.entity import EntityType, JsonSchema
from weft.domain.errors import Conflict
from weft.domain.files import DOCUMENT_SCHEMA, DOCUMENT_TYPE
from weft.domain.ids import UUID, id_in, new_id
from weft.domain.page import Page, PageRequest
from weft.storage.paging import after_id
from weft.storage.tables import entity, entity_import, entity_type, workflow

_ORDER = entity_type.c.id


def entity_type_of(row: RowMapping) -> EntityType:
    return EntityType(**row)


def _name_taken(name: str) -> Conflict:
    return Conflict(f"There is an entity type named {name!r} already.", path=("name",), hint="Choose another name.")


async def add_entity_type(
    connection: AsyncConnection, workspace_id: UUID, name: str, description: str, schema: JsonSchema
) -> EntityType:
    """Store a new type. Raises Conflict when the name is taken."""
    statement = (
        insert(entity_type)
        .values(id=new_id(), workspace_id=workspace_id, name=name, description=description, schema=schema)
        .returning(*entity_type.c)
    )
    try:
        rows = await connection.execute(statement)
    except IntegrityError as error:
        raise _name_taken(name) from error
    return entity_type_of(rows.mappings().one())


async def change_entity_type(
    connection: AsyncConnection, workspace_id: UUID, type_id: UUID, changes: Mapping[str, Any]
) -> EntityType | None:
    """Set the given columns; None when there is no such type. Raises Conflict when the new name is taken."""
    statement = (
        update(entity_type)
        .where(entity_type.c.workspace_id == workspace_id, entity_type.c.id == type_id)
        .values(**changes, updated_at=func.now())
        .returning(*entity_type.c)
    )
    try:
        row = (await connection.execute(statement)).mappings().one_or_none()
    except IntegrityError as error:
        raise _name_taken(str(changes.get("name"))) from error
    return None if row is None else entity_type_of(row)


async def type_by_id(connection: AsyncConnection, workspace_id: UUID, type_id: UUID) -> EntityType | None:
    return (await types_by_id(connection, workspace_id, [type_id])).get(type_id)


async def types_by_id(
    connection: AsyncConnection, workspace_id: UUID, type_ids: Sequence[UUID]
) -> dict[UUID, EntityType]:
    """Those of the types that are in the workspace."""
    statement = select(entity_type).where(entity_type.c.workspace_id == workspace_id, entity_type.c.id.in_(type_ids))
    return {row["id"]: entity_type_of(row) for row in (await connection.execute(statement)).mappings()}


async def schemas_by_reference(
    connection: AsyncConnection, workspace_id: UUID, references: Collection[str]
) -> dict[str, JsonSchema]:
    """By each reference to one that is there: its id, in either spelling, or its name; the id counts first."""
    ids = {reference: id_in(reference, "EntityType") for reference in references}
    of_these = or_(entity_type.c.name.in_(references), entity_type.c.id.in_([one for one in ids.values() if one]))
    statement = select(entity_type).where(entity_type.c.workspace_id == workspace_id, of_these)
    types = [entity_type_of(row) for row in (await connection.execute(statement)).mappings()]
    by_name, by_id = ({getattr(one, key): one.schema for one in types} for key in ("name", "id"))
    found = {reference: by_id.get(ids[reference]) or by_name.get(reference) for reference in references}
    return {reference: schema for reference, schema in found.items() if schema is not None}


async def page_of_types(
    connection: AsyncConnection, workspace_id: UUID, page: PageRequest, search: str | None
) -> Page[EntityType]:
    """The types of the workspace in the order they were made; `search` is part of the name or the description. Few enough
    to be counted.
    """
    wanted = entity_type.c.workspace_id == workspace_id
    if search:
        found = (
            column.icontains(search, autoescape=True) for column in (entity_type.c.name, entity_type.c.description)
        )
        wanted = and_(wanted, or_(*found))
    after = after_id(page)
    behind = wanted if after is None else and_(wanted, after < _ORDER)
    rows = await connection.execute(select(entity_type).where(behind).order_by(_ORDER).limit(page.first + 1))
    total = await connection.scalar(select(func.count()).select_from(entity_type).where(wanted))
    return Page[EntityType].of(
        [entity_type_of(row) for row in rows.mappings()], page.first, lambda row: str(row.id), total
    )


async def lock_type(connection: AsyncConnection, workspace_id: UUID, type_id: UUID) -> EntityType | None:
    """The type, kept as it is until the end of the transaction: no entity, workflow or import can begin to refer to it."""
    return await _locked(connection, workspace_id, type_id, only_against_deletion=False)


async def hold_type(connection: AsyncConnection, workspace_id: UUID, type_id: UUID) -> EntityType | None:
    """The type, which cannot be deleted until the end of the transaction."""
    return await _locked(connection, workspace_id, type_id, only_against_deletion=True)


async def _locked(
    connection: AsyncConnection, workspace_id: UUID, type_id: UUID, *, only_against_deletion: bool
) -> EntityType | None:
    statement = (
        select(entity_type)
        .where(entity_type.c.workspace_id == workspace_id, entity_type.c.id == type_id)
        .with_for_update(read=only_against_deletion, key_share=only_against_deletion)
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    return None if row is None else entity_type_of(row)


async def has_entities(connection: AsyncConnection, workspace_id: UUID, type_id: UUID) -> bool:
    statement = select(exists().where(entity.c.workspace_id == workspace_id, entity.c.entity_type_id == type_id))
    return bool(await connection.scalar(statement))


async def names_of_workflows_over(connection: AsyncConnection, workspace_id: UUID, type_id: UUID) -> list[str]:
    """The names of some workflows that work on the type."""
    statement = (
        select(workflow.c.name)
        .where(workflow.c.workspace_id == workspace_id, workflow.c.entity_type_id == type_id)
        .order_by(workflow.c.id)
        .limit(3)
    )
    return list(await connection.scalars(statement))


async def remove_type(connection: AsyncConnection, workspace_id: UUID, type_id: UUID) -> None:
    """Delete a type that nothing refers to but its imports, and those with it."""
    mine = and_(entity_import.c.workspace_id == workspace_id, entity_import.c.entity_type_id == type_id)
    await connection.execute(delete(entity_import).where(mine))
    await connection.execute(
        delete(entity_type).where(entity_type.c.workspace_id == workspace_id, entity_type.c.id == type_id)
    )


async def ensure_document_type(connection: AsyncConnection, workspace_id: UUID) -> EntityType | None:
    """The built-in type of documents, made where the workspace has none yet, and held until the end of the transaction.

    None where people have given its name to a type of their own.
    """
    new = (
        upsert(entity_type)
        .values(
            id=new_id(),
            workspace_id=workspace_id,
            name=DOCUMENT_TYPE,
            description="Uploaded files: made by createDocument, with any further fields.",
            schema=dict(DOCUMENT_SCHEMA),
            built_in=True,
            holds_documents=True,
        )
        .on_conflict_do_nothing()
    )
    found = (
        select(entity_type)
        .where(entity_type.c.workspace_id == workspace_id, entity_type.c.name == DOCUMENT_TYPE)
        .with_for_update(read=True, key_share=True)
    )
    row = (await connection.execute(found)).mappings().one_or_none()
    if row is None:
        await connection.execute(new)
        row = (await connection.execute(found)).mappings().one()
    return entity_type_of(row) if row["built_in"] else None


async def note_documents(connection: AsyncConnection, workspace_id: UUID, type_id: UUID) -> None:
    """Some of the type's entities have files from now on."""
    statement = (
        update(entity_type)
        .where(entity_type.c.workspace_id == workspace_id, entity_type.c.id == type_id)
        .values(holds_documents=True)
    )
    await connection.execute(statement)
