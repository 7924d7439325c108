"""Copies of files that lie elsewhere, on this machine for as long as somebody reads them, and then while there is room."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from weft.integrations.spool import SpooledFile

MOST_BYTES = 1024**3
MOST_FILES = 200
"""Each is an open file of this process."""


class _Copy:
    """Being fetched, or there."""

    def __init__(self, coming: asyncio.Task[SpooledFile]) -> None:
        self.coming = coming
        self.users = 0

    @property
    def file(self) -> SpooledFile | None:
        arrived = self.coming.done() and not self.coming.cancelled() and self.coming.exception() is None
        return self.coming.result() if arrived else None


class FileCache:
    """One copy for all who read the same file at the same time. `fetch` gets it, checked."""

    def __init__(
        self, fetch: Callable[[str], Awaitable[SpooledFile]], most_bytes: int = MOST_BYTES, most_files: int = MOST_FILES
    ) -> None:
        self._fetch = fetch
        self._most_bytes = most_bytes
        self._most_files = most_files
        self._copies: OrderedDict[str, _Copy] = OrderedDict()

    @asynccontextmanager
    async def local(self, key: str) -> AsyncGenerator[Path]:
        copy = self._copies.get(key)
        if copy is None:
            copy = self._copies[key] = _Copy(asyncio.ensure_future(self._fetched(key)))
        self._copies.move_to_end(key)
        copy.users += 1
        try:
            # Others may wait for the same copy: who gives up leaves it to them.
            yield (await asyncio.shield(copy.coming)).path
        finally:
            copy.users -= 1
            await asyncio.shield(asyncio.ensure_future(self._tidy()))

    async def close(self) -> None:
        for copy in list(self._copies.values()):
            copy.coming.cancel()
            await asyncio.wait([copy.coming])
        await self._drop(list(self._copies))

    async def _fetched(self, key: str) -> SpooledFile:
        return await self._fetch(key)

    async def _tidy(self) -> None:
        """What failed goes at once, so that the next one tries again; of what nobody reads, the oldest that are too much."""
        doomed = [key for key, copy in self._copies.items() if copy.coming.done() and copy.file is None]
        there = {key: copy.file for key, copy in self._copies.items() if copy.file is not None}
        size = sum(file.size for file in there.values())
        count = len(there)
        for key, file in there.items():
            if size <= self._most_bytes and count <= self._most_files:
                break
            if self._copies[key].users == 0:
                doomed.append(key)
                size -= file.size
                count -= 1
        await self._drop(doomed)

    async def _drop(self, keys: list[str]) -> None:
        for copy in [self._copies.pop(key) for key in keys]:
            if copy.file is not None:
                await copy.file.discard()
