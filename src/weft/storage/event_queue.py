"""The queue of events that wait to be looked at: claimed under a lock, and marked in the same transaction.

No cursor goes over it: of two transactions the later one may commit the lower id. What is open is what `handled_at` says.

The claim is fair between workspaces. It walks from one that has something open to the next, by the index, and takes from
each no more than its share; the next claim begins behind the last of them.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import null, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.events import Event
from weft.domain.ids import UUID
from weft.domain.trigger import Trigger
from weft.domain.workflow import Workflow
from weft.storage.tables import workflow
from weft.storage.triggers import trigger_of
from weft.storage.workflows import workflow_of

MOST_WORKSPACES = 64
"""Of which events are taken at once: as many steps along the index, whether each has one event open or a million."""

LEAST_SHARE = 20
"""Of one workspace, however many they are: where the others have little, a flood goes on by more than a few events a round."""

FROM_THE_START = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Claim:
    events: Sequence[Event]
    sizes: Sequence[int]
    """Bytes of each payload."""
    last: UUID | None
    """The last workspace that was walked to, where there may be others behind it."""


CLAIM = text(
    """
    WITH RECURSIVE walked AS (
      (SELECT workspace_id, 1 AS place FROM event
       WHERE handled_at IS NULL AND workspace_id > :behind ORDER BY workspace_id LIMIT 1)
      UNION ALL
      SELECT (SELECT e.workspace_id FROM event e WHERE e.handled_at IS NULL AND e.workspace_id > w.workspace_id
              ORDER BY e.workspace_id LIMIT 1), w.place + 1
      FROM walked w WHERE w.workspace_id IS NOT NULL AND w.place < :workspaces ::int
    ), workspaces AS MATERIALIZED (
      SELECT workspace_id, count(*) OVER () AS number FROM walked WHERE workspace_id IS NOT NULL
    ), locked AS MATERIALIZED (
      SELECT o.*, row_number() OVER (PARTITION BY o.workspace_id ORDER BY o.id) AS turn
      FROM workspaces w CROSS JOIN LATERAL (
        SELECT e.id, e.workspace_id, e.name, e.payload, e.depth, e.trigger_id, e.handled_at, e.created_at FROM event e
        WHERE e.workspace_id = w.workspace_id AND e.handled_at IS NULL
        ORDER BY e.id LIMIT greatest(:least ::int, :most ::int / w.number) FOR UPDATE SKIP LOCKED
      ) o
    ), taken AS (
      SELECT c.*, sum(c.size) OVER (ORDER BY c.turn, c.id) - c.size AS before
      FROM (SELECT *, octet_length(payload::text) AS size FROM locked ORDER BY turn, id LIMIT :most ::int) c
    )
    SELECT *, (SELECT CASE WHEN count(*) = :workspaces ::int THEN max(workspace_id::text)::uuid END FROM workspaces) AS last
    FROM taken
    WHERE before < :most_bytes ::bigint
    ORDER BY turn, id
    """
)
_OF_THE_CLAIM = {"turn", "size", "before", "last"}


async def claim(connection: AsyncConnection, behind: UUID, most: int, most_bytes: int) -> Claim:
    """Up to `most` events of the workspaces behind this one, in turns, that hold about `most_bytes` together, and always one. They
    are locked until the end of the transaction. Of every workspace: workers serve all.
    """
    values = {
        "behind": behind,
        "workspaces": MOST_WORKSPACES,
        "least": LEAST_SHARE,
        "most": most,
        "most_bytes": most_bytes,
    }
    rows = (await connection.execute(CLAIM, values)).mappings().all()
    events: list[Event] = []
    for row in rows:
        facts: dict[str, Any] = {name: value for name, value in row.items() if name not in _OF_THE_CLAIM}
        events.append(Event(**facts))
    return Claim(events, [row["size"] for row in rows], rows[0]["last"] if rows else None)


@dataclass(frozen=True, slots=True)
class Listener:
    trigger: Trigger
    workflow: Workflow


class Listeners:
    """Who listens for some events, in the order in which the triggers stand in their workflows."""

    def __init__(self, found: Sequence[Listener]) -> None:
        self._by_name = defaultdict[tuple[UUID, str], list[Listener]](list)
        self._by_id: dict[tuple[UUID, UUID], Listener] = {}
        for one in found:
            trigger = one.trigger
            self._by_id[trigger.workspace_id, trigger.id] = one
            if trigger.event is not None:
                self._by_name[trigger.workspace_id, trigger.event].append(one)

    def of(self, event: Event) -> Sequence[Listener]:
        if event.trigger_id is None:
            return self._by_name.get((event.workspace_id, event.name), ())
        found = self._by_id.get((event.workspace_id, event.trigger_id))
        return () if found is None else (found,)


_LISTENING = """
    SELECT {columns} FROM trigger t
    JOIN unnest(:workspace_ids ::uuid[], :names ::text[], :trigger_ids ::uuid[]) AS n (workspace_id, name, trigger_id)
      ON t.workspace_id = n.workspace_id AND (t.id = n.trigger_id OR (n.trigger_id IS NULL AND t.event = n.name))
    WHERE t.enabled
