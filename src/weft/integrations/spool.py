"""Temporary files: what is coming in and not proved yet, and copies of what lies elsewhere.

Each is locked by the process that uses it, for as long as it does. The system lets go of the lock when the process dies,
however it dies, and `sweep` takes away what nobody holds.
"""

import asyncio
import fcntl
import hashlib
import os
import secrets
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from weft.integrations.store_errors import StoreUnavailable
from weft.kit.rarely import Rarely

SUFFIX = ".part"
YOUNGEST_SWEPT_SECONDS = 60.0
"""Between making a file and locking it another process must not take it for abandoned."""
SWEEP_SECONDS = 60.0
_GATHERED_BYTES = 1024 * 1024
"""Written and hashed in one go, in a thread: a hundredth of a second, in which the event loop goes on."""


class SpooledFile:
    """A temporary file that is written once, its digests computed on the way."""

    def __init__(self, path: Path, *, md5: bool = False) -> None:
        self.path = path
        self.size = 0
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False) if md5 else None
        self._gathered = bytearray()
        self._busy: asyncio.Future[None] | None = None
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(descriptor, "w+b", buffering=0)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    @property
    def sha256(self) -> str:
        """Of what was flushed."""
        return self._sha256.hexdigest()

    @property
    def md5(self) -> bytes | None:
        """None where nobody asked for it: it takes as long as all the rest."""
        return None if self._md5 is None else self._md5.digest()

    async def write(self, data: bytes) -> None:
        self.size += len(data)
        self._gathered += data
        if len(self._gathered) >= _GATHERED_BYTES:
            await self.flush()

    async def flush(self) -> None:
        """All of it is in the file and in the digests."""
        data, self._gathered = self._gathered, bytearray()
        await self.in_thread(lambda: self._put(data))

    async def in_thread(self, work: Callable[[], None]) -> None:
        """The thread cannot be cancelled: whoever closes the file waits for it. Raises StoreUnavailable."""
        self._busy = asyncio.ensure_future(asyncio.to_thread(work))
        try:
            await asyncio.shield(self._busy)
        except OSError as error:
            raise StoreUnavailable.of(error) from error

    async def discard(self) -> None:
        """Let go of it; it is removed unless it was moved to where it belongs."""
        if self._busy is not None:
            await asyncio.wait([self._busy])
            self._busy.exception()  # noted as seen: whoever waited for it has heard of it, or has gone
        self._discard()

    def sync(self) -> None:
        """Down to the disk."""
        os.fsync(self._file.fileno())

    def _put(self, data: bytearray) -> None:
        view = memoryview(data)
        self._sha256.update(view)
        if self._md5 is not None:
            self._md5.update(view)
        while view:
            view = view[self._file.write(view) :]

    def _discard(self) -> None:
        # First the name, then the lock: nobody else finds it in between.
        with suppress(FileNotFoundError):
            self.path.unlink()
        self._file.close()


class Spool:
    """A folder of temporary files, made when the first of them is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._time_to_sweep = Rarely(SWEEP_SECONDS)

    async def new(self, *, md5: bool = False) -> SpooledFile:
        """To be discarded by whoever asked for it. Raises StoreUnavailable."""
        try:
            if self._time_to_sweep.due():
                await asyncio.to_thread(self.sweep)
            return self._new(md5=md5)
        except OSError as error:
            raise StoreUnavailable.of(error) from error

    @asynccontextmanager
    async def file(self, *, md5: bool = False) -> AsyncGenerator[SpooledFile]:
        """For as long as the block runs."""
        spooled = await self.new(md5=md5)
        try:
            yield spooled
        finally:
            await asyncio.shield(asyncio.ensure_future(spooled.discard()))

    def sweep(self, *, youngest_seconds: float = YOUNGEST_SWEPT_SECONDS) -> int:
        """Remove what processes that are gone have left; how many files that were."""
        latest = time.time() - youngest_seconds
        return sum(_swept(path, latest) for path in self.folder.glob(f"*{SUFFIX}"))

    def _new(self, *, md5: bool) -> SpooledFile:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return SpooledFile(self.folder / f"{secrets.token_hex(16)}{SUFFIX}", md5=md5)


def _swept(path: Path, latest: float) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_mtime > latest:
            return False
        path.unlink()
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(descriptor)
