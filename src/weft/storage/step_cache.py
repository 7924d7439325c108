"""Remembered outputs of steps, by workspace and key. Losing one costs a computation, and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID


@dataclass(frozen=True, slots=True)
class Wanted:
    workspace_id: UUID
    key: bytes
    max_age: timedelta
    """What is older is not wanted, however long it was to be kept by whoever wrote it."""


@dataclass(frozen=True, slots=True)
class Entry:
    workspace_id: UUID
    key: bytes
    max_age: timedelta
    result: str
    """As JSON text."""


# JSON comes as text, and goes on as such: it is decoded once for each item that it serves.
LOOK_UP = text(
    """
    SELECT w.place, c.result::text AS result
    FROM unnest(:workspaces ::uuid[], :keys ::bytea[], :ages ::interval[])
      WITH ORDINALITY AS w (workspace_id, key, max_age, place)
    CROSS JOIN LATERAL (
      SELECT result, created_at, expires_at FROM step_cache
      WHERE workspace_id = w.workspace_id AND key = w.key OFFSET 0
    ) c
    WHERE c.expires_at > now() AND c.created_at > now() - w.max_age
    """
)


async def look_up(connection: AsyncConnection, wanted: Sequence[Wanted]) -> list[str | None]:
    """The result of each as JSON text, in the same order; None for one that is not there, or too old."""
    rows = await connection.execute(
        LOOK_UP,
        {
            "workspaces": [one.workspace_id for one in wanted],
            "keys": [one.key for one in wanted],
            "ages": [one.max_age for one in wanted],
        },
    )
    found = {row.place: row.result for row in rows}
    return [found.get(place) for place in range(1, len(wanted) + 1)]


SAVE = text(
    """
    INSERT INTO step_cache (workspace_id, key, result, created_at, expires_at)
    SELECT e.workspace_id, e.key, e.result::json, now(), now() + e.max_age
    FROM unnest(:workspaces ::uuid[], :keys ::bytea[], :ages ::interval[], :results ::text[])
      AS e (workspace_id, key, max_age, result)
    ON CONFLICT (workspace_id, key) DO UPDATE
    SET result = excluded.result, created_at = excluded.created_at,
        expires_at = greatest(step_cache.expires_at, excluded.expires_at)
    """
)


async def save(connection: AsyncConnection, entries: Sequence[Entry]) -> None:
    """The newest result of a key takes the place of an older one."""
    # Once each, or the statement would write a row twice; in one order, so that two workers never wait in a circle.
    distinct = {(entry.workspace_id.bytes, entry.key): entry for entry in entries}
    ordered = [distinct[place] for place in sorted(distinct)]
    await connection.execute(
        SAVE,
        {
            "workspaces": [entry.workspace_id for entry in ordered],
            "keys": [entry.key for entry in ordered],
            "ages": [entry.max_age for entry in ordered],
            "results": [entry.result for entry in ordered],
        },
    )


DROP_EXPIRED = text(
    """
    DELETE FROM step_cache c
    USING (
      SELECT workspace_id, key FROM step_cache WHERE expires_at <= now()
      ORDER BY expires_at LIMIT :most
      FOR UPDATE SKIP LOCKED
    ) old
    WHERE c.workspace_id = old.workspace_id AND c.key = old.key
    """
)


async def drop_expired(connection: AsyncConnection, most: int) -> int:
    """Of all workspaces; how many they were."""
    return (await connection.execute(DROP_EXPIRED, {"most": most})).rowcount
