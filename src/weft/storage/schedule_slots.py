"""What the scheduler asks: which schedules are due, who takes care of one, and what came of it. Of every workspace: workers
serve all.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID
from weft.domain.progress import TERMINAL_RUN_STATUSES, RunStatus
from weft.domain.schedule import Schedule
from weft.domain.trigger import FiringOutcome
from weft.kit.storable import storable
from weft.storage.firings import LONGEST_REASON
from weft.storage.schedules import schedule_of
from weft.storage.tables import schedule

RUNS_LOOKED_AT = 100
"""Of a schedule, the newest ones, to find one that is not over. A run over which a hundred others began is not waited for."""

_OVER = ", ".join(f"'{status}'" for status in sorted(TERMINAL_RUN_STATUSES))
_GOES_ON = (
    f"s.waits_for IS NOT NULL AND (r.run_id IS NULL OR r.status IN ({_OVER})) AND s.id <> ALL (:resting ::uuid[])"
)
"""`r` is the state of the run that is waited for, which may be deleted by now."""


@dataclass(frozen=True, slots=True)
class Ahead:
    ready: int
    """Schedules that there is something to do for now; not counted further than asked."""
    next_at: datetime | None
    """The first slot of all, which may be due already."""
    waiting: bool
    """A queue waits for the end of a run."""


async def now(connection: AsyncConnection) -> datetime:
    """By the clock of the database, which is the same for all workers."""
    return (await connection.execute(text("SELECT clock_timestamp()"))).scalar_one()


AHEAD = text(
    f"""
    SELECT
      (SELECT count(*) FROM (SELECT FROM schedule WHERE next_at <= :now AND id <> ALL (:resting ::uuid[]) LIMIT :most) d)
        + (SELECT count(*) FROM (SELECT FROM schedule s LEFT JOIN run_state r ON r.run_id = s.waits_for
           WHERE {_GOES_ON} LIMIT :most) w) AS ready,
      (SELECT next_at FROM schedule WHERE next_at IS NOT NULL AND id <> ALL (:resting ::uuid[])
       ORDER BY next_at LIMIT 1) AS next_at,
      EXISTS (SELECT FROM schedule WHERE waits_for IS NOT NULL) AS waiting
    """
)


async def ahead(connection: AsyncConnection, now: datetime, resting: Collection[UUID], most: int) -> Ahead:
    rows = await connection.execute(AHEAD, {"now": now, "resting": list(resting), "most": most})
    return Ahead(**rows.mappings().one())


# What somebody else works on is passed by, and so is what somebody just deletes: the lock of the workflow comes with that of
# the schedule, so nobody who holds one waits for the other.
_LOCKED = "LIMIT 1 FOR UPDATE OF s SKIP LOCKED FOR KEY SHARE OF w SKIP LOCKED"
_WORKFLOW = "JOIN workflow w ON w.id = s.workflow_id AND w.workspace_id = s.workspace_id"

CLAIM_DUE = text(
    f"""
    SELECT s.* FROM schedule s {_WORKFLOW}
    WHERE s.next_at <= :now AND s.id <> ALL (:resting ::uuid[])
    ORDER BY s.next_at {_LOCKED}
    """
).columns(*schedule.columns)
CLAIM_WAITING = text(
    f"""
    SELECT s.* FROM schedule s {_WORKFLOW} LEFT JOIN run_state r ON r.run_id = s.waits_for
    WHERE {_GOES_ON} {_LOCKED}
    """
).columns(*schedule.columns)


async def claim_due(connection: AsyncConnection, now: datetime, resting: Collection[UUID]) -> Schedule | None:
    """The schedule that is due for longest, for this transaction alone."""
    row = (await connection.execute(CLAIM_DUE, {"now": now, "resting": list(resting)})).mappings().one_or_none()
    return None if row is None else schedule_of(row)


async def claim_waiting(connection: AsyncConnection, resting: Collection[UUID]) -> Schedule | None:
    """One whose queue can go on, since the run that it waited for is over."""
    row = (await connection.execute(CLAIM_WAITING, {"resting": list(resting)})).mappings().one_or_none()
    return None if row is None else schedule_of(row)


@dataclass(frozen=True, slots=True)
class OpenRun:
    id: UUID
    status: RunStatus


OPEN_RUN = text(
    f"""
    SELECT r.id, s.status
    FROM (SELECT id, workspace_id FROM run WHERE trigger_id = :schedule_id ORDER BY id DESC LIMIT {RUNS_LOOKED_AT}) r
    JOIN run_state s ON s.run_id = r.id
    WHERE r.workspace_id = :workspace_id AND s.status NOT IN ({_OVER})
    ORDER BY r.id DESC LIMIT 1
    """
)


async def open_run(connection: AsyncConnection, of: Schedule) -> OpenRun | None:
    """The newest run that the schedule started and that is not over."""
    values = {"schedule_id": of.id, "workspace_id": of.workspace_id}
    row = (await connection.execute(OPEN_RUN, values)).one_or_none()
    return None if row is None else OpenRun(row.id, RunStatus(row.status))


async def move(connection: AsyncConnection, moved: Schedule, **values: Any) -> None:
    """What the scheduler notes of a schedule that it holds. No change of its revision: nobody edited it."""
    mine = (schedule.c.workspace_id == moved.workspace_id, schedule.c.id == moved.id)
    await connection.execute(update(schedule).where(*mine).values(**values))


SETTLE = text(
    """
    UPDATE firing SET outcome = :outcome, run_id = :run_id, reason = :reason
    WHERE workspace_id = :workspace_id AND trigger_id = :schedule_id AND slot_at = ANY (:slots ::timestamptz[])
      AND outcome = 'QUEUED'
    """
)


async def settle(
    connection: AsyncConnection,
    of: Schedule,
    slots: Sequence[datetime],
    outcome: FiringOutcome,
    *,
    run_id: UUID | None = None,
    reason: str | None = None,
) -> None:
    """What became of slots whose runs waited."""
    values = {
        "workspace_id": of.workspace_id,
        "schedule_id": of.id,
        "slots": list(slots),
        "outcome": outcome.value,
        "run_id": run_id,
        "reason": None if reason is None else storable(reason)[:LONGEST_REASON],
    }
    await connection.execute(SETTLE, values)
