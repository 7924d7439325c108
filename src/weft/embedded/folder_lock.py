"""One process for each data folder: a kernel lock that ends with its holder and is therefore never stale."""

import asyncio
import fcntl
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Self

from weft.embedded.errors import EmbeddedServicesError, FolderInUseError

_PATIENCE_SECONDS = 0.5


@dataclass(frozen=True)
class Endpoints:
    """Where the services of a data folder answer. The URLs are empty while they are starting."""

    pid: int  # of the process that runs them
    database_url: str = ""
    redis_url: str = ""


class FolderLock:
    def __init__(self, file: IO[str]) -> None:
        self._file = file

    @classmethod
    async def take(cls, folder: Path, holder: Endpoints) -> Self:
        try:
            file = (folder / "lock").open("a+", encoding="utf-8")
        except PermissionError:
            raise EmbeddedServicesError(
                f"{folder} belongs to another user: run as that user, or choose another folder with WEFT_DATA_DIR."
            ) from None
        # A holder that is just ending gives its lock back within milliseconds.
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not _locked(file, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                other = _read(file)
                file.close()
                raise FolderInUseError(
                    f"{folder} is in use by process {other.pid if other else 'of unknown number'}: "
                    "stop that one, or choose another folder with WEFT_DATA_DIR."
                )
            await asyncio.sleep(0.02)
        lock = cls(file)
        lock.publish(holder)
        return lock

    def publish(self, endpoints: Endpoints) -> None:
        self._file.truncate(0)
        self._file.write(json.dumps(asdict(endpoints)))
        self._file.flush()

    def release(self) -> None:
        self._file.close()


def running_services(folder: Path) -> Endpoints | None:
    """The services another process is running in this folder, or None: for commands that run beside `weft up`."""
    holder = holder_of(folder)
    return holder if holder and holder.database_url else None


def holder_of(folder: Path) -> Endpoints | None:
    """Whoever has the folder's lock, its services ready or not."""
    try:
        file = (folder / "lock").open("r", encoding="utf-8")
    except FileNotFoundError:
        return None
    with file:
        if _locked(file, fcntl.LOCK_SH):
            return None
        return _read(file) or Endpoints(pid=0)


def _locked(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(file: IO[str]) -> Endpoints | None:
    file.seek(0)
    try:
        return Endpoints(**json.loads(file.read()))
    except (ValueError, TypeError):  # read between truncate and write
        return None
