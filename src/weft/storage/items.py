"""Items as one list: finished ones from their rows, the others from their batches, with what was recorded of them.

Every list is in the order of ordinals and read from an ordinal on, so a page costs the same at any depth. Many runs are
asked for with one statement. That statement is also one snapshot: an item is never missed while it moves from its batch
to its row.

`OFFSET 0` keeps a lookup a lookup: Postgres takes what it stands in as it is written, once per row that asks for it,
and cannot decide to join with all results of all runs instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID
from weft.domain.progress import TERMINAL_RUN_STATUSES
from weft.domain.run import Item, ItemStatus
from weft.kit.json import loads
from weft.storage.batches import has_run_out
from weft.storage.step_codec import decode_error, decode_step

TERMINAL = ", ".join(f"'{status}'" for status in sorted(TERMINAL_RUN_STATUSES))
# Every query gives the columns of `item_of`, in its order. JSON comes as text: decoding it here costs a third of what the
# driver takes for it.
ITEM_COLUMNS = "i.status, i.error::text, i.output::text, i.steps::text, i.started_at, i.finished_at"
KEPT_COLUMNS = "u.unfinished_status, c.steps::text, c.started_at"

# In both: `w` are the runs asked for, `s` their counters, `b` a batch. Batches of a run are cut to one size, so an
# ordinal tells the number of its batch.
RUNS = """
    JOIN run r ON r.id = w.run_id AND r.workspace_id = :workspace_id
    JOIN run_state s ON s.run_id = r.id
    LEFT JOIN run_batch cut ON cut.run_id = r.id AND cut.number = 0
"""
UNFINISHED_STATUS = f"""
    CASE WHEN s.status IN ({TERMINAL}) THEN 'CANCELLED'
      WHEN b.holder IS NOT NULL AND NOT {has_run_out("b")} THEN 'RUNNING'
      ELSE 'PENDING' END
