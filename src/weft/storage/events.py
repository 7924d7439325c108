"""The outbox: events are added in the transaction of what they tell of.

An event for which no trigger of the workspace listens is handled from the start, so nobody has to look at it again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.events import LARGEST_PART_BYTES, PlatformEvent
from weft.domain.ids import UUID, new_id
from weft.kit.json import dumps


def listened(name: str, workspace_id: str = ":workspace_id") -> str:
    """SQL: whether a trigger of the workspace listens for events of this name. Both are SQL expressions."""
    return (
        "EXISTS (SELECT FROM trigger t JOIN workflow w ON w.id = t.workflow_id "
        f"WHERE t.workspace_id = {workspace_id} AND t.event = {name} AND t.event IS NOT NULL AND t.enabled "
        "AND w.status = 'ACTIVE' AND w.enabled)"
    )


ADD = text(
    f"""
    INSERT INTO event (id, workspace_id, name, payload, depth, handled_at)
    VALUES (:id, :workspace_id, :name ::text, :payload ::json, :depth, CASE WHEN {listened(":name ::text")} THEN NULL ELSE now() END)
    RETURNING handled_at IS NULL AS waits
    """
)


@dataclass(frozen=True, slots=True)
class AddedEvent:
    id: UUID
    waits: bool
    """For triggers: whoever added it wakes the workers after the commit."""


async def add_event(
    connection: AsyncConnection,
    workspace_id: UUID,
    name: str,
    payload: Mapping[str, Any],
    *,
    depth: int = 0,
    event_id: UUID | None = None,
) -> AddedEvent:
    values = {"workspace_id": workspace_id, "name": name, "payload": dumps(payload), "depth": depth}
    event_id = event_id or new_id()
    waits = (await connection.execute(ADD, {"id": event_id, **values})).scalar_one()
    return AddedEvent(event_id, waits)


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


_FACTS = """'entityId', i.entity_id, 'entityTypeId', r.entity_type_id, 'externalId', e.external_id, 'runId', r.id,
        'workflowId', r.workflow_id, 'stepId', s.step ->> 'id'"""

# A retry takes over what its first run completed, and told of. It began when that had ended, so what was begun before it is that.
EXTRACTED = text(
    f"""
    INSERT INTO event (workspace_id, name, payload, depth)
    SELECT r.workspace_id, '{PlatformEvent.EXTRACTION_COMPLETED}',
      CASE WHEN octet_length((s.step -> 'o')::text) <= {LARGEST_PART_BYTES}
        THEN json_build_object({_FACTS}, 'output', s.step -> 'o') ELSE json_build_object({_FACTS}) END,
      r.depth + 1
    FROM run r
    JOIN run_item i ON i.run_id = r.id AND i.ordinal = ANY (:ordinals ::int[])
    LEFT JOIN entity e ON e.id = i.entity_id AND e.workspace_id = r.workspace_id
    CROSS JOIN LATERAL json_array_elements(i.steps) WITH ORDINALITY AS s (step, place)
    WHERE r.id = :run_id AND r.workspace_id = :workspace_id
      AND s.step ->> 'id' = ANY (:step_ids ::text[]) AND s.step ->> 's' = 'C'
      AND (r.retry_of IS NULL OR (s.step ->> 't')::bigint >= extract(epoch FROM r.created_at) * 1000000)
      AND {listened(f"'{PlatformEvent.EXTRACTION_COMPLETED}'")}
    ORDER BY i.ordinal, s.place
    """
)


async def add_extracted(
    connection: AsyncConnection, workspace_id: UUID, run_id: UUID, ordinals: Sequence[int], step_ids: Sequence[str]
) -> None:
    """`extraction.completed` for each of these steps that completed, of items whose results stand already."""
    values = {"workspace_id": workspace_id, "run_id": run_id, "ordinals": list(ordinals), "step_ids": list(step_ids)}
    await connection.execute(EXTRACTED, values)
