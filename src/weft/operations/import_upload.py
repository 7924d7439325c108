"""One upload of a file: rows are parsed as they arrive while the batch before them is written."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from weft.domain.errors import Conflict, ErrorCode
from weft.domain.imports import Import, RejectedRow
from weft.kit.storable import storable
from weft.operations.import_files import UnusableFile
from weft.operations.import_lines import LONGEST_EXCERPT
from weft.operations.import_rows import ImportRows, RowBatch
from weft.operations.services import Services
from weft.storage import entity_types, imports
from weft.storage.entity_writes import write_entities

PIECE = 64 * 1024
"""Bytes parsed in one go: about two milliseconds, in which this process does nothing else."""
FLUSH_SECONDS = 0.5
LIFE_SECONDS = 5.0
SILENCE_SECONDS = 60.0
"""A sender that stops for so long has gone, whatever its connection says."""


class UploadBroken(Exception):
    """The file did not come to its end."""


class BatchWriter:
    """Writes batches one after the other, each in one transaction with its counters; holds no connection between them."""

    def __init__(self, services: Services, begun: Import) -> None:
        self.state = begun
        self._database = services.database
        self._errors_kept = services.limits.import_errors_kept
        self._told_at = asyncio.get_running_loop().time()
        self._writing: asyncio.Task[None] | None = None
        """The newest write. One that failed stays here, so that nothing is written behind the gap it left."""

    async def put(self, batch: RowBatch) -> None:
        """Waits for the batch before, and begins with this one."""
        await self.flush()
        if batch.rows_read:
            self._told_at = asyncio.get_running_loop().time()
            self._writing = asyncio.create_task(self._write(batch))
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

    async def _write(self, batch: RowBatch) -> None:
        before = self.state
        async with self._database.transaction() as connection:
            if not await entity_types.hold_type(connection, before.workspace_id, before.entity_type_id):
                raise _overtaken()
            written = await write_entities(
                connection, before.workspace_id, before.entity_type_id, batch.rows, before.on_conflict
            )
            rejected = batch.rejected + _refused(batch, written.refused) if written.refused else batch.rejected
            room = self._errors_kept - before.failed
            if rejected and room > 0:
                rejected = sorted(rejected, key=lambda row: row.line)[:room]
                await imports.keep_errors(connection, before.id, rejected)
            failed = batch.failed + len(written.refused)
            counts = {
                "rows_read": batch.rows_read,
                "created": written.created,
                "updated": written.updated,
                "failed": failed,
                "skipped": batch.rows_read - written.created - written.updated - failed,
            }
            # Counters last: their row is what everybody reads, and its new revision proves that the import is still ours.
            state = self._next(await imports.count_rows(connection, before, counts, batch.bytes_read))
        self.state = state

    def _next(self, state: Import | None) -> Import:
        if state is None:
            raise _overtaken()
        return state


def _overtaken() -> Conflict:
    return Conflict("Another upload has taken over this import; this one has stopped.")


def _refused(batch: RowBatch, numbers: frozenset[int]) -> list[RejectedRow]:
    rows = batch.rows
    return [
        RejectedRow(
            line,
            ErrorCode.CONFLICT,
            f"There is an entity with the external id {external_id!r} already.",
            (),
            data[:LONGEST_EXCERPT],
        )
        for line, external_id, data in zip(rows.numbers, rows.external_ids, rows.data, strict=True)
        if line in numbers
    ]


class Upload:
    """Raises Conflict when another upload takes over, and whatever the stream raises; the rows before that are stored."""

    def __init__(self, services: Services, begun: Import, rows: ImportRows) -> None:
        self._writer = BatchWriter(services, begun)
        self._rows = rows
        self._most_bytes = services.limits.import_bytes
        self._read = 0

    async def receive(self, stream: AsyncIterator[bytes], size: int | None) -> Import:
        try:
            if size is not None:
                self._check_size(size)
            async for piece in self._pieces(stream):
                self._rows.feed(piece)
                if self._rows.batch.is_full:
                    await self._writer.put(self._rows.take_batch())
            self._rows.close()
            await self._writer.put(self._rows.take_batch())
            return await self._writer.end()
        except UnusableFile as error:
            await self._writer.put(self._rows.take_batch())
            return await self._writer.end(storable(str(error)))
        except Conflict:
            raise
        except BaseException:
            await asyncio.shield(self._keep_what_came())
            raise

    async def _keep_what_came(self) -> None:
        # What fails here too is told by the error that led here, and the import is taken for interrupted when it falls silent.
        with contextlib.suppress(Exception):
            await self._writer.put(self._rows.take_batch())
        with contextlib.suppress(Exception):
            await self._writer.interrupt()

    async def _pieces(self, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Small pieces of the stream; between them rows are written as time goes by, however few they are."""
        loop = asyncio.get_running_loop()
        flushed_at = loop.time()
        async for data in self._alive(stream):
            for start in range(0, len(data), PIECE):
                if start:
                    await asyncio.sleep(0)  # a large message must not keep the loop from everything else
                piece = data[start : start + PIECE]
                self._read += len(piece)
                self._check_size(self._read)
                yield piece
            if loop.time() - flushed_at >= FLUSH_SECONDS:
                flushed_at = loop.time()
                await self._writer.put(self._rows.take_batch())

    def _check_size(self, size: int) -> None:
        if size > self._most_bytes:
            raise UnusableFile(f"The file has more than {self._most_bytes:,} bytes, the most allowed.")

    async def _alive(self, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        coming: asyncio.Future[bytes] | None = None
        silence = 0.0
        try:
            while True:
                coming = coming or asyncio.ensure_future(anext(stream))
                done, _ = await asyncio.wait([coming], timeout=LIFE_SECONDS)
                if done:
                    silence = 0.0
                    try:
                        data = coming.result()
                    except StopAsyncIteration:
                        return
                    coming = None
                    yield data
                    continue
                silence += LIFE_SECONDS
                if silence >= SILENCE_SECONDS:
                    raise UploadBroken(f"Nothing came for {SILENCE_SECONDS:.0f} seconds.")
                await self._writer.put(self._rows.take_batch())
        finally:
            if coming is not None:
                coming.cancel()
