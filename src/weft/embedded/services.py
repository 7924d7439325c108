"""The two servers of one data folder, started and stopped together."""

import asyncio
import contextlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from weft.embedded.binaries import Binaries, copied_binaries, find_binaries
from weft.embedded.data_folder import DataFolder, make_root, make_shared_folder, open_data_folder
from weft.embedded.folder_lock import Endpoints, FolderLock
from weft.embedded.postgres import Postgres
from weft.embedded.supervisor import Supervisor
from weft.embedded.valkey import Valkey
from weft.kit.together import together

_GRACE_SECONDS = 20.0  # for PostgreSQL's last checkpoint on a slow disk


class EmbeddedServices:
    """A private PostgreSQL and Valkey in a folder. Start it from the main thread.

    `durable=False` never waits for the disk: for data that may be lost with the machine, such as a test's.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder = folder
        self._durable = durable
        self._open = contextlib.AsyncExitStack()
        self._supervisors: dict[str, Supervisor] = {}
        self._endpoints = Endpoints(os.getpid())

    @property
    def database_url(self) -> str:
        """For SQLAlchemy's create_async_engine: `postgresql+asyncpg://weft@/weft?host=<folder>&port=5432`."""
        return self._endpoints.database_url

    @property
    def redis_url(self) -> str:
        """For redis-py and arq: `unix:///<path>`."""
        return self._endpoints.redis_url

    @property
    def pids(self) -> dict[str, int | None]:
        """Of `postgres` and `valkey`; None while one is being started again."""
        return {name: supervisor.pid for name, supervisor in self._supervisors.items()}

    async def ready(self) -> None:
        """Returns when both answer, for a caller that noticed one being started again."""
        for supervisor in self._supervisors.values():
            await supervisor.ready()

    async def start(self) -> None:
        """Returns when both answer. Raises EmbeddedServicesError with the reason, and then nothing is left running."""
        binaries = find_binaries()
        root = make_root(self.folder)
        async with contextlib.AsyncExitStack() as opening:
            lock = await FolderLock.take(root, Endpoints(os.getpid()))
            opening.callback(lock.release)
            data = open_data_folder(root)
            data.make_socket_folder()
            opening.callback(data.leave_no_socket_folder)
            await self._start_servers(opening, data, _reachable(binaries, data))
            lock.publish(self._endpoints)
            self._open = opening.pop_all()

    async def stop(self) -> None:
        await self._open.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _start_servers(self, opening: contextlib.AsyncExitStack, data: DataFolder, binaries: Binaries) -> None:
        data.rotate_log()
        log = opening.enter_context(data.log.open("ab"))
        servers = Postgres(data, binaries, self._durable), Valkey(data, binaries, self._durable)
        self._supervisors = {s.name: Supervisor(s, log, grace_seconds=_GRACE_SECONDS) for s in servers}
        opening.push_async_callback(self._stop_servers)
        await together(*(supervisor.start() for supervisor in self._supervisors.values()))
        self._endpoints = Endpoints(os.getpid(), servers[0].url, servers[1].url)

    async def _stop_servers(self) -> None:
        await asyncio.gather(*(supervisor.stop() for supervisor in self._supervisors.values()))


def _reachable(binaries: Binaries, data: DataFolder) -> Binaries:
    return binaries if binaries.usable_by(data.account) else copied_binaries(binaries, make_shared_folder())
