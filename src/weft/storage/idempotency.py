"""Idempotency keys: the caller's own name for a request that starts work, so that sending it twice starts it once."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.errors import Conflict
from weft.domain.ids import UUID
from weft.storage.tables import idempotency_key


async def claim(
    connection: AsyncConnection, workspace_id: UUID, operation: str, key: str, body_digest: bytes, subject_id: UUID
) -> UUID | None:
    """None when the key is new: it now stands for `subject_id`. Otherwise what it stood for before.

    A second request with the same key waits here for the first one's transaction. Raises Conflict when the key was used with
    another body.
    """
    new = (
        insert(idempotency_key)
        .values(workspace_id=workspace_id, operation=operation, key=key, body_digest=body_digest, subject_id=subject_id)
        .on_conflict_do_nothing()
        .returning(idempotency_key.c.subject_id)
    )
    if (await connection.execute(new)).one_or_none() is not None:
        return None
    before = (
        await connection.execute(
            select(idempotency_key.c.body_digest, idempotency_key.c.subject_id).where(
                idempotency_key.c.workspace_id == workspace_id,
                idempotency_key.c.operation == operation,
                idempotency_key.c.key == key,
            )
        )
    ).one()
    if before.body_digest != body_digest:
        raise Conflict(
            "This idempotency key was used with another input.",
            path=("idempotencyKey",),
            hint="Use a new key for every new request, and the old one only to repeat the same request.",
        )
    return before.subject_id
