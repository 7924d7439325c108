"""What came of runs of one item, as far as it is small enough to be told in a message."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID
from weft.domain.run import Item, ItemStatus
from weft.kit.json import loads
from weft.storage.step_codec import decode_error, decode_step

# Weighed here: what is too large to be told is not even sent to the worker.
RESULTS = text(
    """
    SELECT i.run_id, i.entity_id, i.status, i.error ::text AS error, i.started_at, i.finished_at,
      CASE WHEN octet_length(i.output ::text) <= :most THEN i.output ::text END AS output, l.steps,
      coalesce(octet_length(i.output ::text) > :most, false) OR coalesce(l.too_large, false) AS too_large
    FROM run_item i
    CROSS JOIN LATERAL (
      SELECT json_agg(e.step) FILTER (WHERE octet_length(e.step ::text) <= :most) ::text AS steps,
        bool_or(octet_length(e.step ::text) > :most) AS too_large
      FROM json_array_elements(i.steps) AS e (step) WHERE e.step ->> 'id' = ANY (:step_ids ::text[])
    ) l
    WHERE i.run_id = ANY (:run_ids ::uuid[]) AND i.ordinal = 0
    """
)


@dataclass(frozen=True, slots=True)
class OnlyItem:
    item: Item
    """With those steps alone that were asked for."""
    too_large: bool
    """An output was left out."""


async def of_only_items(
    connection: AsyncConnection, run_ids: Sequence[UUID], step_ids: Sequence[str], most_bytes: int
) -> dict[UUID, OnlyItem]:
    """The one item of each of these runs, where it is finished, with the results of these steps. Of every workspace: workers
    serve all.
    """
    values = {"run_ids": list(run_ids), "step_ids": list(step_ids), "most": most_bytes}
    return {
        row.run_id: OnlyItem(
            Item(
                run_id=row.run_id,
                ordinal=0,
                entity_id=row.entity_id,
                status=ItemStatus(row.status),
                output=None if row.output is None else loads(row.output),
                error=None if row.error is None else decode_error(loads(row.error)),
                steps=tuple(decode_step(step) for step in loads(row.steps or "[]")),
                started_at=row.started_at,
                finished_at=row.finished_at,
            ),
            row.too_large,
        )
        for row in await connection.execute(RESULTS, values)
    }
