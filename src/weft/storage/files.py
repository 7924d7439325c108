"""Queries about files and about the documents that have them. How files come in is in `uploads`."""

from collections.abc import Sequence

from sqlalchemy import Boolean, RowMapping, func, insert, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.entity import Entity
from weft.domain.files import DocumentFile, StoredFile
from weft.domain.ids import UUID
from weft.storage.entities import entity_of
from weft.storage.tables import document, entity, file, file_total


async def reserve_file(
    connection: AsyncConnection, workspace_id: UUID, content: StoredFile, *, most_files: int, most_bytes: int
) -> bool:
    """Note that the workspace has this content; False where it would have too much then. To be followed by `file_is_stored`."""
    # Locked where it is there already, so that it is not deleted as unused before the transaction says that it is used.
    new = (
        upsert(file)
        .values(workspace_id=workspace_id, sha256=content.sha256, size=content.size, mime_type=content.mime_type)
        .on_conflict_do_update(index_elements=[file.c.workspace_id, file.c.sha256], set_={"size": file.c.size})
        .returning(literal_column("old.sha256 IS NOT NULL", Boolean))
    )
    if (await connection.execute(new)).scalar_one():
        return True
    files, size = file_total.c.files + 1, file_total.c.bytes + content.size
    counted = (
        upsert(file_total)
        .values(workspace_id=workspace_id, files=1, bytes=content.size)
        .on_conflict_do_update(
            index_elements=[file_total.c.workspace_id],
            set_={"files": files, "bytes": size},
            where=(files <= most_files) & (size <= most_bytes),
        )
        .returning(file_total.c.files)
    )
    return content.size <= most_bytes and (await connection.execute(counted)).one_or_none() is not None


async def file_is_stored(connection: AsyncConnection, workspace_id: UUID, sha256: str) -> None:
    """Its object lies in the store now."""
    statement = (
        update(file)
        .where(file.c.workspace_id == workspace_id, file.c.sha256 == sha256)
        .values(stored_at=func.coalesce(file.c.stored_at, func.now()))
    )
    await connection.execute(statement)


async def lock_file(connection: AsyncConnection, workspace_id: UUID, sha256: str) -> StoredFile | None:
    """The file, if it is in the store. Whoever else asks so for it waits until the end of the transaction."""
    statement = (
        select(file.c.sha256, file.c.size, file.c.mime_type)
        .where(file.c.workspace_id == workspace_id, file.c.sha256 == sha256, file.c.stored_at.is_not(None))
        .with_for_update(key_share=True)
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    return None if row is None else StoredFile(**row)


async def document_with(connection: AsyncConnection, workspace_id: UUID, sha256: str) -> Entity | None:
    """The oldest document with this content."""
    statement = (
        select(entity)
        .join(document, document.c.entity_id == entity.c.id)
        .where(
            document.c.workspace_id == workspace_id,
            document.c.sha256 == sha256,
            entity.c.workspace_id == workspace_id,
        )
        .order_by(entity.c.id)
        .limit(1)
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    return None if row is None else entity_of(row)


async def add_document(
    connection: AsyncConnection, workspace_id: UUID, entity_id: UUID, sha256: str, mime_type: str
) -> None:
    """The entity has this file from now on."""
    await connection.execute(
        insert(document).values(entity_id=entity_id, workspace_id=workspace_id, sha256=sha256, mime_type=mime_type)
    )


_NAME = entity.c.data["name"].astext
_DOCUMENT_FILE = (
    select(
        document.c.workspace_id,
        document.c.entity_id,
        func.coalesce(_NAME, document.c.sha256).label("name"),
        document.c.sha256,
        file.c.size,
        document.c.mime_type,
    )
    .join(file, (file.c.workspace_id == document.c.workspace_id) & (file.c.sha256 == document.c.sha256))
    .join(entity, (entity.c.workspace_id == document.c.workspace_id) & (entity.c.id == document.c.entity_id))
)


async def files_of(
    connection: AsyncConnection, workspace_id: UUID, entity_ids: Sequence[UUID]
) -> dict[UUID, DocumentFile]:
    """Of those of the entities that have one."""
    statement = _DOCUMENT_FILE.where(document.c.workspace_id == workspace_id, document.c.entity_id.in_(entity_ids))
    return {row["entity_id"]: _document_file(row) for row in (await connection.execute(statement)).mappings()}


async def file_of(connection: AsyncConnection, workspace_id: UUID, entity_id: UUID) -> DocumentFile | None:
    return (await files_of(connection, workspace_id, [entity_id])).get(entity_id)


def _document_file(row: RowMapping) -> DocumentFile:
    return DocumentFile(**row)