"""

BY_ORDINAL = text(
    f"""
    SELECT w.run_id, u.ordinal, u.entity_id, {KEPT_COLUMNS}, {ITEM_COLUMNS}
    FROM unnest(:run_ids ::uuid[], :lows ::int[], :highs ::int[]) AS w (run_id, low, high)
    {RUNS}
    CROSS JOIN LATERAL (
      SELECT greatest(w.low, b.first_ordinal) + p.place::int - 1 AS ordinal, p.entity_id,
        {UNFINISHED_STATUS} AS unfinished_status
      FROM run_batch b
      CROSS JOIN LATERAL unnest(coalesce(
        b.entity_ids[greatest(1, w.low - b.first_ordinal + 1) : w.high - b.first_ordinal + 1], ARRAY[NULL]::uuid[]
      )) WITH ORDINALITY AS p (entity_id, place)
      WHERE b.run_id = r.id AND b.number BETWEEN w.low / cut.size AND w.high / cut.size
      OFFSET 0
    ) u
    LEFT JOIN LATERAL (
      SELECT * FROM run_item WHERE run_id = r.id AND ordinal = u.ordinal OFFSET 0
    ) i ON true
    LEFT JOIN LATERAL (
      SELECT * FROM run_checkpoint WHERE run_id = r.id AND ordinal = u.ordinal AND i.ordinal IS NULL OFFSET 0
    ) c ON true
    ORDER BY u.ordinal
    """
)


def _finished(rows: str) -> TextClause:
    """`rows` are results of one run from an ordinal on."""
    return text(
        f"""
        SELECT w.run_id, i.ordinal, i.entity_id, NULL, NULL, NULL, {ITEM_COLUMNS}
        FROM unnest(:run_ids ::uuid[]) AS w (run_id)
        JOIN run r ON r.id = w.run_id AND r.workspace_id = :workspace_id
        CROSS JOIN LATERAL ({rows}) i
        ORDER BY i.ordinal
        """
    )


# Nearly all items of most runs are completed ones: to walk along the primary key and leave out the others is the way.
ANY_FINISHED = _finished(
    """
    SELECT * FROM run_item
    WHERE run_id = r.id AND ordinal >= :low ::int AND status = ANY (:statuses ::text[])
    ORDER BY ordinal LIMIT :most
    """
)
# Few are the others: they have an index of their own, in which each status stands in order.
UNSUCCESSFUL = _finished(
    """
    SELECT f.* FROM unnest(:statuses ::text[]) AS wanted (status)
    CROSS JOIN LATERAL (
      SELECT * FROM run_item
      WHERE run_id = r.id AND status = wanted.status AND status <> 'COMPLETED' AND ordinal >= :low ::int
      ORDER BY ordinal LIMIT :most
    ) f
    ORDER BY f.ordinal LIMIT :most
    """
)
# A batch that is not done holds at least one such item, so no more batches are opened than items are wanted. Only in a
# batch that was touched may some be finished already.
UNFINISHED = text(
    f"""
    SELECT w.run_id, u.ordinal, u.entity_id, {KEPT_COLUMNS}, NULL, NULL, NULL, NULL, NULL, NULL
    FROM unnest(:run_ids ::uuid[]) AS w (run_id)
    {RUNS}
    CROSS JOIN LATERAL (
      SELECT b.number, o.ordinal, o.entity_id, {UNFINISHED_STATUS} AS unfinished_status
      FROM run_batch b
      CROSS JOIN LATERAL (
        SELECT b.first_ordinal + p.place::int - 1 AS ordinal, p.entity_id
        FROM unnest(coalesce(b.entity_ids, ARRAY[NULL]::uuid[])) WITH ORDINALITY AS p (entity_id, place)
        WHERE b.first_ordinal + p.place - 1 >= :low ::int AND (NOT b.touched OR NOT EXISTS (
          SELECT FROM run_item WHERE run_id = b.run_id AND ordinal = b.first_ordinal + p.place::int - 1 OFFSET 0))
        ORDER BY p.place LIMIT :most
      ) o
      WHERE b.run_id = r.id AND NOT b.done AND b.number >= :low ::int / cut.size
        AND {UNFINISHED_STATUS} = ANY (:statuses ::text[])
      ORDER BY b.number, o.ordinal LIMIT :most
    ) u
    LEFT JOIN LATERAL (
      SELECT * FROM run_checkpoint WHERE run_id = r.id AND ordinal = u.ordinal OFFSET 0
    ) c ON true
    ORDER BY u.ordinal
    """
)
PLACES = text(
    """
    SELECT b.run_id, b.first_ordinal + array_position(b.entity_ids, :entity_id ::uuid) - 1 AS ordinal
    FROM run_batch b JOIN run r ON r.id = b.run_id AND r.workspace_id = :workspace_id
    WHERE b.run_id = ANY (:run_ids ::uuid[]) AND :entity_id ::uuid = ANY (b.entity_ids)
    """
)


@dataclass(frozen=True, slots=True)
class Span:
    """The items `low` to `high` of a run, both included."""

    run_id: UUID
    low: int
    high: int


async def in_spans(connection: AsyncConnection, workspace_id: UUID, spans: Sequence[Span]) -> list[Item]:
    """In the order of ordinals, those of different runs among each other."""
    values = {
        "workspace_id": workspace_id,
        "run_ids": [span.run_id for span in spans],
        "lows": [span.low for span in spans],
        "highs": [span.high for span in spans],
    }
    return [item_of(*row) for row in await connection.execute(BY_ORDINAL, values)]


async def finished(
    connection: AsyncConnection,
    workspace_id: UUID,
    run_ids: Sequence[UUID],
    statuses: Sequence[ItemStatus],
    low: int,
    most: int,
) -> list[Item]:
    """Of each run the first `most` finished items from the ordinal `low` on that ended like this."""
    query = ANY_FINISHED if ItemStatus.COMPLETED in statuses else UNSUCCESSFUL
    return await _first(connection, query, workspace_id, run_ids, statuses, low, most)


async def unfinished(
    connection: AsyncConnection,
    workspace_id: UUID,
    run_ids: Sequence[UUID],
    statuses: Sequence[ItemStatus],
    low: int,
    most: int,
) -> list[Item]:
    """Of each run the first `most` items without a result from the ordinal `low` on."""
    return await _first(connection, UNFINISHED, workspace_id, run_ids, statuses, low, most)


async def places_of(
    connection: AsyncConnection, workspace_id: UUID, run_ids: Sequence[UUID], entity_id: UUID
) -> list[Span]:
    """Where the entity stands in these runs. Looks through every batch of them, which are 16 bytes per item."""
    values = {"workspace_id": workspace_id, "run_ids": list(run_ids), "entity_id": entity_id}
    return [Span(row.run_id, row.ordinal, row.ordinal) for row in await connection.execute(PLACES, values)]


async def _first(
    connection: AsyncConnection,
    query: TextClause,
    workspace_id: UUID,
    run_ids: Sequence[UUID],
    statuses: Sequence[ItemStatus],
    low: int,
    most: int,
) -> list[Item]:
    values = {
        "workspace_id": workspace_id,
        "run_ids": list(run_ids),
        "statuses": [status.value for status in statuses],
        "low": low,
        "most": most,
    }
    return [item_of(*row) for row in await connection.execute(query, values)]


def item_of(
    run_id: UUID,
    ordinal: int,
    entity_id: UUID | None,
    unfinished_status: str | None,
    kept_steps: str | None,
    kept_start: datetime | None,
    status: str | None,
    error: str | None,
    output: str | None,
    steps: str | None,
    started_at: datetime | None,
    finished_at: datetime | None,
) -> Item:
    recorded, reason = _decoded(kept_steps if finished_at is None else steps), _decoded(error)
    return Item(
        run_id=run_id,
        ordinal=ordinal,
        entity_id=entity_id,
        status=ItemStatus(unfinished_status if finished_at is None else status),
        output=_decoded(output),
        error=None if reason is None else decode_error(reason),
        steps=() if recorded is None else tuple(map(decode_step, recorded)),
        started_at=started_at or kept_start,
        finished_at=finished_at,
    )


def _decoded(json: str | None) -> Any:
    return None if json is None else loads(json)
