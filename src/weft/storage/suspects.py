"""Which item a batch's holder has under way, written down before it begins, once holders of the batch were lost."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID
from weft.storage.batches import Lease, Suspect

NOTE = text(
    """
    UPDATE run_batch
    SET suspect_ordinal = :ordinal, suspect_step = :step, suspect_losses = :losses, suspect_token = :token
    WHERE run_id = :run_id AND number = :number AND token = :token AND NOT done AND holder IS NOT NULL
    """
)


async def note_suspect(connection: AsyncConnection, lease: Lease, suspect: Suspect) -> bool:
    """Whether the lease still held, and it was noted."""
    noted = await connection.execute(
        NOTE,
        {
            "run_id": lease.run_id,
            "number": lease.number,
            "token": lease.token,
            "ordinal": suspect.ordinal,
            "step": suspect.step,
            "losses": suspect.losses,
        },
    )
    return noted.rowcount > 0


FAILED_WITH = text(
    """
    SELECT count(*) FROM (
      SELECT FROM run_item
      WHERE run_id = :run_id AND status = 'FAILED' AND error ->> 'code' = :code
      LIMIT :most
    ) AS found
    """
)


async def failed_with(connection: AsyncConnection, run_id: UUID, code: str, most: int) -> int:
    """How many items of a run failed with this code; not counted further than `most`."""
    rows = await connection.execute(FAILED_WITH, {"run_id": run_id, "code": code, "most": most})
    return rows.scalar_one()
