"""Whether a flush went through whose commit was not answered, because the connection broke just then."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID
from weft.storage.batches import Lease
from weft.storage.results import CheckpointRow


@dataclass(frozen=True, slots=True)
class Written:
    """The rows by which it can be told whether a flush of a batch went through."""

    lease: Lease
    ordinals: Sequence[int]
    """Of its finished items."""
    checkpoints: Sequence[CheckpointRow]


# A batch whose token is still the holder's was written by nobody else: what stands of it is the holder's own.
ALREADY_THERE = text(
    """
    WITH held AS (
      SELECT b.run_id, b.number, b.token FROM run_batch b
      JOIN unnest(:numbers ::int[], :tokens ::bigint[]) AS h (number, token)
        ON b.run_id = :run_id AND b.number = h.number AND b.token = h.token
    )
    SELECT held.run_id, held.number, held.token FROM held
    WHERE EXISTS (
        SELECT FROM unnest(:item_numbers ::int[], :items ::int[]) AS w (number, ordinal)
        JOIN held o ON o.number = w.number
        JOIN run_item i ON i.run_id = :run_id AND i.ordinal = w.ordinal)
      OR EXISTS (
        SELECT FROM unnest(:checkpoint_numbers ::int[], :checkpoints ::int[], :steps ::text[]) AS w (number, ordinal, steps)
        JOIN held o ON o.number = w.number
        JOIN run_checkpoint c ON c.run_id = :run_id AND c.ordinal = w.ordinal AND c.steps::text = w.steps)
    """
)


async def already_there(connection: AsyncConnection, run_id: UUID, writes: Sequence[Written]) -> frozenset[Lease]:
    """Whether a flush whose commit was not answered went through: its rows stand together or not at all.

    Empty when it did not; otherwise the leases of its batches that nobody took over since.
    """
    items = [(written.lease.number, ordinal) for written in writes for ordinal in written.ordinals]
    checkpoints = [(written.lease.number, row) for written in writes for row in written.checkpoints]
    rows = await connection.execute(
        ALREADY_THERE,
        {
            "run_id": run_id,
            "numbers": [written.lease.number for written in writes],
            "tokens": [written.lease.token for written in writes],
            "item_numbers": [number for number, _ in items],
            "items": [ordinal for _, ordinal in items],
            "checkpoint_numbers": [number for number, _ in checkpoints],
            "checkpoints": [row.ordinal for _, row in checkpoints],
            "steps": [row.steps for _, row in checkpoints],
        },
    )
    return frozenset(Lease(row.run_id, row.number, row.token) for row in rows)
