"""The outbox: events are added in the transaction of what they tell of."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.events import PlatformEvent
from weft.domain.ids import UUID, new_id
from weft.storage.tables import event


async def add_event(
    connection: AsyncConnection, workspace_id: UUID, name: str, payload: Mapping[str, Any], *, depth: int = 0
) -> UUID:
    event_id = new_id()
    await connection.execute(
        insert(event).values(id=event_id, workspace_id=workspace_id, name=name, payload=dict(payload), depth=depth)
    )
    return event_id


PROCESSED = text(
    """
    INSERT INTO event (workspace_id, name, payload, depth)
    SELECT d.workspace_id, :name ::text, json_build_object('entityId', d.entity_id, 'entityTypeId', r.entity_type_id,
      'sha256', d.sha256, 'mimeType', d.mime_type, 'runId', r.id, 'workflowId', r.workflow_id), :depth ::int
    FROM document d, run r
    WHERE d.workspace_id = :workspace_id AND d.entity_id = ANY (:entity_ids ::uuid[])
      AND r.workspace_id = :workspace_id AND r.id = :run_id
    ORDER BY d.entity_id
    """
)


async def add_processed(
    connection: AsyncConnection, workspace_id: UUID, run_id: UUID, entity_ids: Sequence[UUID]
) -> None:
    """`document.processed` for each of these entities that has a file: the run has completed its item."""
    if not entity_ids:
        return
    await connection.execute(
        PROCESSED,
        {
            "name": PlatformEvent.DOCUMENT_PROCESSED,
            "depth": 1,
            "workspace_id": workspace_id,
            "run_id": run_id,
            "entity_ids": list(entity_ids),
        },
    )
