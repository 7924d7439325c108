"""Calls of inbound webhooks: who takes them, and that each is stored once."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.events import WEBHOOK_RECEIVED
from weft.domain.ids import UUID
from weft.domain.webhooks import ReceivedCall
from weft.storage.driver import fetch_rows

# A trigger that was deleted or disabled meanwhile takes no more calls, whatever a process still remembers of it.
STORE = f"""
    INSERT INTO event (id, workspace_id, name, payload, trigger_id, external_key)
    SELECT c.id, c.workspace_id, '{WEBHOOK_RECEIVED}', c.payload ::json, c.trigger_id, c.external_key
    FROM unnest($1 ::uuid[], $2 ::uuid[], $3 ::uuid[], $4 ::text[], $5 ::text[])
      AS c (id, workspace_id, trigger_id, external_key, payload)
    JOIN trigger t ON t.workspace_id = c.workspace_id AND t.id = c.trigger_id AND t.enabled
    ON CONFLICT (trigger_id, external_key) WHERE external_key IS NOT NULL DO NOTHING
    RETURNING id
"""
BEFORE = """
    SELECT e.trigger_id, e.external_key, e.id
    FROM unnest($1 ::uuid[], $2 ::uuid[], $3 ::text[]) AS c (workspace_id, trigger_id, external_key)
    JOIN trigger t ON t.workspace_id = c.workspace_id AND t.id = c.trigger_id AND t.enabled
    JOIN event e ON e.workspace_id = c.workspace_id AND e.trigger_id = c.trigger_id AND e.external_key = c.external_key
"""


async def store_calls(connection: AsyncConnection, calls: Sequence[ReceivedCall]) -> list[UUID | None]:
    """The event of each call, once it is committed: that of the first where the same call was sent again; None where its trigger
    takes none. The connection is one for reading, whose statements each commit by themselves.
    """
    workspaces, triggers = [call.workspace_id for call in calls], [call.trigger_id for call in calls]
    ids, keys = [call.id for call in calls], [call.external_key for call in calls]
    rows = await fetch_rows(connection, STORE, ids, workspaces, triggers, keys, [call.payload for call in calls])
    stored = {row[0] for row in rows}
    if len(stored) == len(calls):
        return list(ids)
    before = await _before(connection, [call for call in calls if call.id not in stored])
    return [call.id if call.id in stored else before.get((call.trigger_id, call.external_key)) for call in calls]


async def _before(connection: AsyncConnection, calls: Sequence[ReceivedCall]) -> Mapping[tuple[UUID, str], UUID]:
    rows = await fetch_rows(
        connection,
        BEFORE,
        [call.workspace_id for call in calls],
        [call.trigger_id for call in calls],
        [call.external_key for call in calls],
    )
    return {(row[0], row[1]): row[2] for row in rows}
