"""Batches: claimed, kept and given back under a lease with a fencing token.

A batch is held while `ready_at` lies in the future and `holder` is set. Every claim raises its token; every later write
names the token it was claimed with, so a worker that was overtaken matches no row. Locks are always taken in the order
batch, then run_state; nothing locks them the other way round.

The one clock is that of Postgres, and it may be set. Set forward it ends leases early, which costs work and nothing else.
Set back it would leave them for as long as it was set back: so each row says how far ahead its time was set
(`ready_within`), and one that lies further ahead than that is ready.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID
from weft.domain.progress import Progress
from weft.storage.progress import PROGRESS_COLUMNS, progress_of
from weft.storage.run_changes import noted

STATE_COLUMNS = ", ".join(f"s.{column.name}" for column in PROGRESS_COLUMNS)
"""What `progress_of` needs, in hand-written SQL; `s` is run_state."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds a batch, and with which token."""

    run_id: UUID
    number: int
    token: int


@dataclass(frozen=True, slots=True)
class Suspect:
    """The item that a lost holder had under way last, and may have died of."""

    ordinal: int
    step: str
    losses: int
    """Holders in a row that were lost with this item under way."""


class RunIsFullError(Exception):
    """The claim lost the race for the last batch that the run's limit allows."""

    def __init__(self, run_id: UUID) -> None:
        super().__init__(f"the run {run_id} holds as many batches as it may")
        self.run_id = run_id


@dataclass(frozen=True, slots=True)
class ClaimedBatch:
    lease: Lease
    first_ordinal: int
    size: int
    touched: bool
    """Some of its items may have results or checkpoints already."""
    attempts: int
    """How often it was claimed, this time included."""
    holders_lost: int
    """How many of those that claimed it before let the lease run out. Not ourselves: who asks is alive."""
    suspect: Suspect | None
    progress: Progress
    """Of its run, after the claim."""
    began: bool
    """This claim is the first of the run: it has just become RUNNING."""
    taken_over: bool
    """From somebody whose lease ran out."""


def has_run_out(batch: str) -> str:
    """Whether the lease, or the wait, of this row is over. What nobody claimed yet waits for nothing.

    A time ahead was set a moment ago at the latest, hence the second. And not `now()`, which is when the transaction began:
    what was given back since then is ready.
    """
    return (
        f"({batch}.ready_at <= statement_timestamp() OR {batch}.token = 0 "
        f"OR {batch}.ready_at > clock_timestamp() + {batch}.ready_within + interval '1 second')"
    )


# `candidate` is the first ready batch of the run whose turn it is, `more` those of the same run that there is room for. A
# claim locks no batch that another one has locked, and waits only for the run's row.
CLAIM = text(
    f"""
    WITH candidate AS (
      SELECT s.run_id, b.number, least(
        coalesce((SELECT w.room FROM unnest(:known ::uuid[], :rooms ::int[]) AS w (run_id, room)
                  WHERE w.run_id = s.run_id), 1), s.held_limit - l.held) AS room
      FROM run_state s
      CROSS JOIN LATERAL (
        SELECT count(*) AS held FROM run_batch h
        WHERE s.held_limit IS NOT NULL AND h.run_id = s.run_id AND NOT h.done AND h.holder IS NOT NULL
          AND NOT {has_run_out("h")}
      ) l
      CROSS JOIN LATERAL (
        SELECT o.number FROM run_batch o
        WHERE o.run_id = s.run_id AND NOT o.done AND {has_run_out("o")}
        ORDER BY o.number
        LIMIT 1
        FOR UPDATE SKIP LOCKED
      ) b
      WHERE s.status IN ('PENDING', 'RUNNING') AND s.run_id <> ALL (:excluded ::uuid[])
        AND (s.held_limit IS NULL OR s.held_limit > l.held)
      ORDER BY s.priority DESC, s.served_at
      LIMIT 1
    ), more AS (
      SELECT c.run_id, n.number
      FROM candidate c
      CROSS JOIN LATERAL (
        SELECT o.number FROM run_batch o
        WHERE o.run_id = c.run_id AND o.number > c.number AND NOT o.done AND {has_run_out("o")}
        ORDER BY o.number
        LIMIT c.room - 1
        FOR UPDATE SKIP LOCKED
      ) n
    ), claimed AS (
      UPDATE run_batch b
      SET ready_at = now() + :lease ::interval, ready_within = :lease ::interval, token = b.token + 1,
          holder = :holder, attempts = b.attempts + 1,
          holders_lost = b.holders_lost + (b.holder IS NOT NULL AND b.holder <> :holder)::int,
          suspect_losses = b.suspect_losses
            + (b.holder IS NOT NULL AND b.holder <> :holder AND b.suspect_token IS NOT DISTINCT FROM b.token)::int
      FROM (SELECT run_id, number FROM candidate UNION ALL SELECT run_id, number FROM more) c
      WHERE b.run_id = c.run_id AND b.number = c.number
      RETURNING b.number, b.token, b.first_ordinal, b.size, b.touched, b.attempts, b.holders_lost,
        old.holder IS NOT NULL AND old.holder <> :holder AS taken_over,
        b.suspect_ordinal, b.suspect_step, b.suspect_losses
    ), state AS (
      UPDATE run_state s
      SET served_at = clock_timestamp(), status = 'RUNNING', started_at = coalesce(s.started_at, now()),
          revision = s.revision + (s.status = 'PENDING')::int, updated_at = now()
      FROM candidate c
      WHERE s.run_id = c.run_id AND s.status IN ('PENDING', 'RUNNING')
      RETURNING old.status = 'PENDING' AS began, old.status AS was, s.held_limit, {STATE_COLUMNS}
    ), {noted("state", where="began")}
    SELECT claimed.*, state.* FROM claimed CROSS JOIN state ORDER BY number
    """
)

