"""Items of a run in the order in which they were finished: by the revisions that finished them, and in these by ordinals."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID
from weft.domain.run import Item, ItemStatus
from weft.storage.items import ITEM_COLUMNS, item_of


@dataclass(frozen=True, slots=True)
class Stretch:
    """Items that a revision finished, the first and the last one included."""

    revision: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class FinishedItem:
    revision: int
    item: Item
    bytes: int
    """Of its JSON."""


@dataclass(frozen=True, slots=True)
class FinishedItems:
    found: Sequence[FinishedItem]
    cut: bool
    """There may be more behind the last one."""


def _first(rows: str) -> TextClause:
    """`rows` are the first results in one stretch `w`. Weighed is what is stored, so that nothing is unpacked that does not
    go into the page.
    """
    return text(
        f"""
        SELECT i.revision, i.found, i.ordinal, i.entity_id, {ITEM_COLUMNS}
        FROM (
          SELECT f.*, count(*) OVER () AS found, sum(pg_column_size(f.steps) + coalesce(pg_column_size(f.output), 0))
            OVER (ORDER BY f.place, f.ordinal ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
          FROM (
            SELECT w.revision, w.place, i.*
            FROM run r
            CROSS JOIN unnest(:revisions ::bigint[], :lows ::int[], :highs ::int[])
              WITH ORDINALITY AS w (revision, low, high, place)
            CROSS JOIN LATERAL ({rows}) i
            WHERE r.id = :run_id AND r.workspace_id = :workspace_id
            ORDER BY w.place, i.ordinal LIMIT :most
          ) f
        ) i
        WHERE coalesce(i.before, 0) < :most_bytes
        ORDER BY i.place, i.ordinal
        """
    )


ANY = _first(
    """
    SELECT * FROM run_item
    WHERE run_id = r.id AND ordinal BETWEEN w.low AND w.high AND status = ANY (:statuses ::text[])
    ORDER BY ordinal LIMIT :most
    """
)
# Few are those that were not completed: they have an index of their own.
UNSUCCESSFUL = _first(
    """
    SELECT u.* FROM unnest(:statuses ::text[]) AS wanted (status)
    CROSS JOIN LATERAL (
      SELECT * FROM run_item
      WHERE run_id = r.id AND status = wanted.status AND status <> 'COMPLETED' AND ordinal BETWEEN w.low AND w.high
      ORDER BY ordinal LIMIT :most
    ) u
    """
)


async def in_stretches(
    connection: AsyncConnection,
    workspace_id: UUID,
    run_id: UUID,
    stretches: Sequence[Stretch],
    statuses: Collection[ItemStatus],
    most: int,
    most_bytes: int,
) -> FinishedItems:
    """The first `most` items that ended like this, in the order of the stretches; fewer where they hold more bytes, as they
    are stored, but never none for that.
    """
    values = {
        "workspace_id": workspace_id,
        "run_id": run_id,
        "revisions": [stretch.revision for stretch in stretches],
        "lows": [stretch.low for stretch in stretches],
        "highs": [stretch.high for stretch in stretches],
        "statuses": sorted(status.value for status in statuses),
        "most": most,
        "most_bytes": most_bytes,
    }
    query = ANY if ItemStatus.COMPLETED in statuses else UNSUCCESSFUL
    rows = (await connection.execute(query, values)).all()
    found: list[FinishedItem] = []
    for revision, _, ordinal, entity_id, status, error, output, steps, started_at, finished_at in rows:
        item = item_of(
            run_id, ordinal, entity_id, None, None, None, status, error, output, steps, started_at, finished_at
        )
        found.append(FinishedItem(revision, item, len(steps) + len(output or "")))
    return FinishedItems(found, bool(rows) and (rows[0].found == most or rows[0].found > len(rows)))
