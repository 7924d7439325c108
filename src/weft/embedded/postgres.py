"""PostgreSQL: its cluster, its settings for a small machine, and the question whether it answers."""

import asyncio
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import asyncpg

from weft.embedded.binaries import Binaries
from weft.embedded.data_folder import DataFolder
from weft.embedded.errors import ServiceFailedError
from weft.embedded.leftovers import end_leftovers
from weft.embedded.service import ENVIRONMENT
from weft.kit.process import Command, spawn

_PORT = 5432  # only a part of the socket's name: it listens on no network address
_USER = _DATABASE = "weft"

_SETTINGS = {
    "listen_addresses": "",
    "port": str(_PORT),
    "max_connections": "100",
    "shared_buffers": "128MB",
    "maintenance_work_mem": "64MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",  # solid-state disks
    "max_parallel_workers_per_gather": "0",  # the cores belong to the workers, and small /dev/shm break parallel joins
    "jit": "off",  # the queries are short
    "wal_level": "minimal",  # nothing replicates from it
    "max_wal_senders": "0",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m postgres[%p] ",
}
# For data that may be lost with the machine, such as a test's: no wait for the disk anywhere.
_THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class Postgres:
    data: DataFolder
    binaries: Binaries
    durable: bool
    name: str = "postgres"

    @property
    def url(self) -> str:
        return f"postgresql+asyncpg://{_USER}@/{_DATABASE}?host={self.data.sockets}&port={_PORT}"

    @property
    def command(self) -> Command:
        settings = _SETTINGS if self.durable else _SETTINGS | _THROWAWAY
        if self.binaries.has_statement_statistics:
            settings = settings | {"shared_preload_libraries": "pg_stat_statements"}
        arguments = [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]
        return Command(
            argv=(str(self.binaries.postgres), "-D", str(self._cluster), "-k", str(self.data.sockets), *arguments),
            env=ENVIRONMENT,
            cwd=self.data.services,
            user=self.data.account.user,
            stop_signal=signal.SIGINT,  # fast: ends sessions and writes a checkpoint; SIGTERM would wait for clients
            death_signal=signal.SIGINT,
        )

    async def prepare(self, log: IO[bytes]) -> None:
        """Makes the cluster, or clears what an unclean end left in its way."""
        if not (self._cluster / "PG_VERSION").exists():
            await self._initialise(log)
            return
        pid_file = self._cluster / "postmaster.pid"
        if pid_file.exists():
            await asyncio.to_thread(end_leftovers, self._cluster, "postgres", signal.SIGINT)
            pid_file.unlink(missing_ok=True)
        for name in (f".s.PGSQL.{_PORT}", f".s.PGSQL.{_PORT}.lock"):
            (self.data.sockets / name).unlink(missing_ok=True)

    async def is_ready(self) -> bool:
        try:
            await (await self._connect(_DATABASE)).close()
        except asyncpg.InvalidCatalogNameError:
            await self._create_database()
        except (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError):
            return False
        return True

    @property
    def _cluster(self) -> Path:
        return self.data.services / "postgres"

    async def _initialise(self, log: IO[bytes]) -> None:
        """Into a temporary folder, then renamed: a cluster that was interrupted never looks like a whole one."""
        unfinished = self._cluster.with_name("postgres.unfinished")
        if unfinished.exists():
            await asyncio.to_thread(end_leftovers, unfinished, "postgres", signal.SIGKILL)
            await asyncio.to_thread(shutil.rmtree, unfinished)
        argv = (str(self.binaries.initdb), "-D", str(unfinished), "-U", _USER, "--auth=trust", "--encoding=UTF8")
        locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions")
        child = spawn(
            Command((*argv, *locale), env=ENVIRONMENT, cwd=self.data.services, user=self.data.account.user), log
        )
        try:
            code = await child.wait()
        finally:
            if child.running:
                await child.stop(grace_seconds=5)
        if code != 0:
            raise ServiceFailedError(f"PostgreSQL could not make its cluster in {self._cluster}, see {self.data.log}")
        unfinished.rename(self._cluster)

    async def _create_database(self) -> None:
        connection = await self._connect("postgres")
        try:
            if self.binaries.has_statement_statistics:
                await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
            await connection.execute(f"CREATE DATABASE {_DATABASE}")
        finally:
            await connection.close()

    async def _connect(self, database: str) -> asyncpg.Connection:
        host = str(self.data.sockets)
        return cast(
            "asyncpg.Connection", await asyncpg.connect(host=host, port=_PORT, user=_USER, database=database, timeout=5)
        )