"""
WORKFLOWS_LISTENING = text(_LISTENING.format(columns="DISTINCT t.workflow_id"))
LISTENING = text(
    _LISTENING.format(columns="t.*")
    + " AND t.workflow_id = ANY (:workflow_ids ::uuid[]) ORDER BY t.workflow_id, t.position, t.id"
)


async def listeners(connection: AsyncConnection, events: Sequence[Event]) -> Listeners:
    """Whose triggers are enabled, whatever their workflows are at the moment. Those stay until the end of the transaction."""
    names = {(one.workspace_id, one.name if one.trigger_id is None else None, one.trigger_id) for one in events}
    values: dict[str, Any] = {
        "workspace_ids": [workspace_id for workspace_id, _, _ in names],
        "names": [name for _, name, _ in names],
        "trigger_ids": [trigger_id for _, _, trigger_id in names],
    }
    ids = list((await connection.execute(WORKFLOWS_LISTENING, values)).scalars())
    if not ids:
        return Listeners([])
    # First locked, then their triggers read by a statement that begins after that: whoever changes a workflow locks it as well,
    # so its triggers are those of its definition. Always in the same order, as two that wait for each other would never end.
    held = (
        select(*workflow.columns, null().label("last_run_at"))
        .where(workflow.c.id.in_(ids))
        .order_by(workflow.c.id)
        .with_for_update(read=True, key_share=True)
    )
    workflows = {row["id"]: workflow_of(row) for row in (await connection.execute(held)).mappings()}
    rows = (await connection.execute(LISTENING, {**values, "workflow_ids": list(workflows)})).mappings()
    return Listeners([Listener(trigger_of(row), workflows[row["workflow_id"]]) for row in rows])


EXISTING = text(
    """
    SELECT n.entity_type_id, e.id
    FROM unnest(:workspace_ids ::uuid[], :type_ids ::uuid[], :ids ::uuid[]) AS n (workspace_id, entity_type_id, id)
    JOIN entity e ON e.id = n.id AND e.workspace_id = n.workspace_id AND e.entity_type_id = n.entity_type_id
    """
)


async def existing(connection: AsyncConnection, named: Sequence[tuple[UUID, UUID, UUID]]) -> set[tuple[UUID, UUID]]:
    """Of entities named by workspace, type and id, the types and ids of those that there are."""
    values = {
        "workspace_ids": [workspace_id for workspace_id, _, _ in named],
        "type_ids": [type_id for _, type_id, _ in named],
        "ids": [entity_id for _, _, entity_id in named],
    }
    return {(row.entity_type_id, row.id) for row in await connection.execute(EXISTING, values)}


async def handled(connection: AsyncConnection, events: Sequence[Event]) -> None:
    """They were looked at. The caller holds their locks."""
    statement = text("UPDATE event SET handled_at = now() WHERE id = ANY (:ids ::uuid[])")
    await connection.execute(statement, {"ids": [one.id for one in events]})
