"""Queries about datastores. The password is read only where a connection is made of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import RowMapping, delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.datastore import Datastore, DatastoreKind, TlsMode
from weft.domain.ids import UUID
from weft.domain.page import Page, PageRequest
from weft.storage.paging import after_id
from weft.storage.tables import datastore

_COLUMNS = [column for column in datastore.columns if column.name != "password"]

_NAMED_BY = text("""
    SELECT workflow.name FROM workflow
    JOIN workflow_version ON workflow_version.id = workflow.version_id
    WHERE workflow.workspace_id = :workspace_id AND workflow.status <> 'ARCHIVED'
      AND jsonb_path_exists(
            workflow_version.definition::jsonb, '$.steps[*].config ? (@.datastore == $name)',
            jsonb_build_object('name', CAST(:name AS text)))
    ORDER BY workflow.name LIMIT 5
""")


async def add(connection: AsyncConnection, added: Datastore, password: bytes | None) -> None:
    """Store a new datastore with its sealed password."""
    values = {column.name: getattr(added, column.name) for column in _COLUMNS}
    await connection.execute(insert(datastore).values(**values, password=password))


async def get(connection: AsyncConnection, workspace_id: UUID, datastore_id: UUID) -> Datastore | None:
    """One datastore of the workspace."""
    mine = (datastore.c.workspace_id == workspace_id, datastore.c.id == datastore_id)
    row = (await connection.execute(select(*_COLUMNS).where(*mine))).mappings().one_or_none()
    return None if row is None else _datastore(row)


async def lock(connection: AsyncConnection, workspace_id: UUID, datastore_id: UUID) -> Datastore | None:
    """The same, held until the transaction ends."""
    mine = (datastore.c.workspace_id == workspace_id, datastore.c.id == datastore_id)
    row = (await connection.execute(select(*_COLUMNS).where(*mine).with_for_update())).mappings().one_or_none()
    return None if row is None else _datastore(row)


async def with_password(
    connection: AsyncConnection, workspace_id: UUID, name: str
) -> tuple[Datastore, bytes | None] | None:
    """The datastore of this name, with its sealed password."""
    mine = (datastore.c.workspace_id == workspace_id, datastore.c.name == name)
    row = (await connection.execute(select(*_COLUMNS, datastore.c.password).where(*mine))).mappings().one_or_none()
    return None if row is None else (_datastore(row), row["password"])


async def names(connection: AsyncConnection, workspace_id: UUID) -> list[str]:
    """The names of all of them, in order."""
    statement = select(datastore.c.name).where(datastore.c.workspace_id == workspace_id).order_by(datastore.c.name)
    return list((await connection.execute(statement)).scalars())


async def count(connection: AsyncConnection, workspace_id: UUID) -> int:
    """How many the workspace has."""
    mine = datastore.c.workspace_id == workspace_id
    return (await connection.execute(select(func.count()).select_from(datastore).where(mine))).scalar_one()


async def page(connection: AsyncConnection, workspace_id: UUID, wanted: PageRequest) -> Page[Datastore]:
    """Newest first. Few enough to be counted."""
    mine = [datastore.c.workspace_id == workspace_id]
    if (after := after_id(wanted)) is not None:
        mine.append(datastore.c.id < after)
    statement = select(*_COLUMNS).where(*mine).order_by(datastore.c.id.desc()).limit(wanted.first + 1)
    rows = [_datastore(row) for row in (await connection.execute(statement)).mappings()]
    return Page[Datastore].of(rows, wanted.first, lambda one: str(one.id), await count(connection, workspace_id))


async def change(
    connection: AsyncConnection, workspace_id: UUID, datastore_id: UUID, values: Mapping[str, Any]
) -> Datastore:
    """Write these columns; the revision rises."""
    statement = (
        update(datastore)
        .where(datastore.c.workspace_id == workspace_id, datastore.c.id == datastore_id)
        .values(**values, revision=datastore.c.revision + 1)
        .returning(*_COLUMNS)
    )
    return _datastore((await connection.execute(statement)).mappings().one())


async def remove(connection: AsyncConnection, workspace_id: UUID, datastore_id: UUID) -> None:
    """Delete it; what was written through it stays where it is."""
    await connection.execute(
        delete(datastore).where(datastore.c.workspace_id == workspace_id, datastore.c.id == datastore_id)
    )


async def named_by(connection: AsyncConnection, workspace_id: UUID, name: str) -> list[str]:
    """Names of workflows, up to five, whose current version refers to the datastore and that can still be run."""
    found = await connection.execute(_NAMED_BY, {"workspace_id": workspace_id, "name": name})
    return list(found.scalars())


def _datastore(row: RowMapping) -> Datastore:
    values = {column.name: row[column] for column in _COLUMNS}
    tls = values["tls"]
    made = Datastore(**values)
    return replace(made, kind=DatastoreKind(made.kind), tls=None if tls is None else TlsMode(tls))
