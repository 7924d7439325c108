"""What a flush writes beside results and counters: what steps handed over, and the events of what was done."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID
from weft.engine.writes import BatchWrites, FinishedItem
from weft.storage import deliveries, events, results


@dataclass(frozen=True, slots=True)
class Effects:
    """Of one run."""

    run_id: UUID
    workspace_id: UUID
    over_documents: bool = False
    """Whether some of its entities may have files."""
    extracting: Sequence[str] = ()
    """The ids of its steps that extract."""

    async def take(
        self, connection: AsyncConnection, kept: Sequence[BatchWrites], items: Sequence[FinishedItem]
    ) -> None:
        """Of batches that are still held, and their finished items, whose results stand already."""
        await self._handed_over(connection, kept, items)
        if self.over_documents:
            completed = [item.row.entity_id for item in items if item.row.status == "COMPLETED"]
            await events.add_processed(connection, self.workspace_id, self.run_id, list(filter(None, completed)))
        if self.extracting and items:
            ordinals = [item.row.ordinal for item in items]
            await events.add_extracted(connection, self.workspace_id, self.run_id, ordinals, self.extracting)

    async def _handed_over(
        self, connection: AsyncConnection, kept: Sequence[BatchWrites], items: Sequence[FinishedItem]
    ) -> None:
        """It holds once the step completed, whatever becomes of the item."""
        publications = [row for batch in kept for row in batch.unfinished.publications]
        publications += [item.publication for item in items if item.publication is not None]
        if publications:
            await results.publish_entities(connection, self.workspace_id, self.run_id, publications)
        messages = [row for batch in kept for row in batch.unfinished.messages]
        messages += [row for item in items for row in item.messages]
        if messages:
            await deliveries.add_deliveries(connection, self.workspace_id, self.run_id, messages)
