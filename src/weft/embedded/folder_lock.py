"""One process for each data folder: a kernel lock that ends with its holder and is therefore never stale."""

import fcntl
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from weft.embedded.errors import EmbeddedServicesError, FolderInUseError


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
    def take(cls, folder: Path, holder: Endpoints) -> Self:
        try:
            file = (folder / "lock").open("a+", encoding="utf-8")
        except PermissionError:
            raise EmbeddedServicesError(
                f"{folder} belongs to another user: run as that user, or choose another folder with WEFT_DATA_DIR."
            ) from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = _read(file)
            file.close()
            raise FolderInUseError(
                f"{folder} is in use by process {other.pid if other else 'of unknown number'}: "
                "stop that one, or choose another folder with WEFT_DATA_DIR."
            ) from None
        lock = cls(file)
        lock.publish(holder)
        return lock

    def publish(self, endpoints: Endpoints) -> None:
        self._file.truncate(0)
        self._file.write(json.dumps(asdict(endpoints)))
        self._file.flush()

    def release(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()


def running_services(folder: Path) -> Endpoints | None:
    """The services another process is running in this folder, or None: for commands that run beside `weft up`."""
    try:
        file = (folder / "lock").open("r", encoding="utf-8")
    except FileNotFoundError:
        return None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            endpoints = _read(file)
            return endpoints if endpoints and endpoints.database_url else None
    return None


def _read(file: IO[str]) -> Endpoints | None:
    file.seek(0)
    try:
        return Endpoints(**json.loads(file.read()))
    except (ValueError, TypeError):  # read between truncate and write
        return None
