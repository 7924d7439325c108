"""The batches of one upload, written one after the other.

Most files bring rows that are all new, so a batch is first written as such. Where an external id is there already, be it
an older entity's or an earlier row's of the same file, that write is undone. Only then it is looked which rows of the batch
repeat earlier ones, and the others are written by their external ids.
"""

import asyncio
import contextlib

from weft.domain.errors import Conflict
from weft.domain.imports import Import
from weft.operations.import_duplicates import SeenTexts
from weft.operations.import_rows import RowBatch
from weft.operations.services import Services
from weft.storage import entity_events, entity_types, imports
from weft.storage.entity_writes import (
    ExternalIdTakenError,
    WrittenRows,
    copy_entities,
    packed_entities,
    write_entities,
)

LIFE_SECONDS = 5.0
_EXISTS = "There is an entity with the external id {} already."


class BatchWriter:
    """Each batch in one transaction with its counters; holds no connection between them."""

    def __init__(self, services: Services, begun: Import, seen: SeenTexts) -> None:
        self.state = begun
        self._of = (begun.workspace_id, begun.entity_type_id)
        self._database = services.database
        self._errors_kept = services.limits.import_errors_kept
        self._seen = seen
        self._all_new = True
        """Whether the rows of the batch before were: then those of the next one are likely to be."""
        self._told_at = asyncio.get_running_loop().time()
        self._writing: asyncio.Task[None] | None = None
        """The newest write. One that failed stays here, so that nothing is written behind the gap it left."""

    async def put(self, batch: RowBatch) -> None:
        """Waits for the batch before, and begins with this one."""
        # Packed while the batch before is being written: Postgres never waits for it.
        packed = packed_entities(*self._of, batch.rows) if self._all_new else None
        await self.flush()
        if batch.rows_read:
            self._told_at = asyncio.get_running_loop().time()
            self._writing = asyncio.create_task(self._write(batch, packed))
        else:
            await self._show_life()

    async def flush(self) -> None:
        if self._writing is not None:
            # Shielded: whoever is cancelled while waiting still has to know how the transaction ended.
            await asyncio.shield(self._writing)

    async def _show_life(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._told_at < LIFE_SECONDS:
            return
        self._told_at = now
        async with self._database.transaction() as connection:
            if not await imports.show_life(connection, self.state):
                raise _overtaken()

    async def end(self, error: str | None = None) -> Import:
        await self.flush()
        async with self._database.transaction() as connection:
            return self._next(await imports.end_upload(connection, self.state, error))

    async def interrupt(self) -> Import:
        with contextlib.suppress(Exception):
            await self.flush()
        async with self._database.transaction() as connection:
            return self._next(await imports.interrupt(connection, self.state))

    async def _write(self, batch: RowBatch, packed: bytes | None) -> None:
        if packed is not None and self._all_new:
            try:
                await self._store(batch, packed)
            except ExternalIdTakenError:
                pass
            else:
                self._seen.remember(filter(None, batch.rows.external_ids))
                return
        for _ in self._seen.catch_up():
            await asyncio.sleep(0)
        repeated = batch.reject_repeated(self._seen, self.state.external_id_field or "")
        given = len(batch.rows.ids)
        self._all_new = await self._store(batch) == given and not repeated

    async def _store(self, batch: RowBatch, packed: bytes | None = None) -> int:
        """How many entities were created. With `packed`, the rows as ones that are all new; raises ExternalIdTakenError."""
        before = self.state
        async with self._database.transaction() as connection:
            if not await entity_types.hold_type(connection, *self._of):
                raise _overtaken()
            if packed is not None:
                await copy_entities(connection, packed)
                await entity_events.tell_created(connection, before.workspace_id, batch.rows.ids)
                written = WrittenRows(len(batch.rows.ids), 0, frozenset())
            else:
                written = await write_entities(connection, *self._of, batch.rows, before.on_conflict)
            if written.refused:
                batch.reject(written.refused, _EXISTS)
            room = self._errors_kept - before.failed
            if batch.rejected and room > 0:
                rejected = sorted(batch.rejected, key=lambda row: row.line)[:room]
                await imports.keep_errors(connection, before.id, rejected)
            counts = {
                "rows_read": batch.rows_read,
                "created": written.created,
                "updated": written.updated,
                "failed": batch.failed,
                "skipped": batch.rows_read - written.created - written.updated - batch.failed,
            }
            # Counters last: their row is what everybody reads, and its new revision proves that the import is still ours.
            state = self._next(await imports.count_rows(connection, before, counts, batch.bytes_read))
        self.state = state
        return written.created

    def _next(self, state: Import | None) -> Import:
        if state is None:
            raise _overtaken()
        return state


def _overtaken() -> Conflict:
    return Conflict("Another upload has taken over this import; this one has stopped.")
