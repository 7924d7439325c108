"""Files in a folder that the API and all workers share."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from weft.integrations.spool import Spool, SpooledFile
from weft.integrations.store_errors import NotStored, StoreUnavailable

INCOMING = ".incoming"
"""Within the folder, since a file can only be moved whole within one file system. No workspace has such a name."""


class LocalFolder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        self.spool = Spool(self._folder / INCOMING)

    async def open(self) -> None:
        await asyncio.to_thread(self.spool.sweep)

    async def close(self) -> None:
        """Nothing is held open."""

    async def place(self, spooled: SpooledFile, key: str) -> None:
        await spooled.in_thread(lambda: _moved(spooled, self._folder / key))

    async def remove(self, key: str) -> None:
        try:
            await asyncio.to_thread((self._folder / key).unlink, missing_ok=True)
        except OSError as error:
            raise StoreUnavailable.of(error) from error

    @asynccontextmanager
    async def local(self, key: str) -> AsyncGenerator[Path]:
        path = self._folder / key
        if not await asyncio.to_thread(path.is_file):
            raise NotStored
        yield path

    async def upload_url(self, name: str, life: timedelta) -> str | None:
        del name, life
        return None

    async def incoming(self, name: str, most_bytes: int) -> AsyncGenerator[bytes]:
        del name, most_bytes
        raise NotStored
        yield b""

    async def drop_incoming(self, name: str) -> None:
        """Nothing comes in beside the API."""


def _moved(spooled: SpooledFile, path: Path) -> None:
    spooled.sync()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    spooled.path.replace(path)
    for folder in (path.parent, path.parent.parent):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
