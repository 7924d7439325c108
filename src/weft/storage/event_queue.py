"""The queue of events that wait to be looked at: claimed under a lock, and marked in the same transaction.

No cursor goes over it: of two transactions the later one may commit the lower id. What is open is what `handled_at` says.

The claim is fair between workspaces. It walks from one that has something open to the next, by the index, and takes from
each no more than its share; the next claim begins behind the last of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.events import Event
from weft.domain.ids import UUID

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
    found: int
    """How many there were to be had: what is too much for one claim is left out."""
    workspaces: int
    """That have some of those."""
    last: UUID | None
    """The last workspace that was walked to, where there may be others behind it."""

    def behind(self, number: int) -> UUID:
        """Where the next claim is to begin, when only so many of the events had their turn: those that had none are the first of
        it. Where there are many workspaces it is enough that each of these had one.
        """
        had = self.events[:number]
        if number < self.found and (self.last is None or len({one.workspace_id for one in had}) < self.workspaces):
            return had[-1].workspace_id
        return self.last or FROM_THE_START


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
      SELECT c.*, sum(c.size) OVER (ORDER BY c.turn, c.workspace_id) - c.size AS before
      FROM (SELECT *, octet_length(payload::text) AS size FROM locked ORDER BY turn, workspace_id LIMIT :most ::int) c
    )
    SELECT *, (SELECT CASE WHEN count(*) = :workspaces ::int THEN max(workspace_id::text)::uuid END FROM workspaces) AS last,
      (SELECT count(*) FROM locked) AS found, (SELECT count(*) FROM locked WHERE turn = 1) AS workspaces
    FROM taken
    WHERE before < :most_bytes ::bigint
    ORDER BY turn, workspace_id
    """
)
_OF_THE_CLAIM = {"turn", "size", "before", "last", "found", "workspaces"}


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
    if not rows:
        return Claim((), (), 0, 0, None)
    first = rows[0]
    return Claim(events, [row["size"] for row in rows], first["found"], first["workspaces"], first["last"])


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
