"""Batches: claimed, kept and given back under a lease with a fencing token.

A batch is held while `ready_at` lies in the future and `holder` is set. Every claim raises its token; every later write
names the token it was claimed with, so a worker that was overtaken matches no row. Locks are always taken in the order
batch, then run_state; nothing locks them the other way round.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID
from weft.domain.progress import Progress
from weft.storage.progress import PROGRESS_COLUMNS, progress_of

STATE_COLUMNS = ", ".join(f"s.{column.name}" for column in PROGRESS_COLUMNS)
"""What `progress_of` needs, in hand-written SQL; `s` is run_state."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds a batch, and with which token."""

    run_id: UUID
    number: int
    token: int


@dataclass(frozen=True, slots=True)
class ClaimedBatch:
    lease: Lease
    first_ordinal: int
    size: int
    touched: bool
    """Some of its items may have results or checkpoints already."""
    attempts: int
    """How often it was claimed, this time included."""
    progress: Progress
    """Of its run, after the claim."""
    began: bool
    """This claim is the first of the run: it has just become RUNNING."""


CLAIM = text(
    f"""
    WITH candidate AS (
      SELECT s.run_id, b.number
      FROM run_state s
      CROSS JOIN LATERAL (
        SELECT o.number FROM run_batch o
        WHERE o.run_id = s.run_id AND NOT o.done AND o.ready_at <= now()
        ORDER BY o.number
        LIMIT 1
        FOR UPDATE SKIP LOCKED
      ) b
      WHERE s.status IN ('PENDING', 'RUNNING') AND s.run_id <> ALL (:excluded ::uuid[])
        AND (s.held_limit IS NULL OR s.held_limit > (
          SELECT count(*) FROM run_batch h
          WHERE h.run_id = s.run_id AND NOT h.done AND h.holder IS NOT NULL AND h.ready_at > now()))
      ORDER BY s.priority DESC, s.served_at
      LIMIT 1
    ), claimed AS (
      UPDATE run_batch b
      SET ready_at = now() + :lease ::interval, token = b.token + 1, holder = :holder, attempts = b.attempts + 1
      FROM candidate c WHERE b.run_id = c.run_id AND b.number = c.number
      RETURNING b.run_id, b.number, b.token, b.first_ordinal, b.size, b.touched, b.attempts
    )
    UPDATE run_state s
    SET served_at = clock_timestamp(), status = 'RUNNING', started_at = coalesce(s.started_at, now()),
        revision = s.revision + (s.status = 'PENDING')::int, updated_at = now()
    FROM claimed c
    WHERE s.run_id = c.run_id AND s.status IN ('PENDING', 'RUNNING')
    RETURNING c.number, c.token, c.first_ordinal, c.size, c.touched, c.attempts, old.status = 'PENDING' AS began,
      s.held_limit, {STATE_COLUMNS}
    """
)

HELD = text(
    "SELECT count(*) FROM run_batch WHERE run_id = :run_id AND NOT done AND holder IS NOT NULL AND ready_at > now()"
)


async def claim(
    connection: AsyncConnection, holder: str, lease: timedelta, excluded: Sequence[UUID]
) -> ClaimedBatch | None:
    """Take the next batch of the run that was served least recently (higher priority first).

    None when none is ready: then the caller rolls back.
    """
    rows = await connection.execute(CLAIM, {"holder": holder, "lease": lease, "excluded": list(excluded)})
    row = rows.mappings().one_or_none()
    if row is None:
        return None
    if row["held_limit"] is not None:
        # The claim's update of run_state made rival claims of this run wait; what they took is counted only now.
        held = (await connection.execute(HELD, {"run_id": row["run_id"]})).scalar_one()
        if held > row["held_limit"]:
            return None
    return ClaimedBatch(
        Lease(row["run_id"], row["number"], row["token"]),
        row["first_ordinal"],
        row["size"],
        row["touched"],
        row["attempts"],
        progress_of(row),
        row["began"],
    )


# What is locked is being written by its holder, which renews it too, or is being taken over: neither is waited for, so
# that a flush and a renewal, which lock several batches each, cannot wait for each other.
RENEW = text(
    """
    WITH held AS (
      SELECT * FROM unnest(:runs ::uuid[], :numbers ::int[], :tokens ::bigint[]) AS h (run_id, number, token)
    ), free AS (
      SELECT b.run_id, b.number FROM run_batch b JOIN held h USING (run_id, number, token)
      WHERE NOT b.done AND b.holder IS NOT NULL
      FOR UPDATE OF b SKIP LOCKED
    ), renewed AS (
      UPDATE run_batch b SET ready_at = now() + :lease ::interval
      FROM free f, run_state s
      WHERE b.run_id = f.run_id AND b.number = f.number AND s.run_id = b.run_id AND s.status IN ('RUNNING', 'PAUSED')
    )
    SELECT b.run_id, b.number, b.token, s.status = 'PAUSED' AS paused
    FROM run_batch b JOIN held h USING (run_id, number, token) JOIN run_state s ON s.run_id = b.run_id
    WHERE NOT b.done AND s.status IN ('RUNNING', 'PAUSED')
    """
)


async def renew(connection: AsyncConnection, leases: Sequence[Lease], lease: timedelta) -> dict[Lease, bool]:
    """Hold these batches longer. Gives the leases that still hold, each with whether its run is paused."""
    rows = await connection.execute(
        RENEW,
        {
            "lease": lease,
            "runs": [held.run_id for held in leases],
            "numbers": [held.number for held in leases],
            "tokens": [held.token for held in leases],
        },
    )
    return {Lease(row.run_id, row.number, row.token): row.paused for row in rows}