HELD = text(
    f"""
    SELECT count(*) FROM run_batch h
    WHERE h.run_id = :run_id AND NOT h.done AND h.holder IS NOT NULL AND NOT {has_run_out("h")}
    """
)


async def claim(
    connection: AsyncConnection,
    holder: str,
    lease: timedelta,
    excluded: Sequence[UUID],
    rooms: Mapping[UUID, int] | None = None,
) -> list[ClaimedBatch]:
    """Take the next batches of the run that was served least recently (higher priority first): one, or as many as `rooms`
    says for that run.

    Empty when none is ready; raises RunIsFullError when there may be one of another run. Then the caller rolls back.
    """
    known = rooms or {}
    values = {
        "holder": holder,
        "lease": lease,
        "excluded": list(excluded),
        "known": list(known),
        "rooms": list(known.values()),
    }
    rows = (await connection.execute(CLAIM, values)).mappings().all()
    if rows and (limit := rows[0]["held_limit"]) is not None:
        # The claim's update of run_state made rival claims of this run wait; what they took is counted only now.
        run_id = rows[0]["run_id"]
        if (await connection.execute(HELD, {"run_id": run_id})).scalar_one() > limit:
            raise RunIsFullError(run_id)
    return [_claimed(row) for row in rows]


def _claimed(row: RowMapping) -> ClaimedBatch:
    return ClaimedBatch(
        Lease(row["run_id"], row["number"], row["token"]),
        row["first_ordinal"],
        row["size"],
        row["touched"],
        row["attempts"],
        row["holders_lost"],
        _suspect_of(row),
        progress_of(row),
        row["began"],
        row["taken_over"],
    )


def _suspect_of(row: RowMapping) -> Suspect | None:
    # One that no holder was lost with is none: it was under way when its holder gave the batch back.
    if row["suspect_ordinal"] is None or not row["suspect_losses"]:
        return None
    return Suspect(row["suspect_ordinal"], row["suspect_step"], row["suspect_losses"])


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
      UPDATE run_batch b SET ready_at = now() + :lease ::interval, ready_within = :lease ::interval
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


# Fairness goes by the clock as well: a run that was served "in the future" would wait until that has come.
FORGET_FUTURE = text(
    """
    UPDATE run_state SET served_at = now()
    WHERE run_id IN (
      SELECT run_id FROM run_state
      WHERE status IN ('PENDING', 'RUNNING') AND served_at > clock_timestamp() + interval '1 second'
      FOR UPDATE SKIP LOCKED)
    """
)


async def forget_future(connection: AsyncConnection) -> None:
    """After the clock was set back: no run was served later than now."""
    await connection.execute(FORGET_FUTURE)


GIVE_BACK = text(
    """
    UPDATE run_batch SET ready_at = now() + :pause ::interval, ready_within = :pause ::interval, holder = NULL
    WHERE run_id = :run_id AND number = :number AND token = :token AND NOT done AND holder IS NOT NULL
    """
)


async def give_back(connection: AsyncConnection, lease: Lease, pause: timedelta) -> None:
    """Unchanged, to be claimed by anybody after the pause."""
    await connection.execute(
        GIVE_BACK, {"run_id": lease.run_id, "number": lease.number, "token": lease.token, "pause": pause}
    )
