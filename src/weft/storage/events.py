"""The outbox: events are added in the transaction of what they tell of.

An event for which no trigger of the workspace listens is handled from the start, so nobody has to look at it again.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.events import PlatformEvent
from weft.domain.ids import UUID, new_id
from weft.kit.json import dumps


def listened(name: str, workspace_id: str = ":workspace_id") -> str:
    """SQL: whether a trigger of the workspace listens for events of this name. Both are SQL expressions."""
    return (
        "EXISTS (SELECT FROM trigger t "
        f"WHERE t.workspace_id = {workspace_id} AND t.event = {name} AND t.event IS NOT NULL AND t.enabled)"
    )


ADD = text(
    f"""
    INSERT INTO event (id, workspace_id, name, payload, depth, handled_at)
    VALUES (:id, :workspace_id, :name ::text, :payload ::json, :depth, CASE WHEN {listened(":name ::text")} THEN NULL ELSE now() END)
    """
)


async def add_event(
    connection: AsyncConnection, workspace_id: UUID, name: str, payload: Mapping[str, Any], *, depth: int = 0
) -> UUID:
    event_id = new_id()
    values = {"id": event_id, "workspace_id": workspace_id, "name": name, "payload": dumps(payload), "depth": depth}
    await connection.execute(ADD, values)
    return event_id


PROCESSED = text(
    f"""
    INSERT INTO event (workspace_id, name, payload, depth)
    SELECT d.workspace_id, '{PlatformEvent.DOCUMENT_PROCESSED}', json_build_object('entityId', d.entity_id,
      'entityTypeId', r.entity_type_id, 'sha256', d.sha256, 'mimeType', d.mime_type, 'runId', r.id,
      'workflowId', r.workflow_id), r.depth + 1
    FROM document d, run r
    WHERE d.workspace_id = :workspace_id AND d.entity_id = ANY (:entity_ids ::uuid[])
      AND r.workspace_id = :workspace_id AND r.id = :run_id AND {listened(f"'{PlatformEvent.DOCUMENT_PROCESSED}'")}
    ORDER BY d.entity_id
    """
)


async def add_processed(
    connection: AsyncConnection, workspace_id: UUID, run_id: UUID, entity_ids: Sequence[UUID]
) -> None:
    """`document.processed` for each of these entities that has a file: the run has completed its item."""
    if not entity_ids:
        return
    values = {"workspace_id": workspace_id, "run_id": run_id, "entity_ids": list(entity_ids)}
    await connection.execute(PROCESSED, values)
