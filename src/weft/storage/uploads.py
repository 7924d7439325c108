"""Queries about uploads."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.files import StoredFile, Upload
from weft.domain.ids import UUID
from weft.storage.tables import upload


async def add_upload(connection: AsyncConnection, values: Mapping[str, Any]) -> Upload:
    rows = await connection.execute(insert(upload).values(**values).returning(upload))
    return _upload_of(rows.mappings().one())


async def uploads_by_id(
    connection: AsyncConnection, workspace_id: UUID, upload_ids: Sequence[UUID]
) -> dict[UUID, Upload]:
    """Those of the uploads that are in the workspace."""
    statement = select(upload).where(upload.c.workspace_id == workspace_id, upload.c.id.in_(upload_ids))
    return {row["id"]: _upload_of(row) for row in (await connection.execute(statement)).mappings()}


async def linked_upload(connection: AsyncConnection, upload_id: UUID) -> Upload | None:
    """For whoever shows the link of an upload, which is made for this id: it says of which workspace it is."""
    row = (await connection.execute(select(upload).where(upload.c.id == upload_id))).mappings().one_or_none()
    return None if row is None else _upload_of(row)


async def lock_upload(connection: AsyncConnection, workspace_id: UUID, upload_id: UUID) -> Upload | None:
    """The upload, which nobody else can use until the end of the transaction."""
    statement = select(upload).where(upload.c.workspace_id == workspace_id, upload.c.id == upload_id).with_for_update()
    row = (await connection.execute(statement)).mappings().one_or_none()
    return None if row is None else _upload_of(row)


async def claim_upload(connection: AsyncConnection, workspace_id: UUID, upload_id: UUID, content: StoredFile) -> bool:
    """Note what comes in. False where the upload has received another content, or was used."""
    statement = (
        update(upload)
        .where(
            upload.c.workspace_id == workspace_id,
            upload.c.id == upload_id,
            upload.c.document_id.is_(None),
            or_(upload.c.received_at.is_(None), upload.c.sha256 == content.sha256),
        )
        .values(sha256=content.sha256, size=content.size)
    )
    return (await connection.execute(statement)).rowcount == 1


async def upload_is_received(
    connection: AsyncConnection, workspace_id: UUID, upload_id: UUID, sha256: str
) -> Upload | None:
    """Its file is in the store. None where another content was claimed for it meanwhile."""
    statement = (
        update(upload)
        .where(upload.c.workspace_id == workspace_id, upload.c.id == upload_id, upload.c.sha256 == sha256)
        .values(received_at=func.coalesce(upload.c.received_at, func.now()))
        .returning(upload)
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    return None if row is None else _upload_of(row)


async def use_upload(connection: AsyncConnection, workspace_id: UUID, upload_id: UUID, document_id: UUID) -> None:
    statement = (
        update(upload)
        .where(upload.c.workspace_id == workspace_id, upload.c.id == upload_id)
        .values(document_id=document_id)
    )
    await connection.execute(statement)


def _upload_of(row: RowMapping) -> Upload:
    return Upload(**row)
