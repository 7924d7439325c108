"""One upload of a file: rows are parsed as they arrive while the batch before them is written."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from weft.domain.errors import Conflict
from weft.domain.imports import Import
from weft.kit.storable import storable
from weft.operations.import_files import UnusableFile
from weft.operations.import_rows import ImportRows
from weft.operations.import_writing import LIFE_SECONDS, BatchWriter
from weft.operations.services import Services

PIECE = 64 * 1024
"""Bytes parsed in one go: about a millisecond, in which this process does nothing else."""
FLUSH_SECONDS = 0.5
SILENCE_SECONDS = 60.0
"""A sender that stops for so long has gone, whatever its connection says."""


class UploadBroken(Exception):
    """The file did not come to its end."""


class Upload:
    """Raises Conflict when another upload takes over, and whatever the stream raises; the rows before that are stored."""

    def __init__(self, services: Services, begun: Import, rows: ImportRows) -> None:
        self._writer = BatchWriter(services, begun, rows.seen)
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
