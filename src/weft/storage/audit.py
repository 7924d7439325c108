"""The audit log: written in the transaction of what it tells of."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.access import Viewer
from weft.domain.ids import UUID, new_id
from weft.storage.tables import audit_entry


async def record(
    connection: AsyncConnection,
    viewer: Viewer,
    action: str,
    subject_id: object,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Note that the viewer did `action` (noun and verb, such as `workflow.updated`) to the subject."""
    await connection.execute(
        insert(audit_entry).values(
            id=new_id(),
            workspace_id=viewer.workspace_id,
            actor=viewer.key_name,
            key_id=viewer.key_id,
            action=action,
            subject_id=str(subject_id),
            details=dict(details or {}),
            address=viewer.address,
        )
    )


async def record_without_key(
    connection: AsyncConnection,
    workspace_id: UUID,
    actor: str,
    action: str,
    subject_id: object,
    details: Mapping[str, Any],
) -> None:
    """The same for what acts without an API key, such as the command line."""
    await connection.execute(
        insert(audit_entry).values(
            id=new_id(),
            workspace_id=workspace_id,
            actor=actor,
            action=action,
            subject_id=str(subject_id),
            details=dict(details),
        )
    )
