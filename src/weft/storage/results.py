"""Results: what a flush writes, in the order in which it has to be written.

    keep_leases      the fence: only batches whose token still holds may go on
    add_items        COPY, insert only
    save_checkpoints, drop_checkpoints
    publish_entities, `deliveries.add_deliveries`, and the events of what was written (`events`)
    add_to_counters  last: every worker of a run shares that row, so its lock must be short
    `log_lines`      behind the counters, where there are lines at all: their place is the revision, and the lock on it has them
                     come in the order of their places

All of it is one transaction. `add_to_counters` finds no row when the run was ended meanwhile (cancelled, stopped): the
caller then rolls everything back, and nothing of a run that has ended ever changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.events import PlatformEvent
from weft.domain.ids import UUID
from weft.domain.progress import Progress
from weft.storage.batches import STATE_COLUMNS, Lease
from weft.storage.driver import copy_packed
from weft.storage.entity_events import payload_of, quoted
from weft.storage.events import listened
from weft.storage.item_rows import ITEM_COLUMNS, ItemRow, packed
from weft.storage.log_lines import COUNT_LINES, LINES_COUNTED, Room, Said
from weft.storage.progress import progress_of
from weft.storage.run_changes import noted, stretches
from weft.storage.run_milestones import noting_the_end


@dataclass(frozen=True, slots=True)
class Hold:
    """What becomes of a held batch with this flush."""

    lease: Lease
    done: bool
    released: bool
    """Given back before its end, to be ready again after `ready_in`."""
    ready_in: timedelta
    """The lease while it is kept; the wait until a retry, or nothing, where it is given back."""
    recorded: bool = False
    """Items are recorded with it: whatever its earlier holders were lost of, the batch goes on."""


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    ordinal: int
    steps: str
    started_at: datetime | None


@dataclass(frozen=True, slots=True)
class Publication:
    entity_id: UUID
    fields: str
    """The fields to write, as JSON text."""
    publish: bool


@dataclass(slots=True)
class CounterDelta:
    """What a flush adds to the counters of a run; the lists have one element per step of its plan."""

    steps: int
    completed: int = 0
    failed: int = 0
    skipped: int = 0
    ordinals: Sequence[int] = ()
    """Of the items that are counted."""
    step_completed: list[int] = field(init=False)
    step_failed: list[int] = field(init=False)
    step_skipped: list[int] = field(init=False)
    step_retried: list[int] = field(init=False)
    step_busy_us: list[int] = field(init=False)
    step_usage: list[int] = field(default_factory=list[int])
    """Unlike the others: all figures of the first step, then those of the next; empty where there are none."""

    def __post_init__(self) -> None:
        for name in ("step_completed", "step_failed", "step_skipped", "step_retried", "step_busy_us"):
            setattr(self, name, [0] * self.steps)


KEEP = text(
    """
    UPDATE run_batch b
    SET ready_at = now() + h.ready_in, ready_within = h.ready_in, done = h.done, touched = true,
        holder = CASE WHEN h.done OR h.released THEN NULL ELSE b.holder END,
        holders_lost = CASE WHEN h.recorded THEN 0 ELSE b.holders_lost END
    FROM unnest(:numbers ::int[], :tokens ::bigint[], :dones ::bool[], :releases ::bool[], :ready_ins ::interval[],
      :records ::bool[]) AS h (number, token, done, released, ready_in, recorded)
    WHERE b.run_id = :run_id AND b.number = h.number AND b.token = h.token AND NOT b.done AND b.holder IS NOT NULL
      AND EXISTS (SELECT FROM run_state s WHERE s.run_id = :run_id AND s.status IN ('RUNNING', 'PAUSED'))
    RETURNING b.run_id, b.number, b.token
    """
)


async def keep_leases(connection: AsyncConnection, run_id: UUID, holds: Sequence[Hold]) -> frozenset[Lease]:
    """Keep, give back or end these batches. Gives the leases that held: none of a run that has ended."""
    if not holds:
        return frozenset()
    rows = await connection.execute(
        KEEP,
        {
            "run_id": run_id,
            "numbers": [hold.lease.number for hold in holds],
            "tokens": [hold.lease.token for hold in holds],
            "dones": [hold.done for hold in holds],
            "releases": [hold.released for hold in holds],
            "ready_ins": [hold.ready_in for hold in holds],
            "records": [hold.recorded for hold in holds],
        },
    )
    return frozenset(Lease(row.run_id, row.number, row.token) for row in rows)


async def add_items(connection: AsyncConnection, run_id: UUID, items: Sequence[ItemRow]) -> None:
    await copy_packed(connection, "run_item", ITEM_COLUMNS, packed(run_id, items))


SAVE_CHECKPOINTS = text(
    """
    INSERT INTO run_checkpoint (run_id, ordinal, steps, started_at)
    SELECT :run_id, c.ordinal, c.steps::json, c.started_at
    FROM unnest(:ordinals ::int[], :steps ::text[], :starts ::timestamptz[]) AS c (ordinal, steps, started_at)
    ON CONFLICT (run_id, ordinal) DO UPDATE
    SET steps = excluded.steps, started_at = excluded.started_at
    """
)


async def save_checkpoints(connection: AsyncConnection, run_id: UUID, checkpoints: Sequence[CheckpointRow]) -> None:
    await connection.execute(
        SAVE_CHECKPOINTS,
        {
            "run_id": run_id,
            "ordinals": [row.ordinal for row in checkpoints],
            "steps": [row.steps for row in checkpoints],
            "starts": [row.started_at for row in checkpoints],
        },
    )


async def drop_checkpoints(connection: AsyncConnection, run_id: UUID, ordinals: Sequence[int]) -> None:
    await connection.execute(
        text("DELETE FROM run_checkpoint WHERE run_id = :run_id AND ordinal = ANY (:ordinals)"),
        {"run_id": run_id, "ordinals": list(ordinals)},
    )


_UPDATED, _PUBLISHED = quoted(PlatformEvent.ENTITY_UPDATED), quoted(PlatformEvent.ENTITY_PUBLISHED)

PUBLISH = text(
    f"""
    WITH changed AS (
      UPDATE entity e
      SET data = e.data || p.fields::jsonb, version = e.version + 1, updated_at = now(),
          published_at = CASE WHEN p.publish THEN now() ELSE e.published_at END
      FROM unnest(:ids ::uuid[], :fields ::text[], :flags ::bool[]) AS p (id, fields, publish)
      WHERE e.id = p.id AND e.workspace_id = :workspace_id
      RETURNING e.id, p.publish, CASE WHEN {listened(_UPDATED)} OR {listened(_PUBLISHED)} THEN {payload_of("e")} END AS payload
    )
    INSERT INTO event (workspace_id, name, payload, depth)
    SELECT :workspace_id, n.name, c.payload, (SELECT r.depth + 1 FROM run r WHERE r.id = :run_id)
    FROM changed c
    JOIN (VALUES ({_UPDATED}, {listened(_UPDATED)}), ({_PUBLISHED}, {listened(_PUBLISHED)})) AS n (name, listened)
      ON n.listened AND (c.publish OR n.name = {_UPDATED})
    ORDER BY c.id, n.name DESC
    """
)


async def publish_entities(
    connection: AsyncConnection, workspace_id: UUID, run_id: UUID, publications: Sequence[Publication]
) -> None:
    """Write fields into entities. At most one publication per entity: of several, the statement would take only one."""
    # Always in the same order: two runs that write the same entities then wait for each other, and never in a circle.
    publications = sorted(publications, key=lambda row: row.entity_id)
    await connection.execute(
        PUBLISH,
        {
            "workspace_id": workspace_id,
            "run_id": run_id,
            "ids": [row.entity_id for row in publications],
            "fields": [row.fields for row in publications],
            "flags": [row.publish for row in publications],
        },
    )


def _sum(column: str) -> str:
    return (
        f"{column} = (SELECT array_agg(a + b ORDER BY place) "
        f"FROM unnest(s.{column}, :{column} ::bigint[]) WITH ORDINALITY AS u (a, b, place))"
    )


_STEP_SUMS = ", ".join(
    _sum(column) for column in ("step_completed", "step_failed", "step_skipped", "step_retried", "step_busy_us")
)

# Rewritten only where something was paid: most runs call no model, and keep an empty list.
_USAGE = f"""step_usage = CASE
          WHEN cardinality(:step_usage ::bigint[]) = 0 THEN s.step_usage
          WHEN cardinality(s.step_usage) = 0 THEN :step_usage ::bigint[]
          ELSE {_sum("step_usage").partition(" = ")[2]} END"""

_PENDING = "(s.total - s.completed - s.failed - s.skipped - s.cancelled - :finished ::int)"
_FAILED = "(s.failed + :failed ::int)"


# `pending` is what is left of `total`. When a flush leaves nothing pending, the run ends in the same statement; when
# the run is stopped, what is left is cancelled in it. One table and no subquery on it: a rival flush that commits
# while this one waits for the row is then counted in, since Postgres computes the new values from the newest row.
def _adding(*, also: str = "", returning: str = "", logs: str = "0") -> TextClause:
    return text(
        noting_the_end(
            f"""
    UPDATE run_state s
    SET completed = s.completed + :completed ::int, failed = {_FAILED}, skipped = s.skipped + :skipped ::int,
        cancelled = CASE WHEN :stop ::bool THEN s.cancelled + {_PENDING} ELSE s.cancelled END,
        status = CASE
          WHEN :stop ::bool THEN 'FAILED'
          WHEN {_PENDING} > 0 THEN s.status
          WHEN {_FAILED} = 0 THEN 'COMPLETED'
          WHEN {_FAILED} = s.total THEN 'FAILED'
          ELSE 'COMPLETED_WITH_FAILURES' END,
        finished_at = CASE WHEN :stop ::bool OR {_PENDING} = 0 THEN greatest(now(), s.started_at) END,
        error = CASE WHEN :stop ::bool THEN :stop_reason ::text ELSE s.error END,
        revision = s.revision + 1, updated_at = now(), {_STEP_SUMS},
        {_USAGE}{also}
    WHERE s.run_id = :run_id AND s.status IN ('RUNNING', 'PAUSED')
    RETURNING {STATE_COLUMNS}, s.error, old.status AS was{returning}
    """,
            also=noted("changed", finished=":ordinals ::int[]", logs=logs),
        )
    )


ADD = _adding()
# Apart, so that a run that says nothing pays nothing for it.
ADD_WITH_LINES = _adding(
    also=f", {COUNT_LINES}", returning=f", {LINES_COUNTED}", logs="(changed.log_lines - changed.lines_before)"
)


async def add_to_counters(
    connection: AsyncConnection, run_id: UUID, delta: CounterDelta, stop_reason: str | None
) -> Progress | None:
    """Add to the counters of a run, and end it when nothing is pending. None when it was ended by somebody else."""
    rows = await connection.execute(ADD, _values(run_id, delta, stop_reason))
    row = rows.mappings().one_or_none()
    return None if row is None else progress_of(row)


async def add_to_counters_with_lines(
    connection: AsyncConnection, run_id: UUID, delta: CounterDelta, stop_reason: str | None, said: Said
) -> tuple[Progress, Room] | None:
    """The same, and the room that the log has for what was said. It raises the revision also where `delta` is nothing."""
    values = _values(run_id, delta, stop_reason) | said.values()
    row = (await connection.execute(ADD_WITH_LINES, values)).mappings().one_or_none()
    return None if row is None else (progress_of(row), Room(row["revision"], row["lines_before"], row["log_lines"]))


def _values(run_id: UUID, delta: CounterDelta, stop_reason: str | None) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "completed": delta.completed,
        "failed": delta.failed,
        "skipped": delta.skipped,
        "finished": delta.completed + delta.failed + delta.skipped,
        "ordinals": stretches(delta.ordinals),
        "stop": stop_reason is not None,
        "stop_reason": stop_reason,
        "step_completed": delta.step_completed,
        "step_failed": delta.step_failed,
        "step_skipped": delta.step_skipped,
        "step_retried": delta.step_retried,
        "step_busy_us": delta.step_busy_us,
        "step_usage": delta.step_usage,
    }
