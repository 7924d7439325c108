"""Everything that runs: embedded services, one API, as many workers as a figure asks for."""

import os
import signal
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import asyncpg
from sqlalchemy.engine import make_url

from benchmarks.client import Client, connected
from benchmarks.process import Process
from benchmarks.step_types import ENTRY_POINTS
from weft.cli.up import free_port
from weft.domain.access import Role
from weft.embedded import EmbeddedServices, remove_data_folder
from weft.operations.keys import first_key
from weft.storage.database import Database
from weft.storage.migrations import migrate

SECRET_KEY = "a secret only for benchmarks, of 32 characters or more"
REPOSITORY = Path(__file__).parents[1]


@dataclass(slots=True)
class System:
    folder: Path
    services: EmbeddedServices
    connection: asyncpg.Connection
    """For what no client can do: to load many entities, to make the tables of a floor."""
    environment: Mapping[str, str]
    api: Process
    client: Client
    workers: list[Process] = field(default_factory=list[Process])

    async def use_workers(self, count: int) -> None:
        """From here on exactly so many, ready to work."""
        while len(self.workers) > count:
            await self.workers.pop().stop()
        begun: list[Process] = []
        while len(self.workers) < count:
            name = f"worker-{len(self.workers) + 1}"
            begun.append(
                Process.start(name, "weft.cli", "worker", env=self.environment, folder=self.folder),
            )
            self.workers.append(begun[-1])
        for worker in begun:
            await worker.said("The worker is ready")

    async def replace_worker(self) -> None:
        """Kill the oldest, as a crash does; another one begins in its place."""
        killed = self.workers.pop(0)
        os.kill(killed.pid, signal.SIGKILL)
        await killed.child.wait()
        self.workers.append(
            Process.start(killed.name, "weft.cli", "worker", env=self.environment, folder=self.folder),
        )

    async def settle(self) -> None:
        """What was written before is on disk: its checkpoint does not fall into what is measured next."""
        await self.connection.execute("CHECKPOINT")

    async def stop(self) -> None:
        for process in (*self.workers, self.api):
            await process.stop()


@asynccontextmanager
async def running_system() -> AsyncGenerator[System]:
    async with AsyncExitStack() as closing:
        folder = Path(tempfile.mkdtemp(prefix="weft-bench-"))
        closing.callback(remove_data_folder, folder)
        services = await closing.enter_async_context(EmbeddedServices(folder))
        port = free_port("127.0.0.1", 0)
        environment = {
            "WEFT_DATABASE_URL": services.database_url,
            "WEFT_REDIS_URL": services.redis_url,
            "WEFT_SECRET_KEY": SECRET_KEY,
            "WEFT_PORT": str(port),
            "WEFT_ALLOWED_HOSTS": "127.0.0.1",  # where the figures have services of their own
            "WEFT_RATE_LIMIT": "1000000000",  # counted, and never reached
            "WEFT_LOG_LEVEL": "info",  # a worker says that it is ready at this level, and next to nothing else
            "PYTHONPATH": _with_step_types(folder / "packages"),
        }
        key = await _prepared_database(services.database_url)
        connection = await _connect(services.database_url)
        closing.callback(connection.terminate)
        api = Process.start("api", "weft.cli", "api", env=environment, folder=folder)
        closing.push_async_callback(api.stop)
        await api.said("Uvicorn running")
        client = await closing.enter_async_context(connected(f"http://127.0.0.1:{port}", key))
        system = System(folder, services, connection, environment, api, client)
        closing.push_async_callback(system.stop)
        yield system


def _with_step_types(packages: Path) -> str:
    """A PYTHONPATH on which our step type is an installed package's: these two files are what an installer writes."""
    about = packages / "weft_benchmarks-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: weft-benchmarks\nVersion: 1\n", encoding="utf-8")
    (about / "entry_points.txt").write_text(f"[weft.steps]\n{ENTRY_POINTS}\n", encoding="utf-8")
    return os.pathsep.join(filter(None, (str(packages), str(REPOSITORY), os.environ.get("PYTHONPATH"))))


async def _prepared_database(url: str) -> str:
    """The key of its first workspace."""
    database = Database.connect(url, pool_size=1)
    try:
        await migrate(database)
        return await first_key(
            database, SECRET_KEY.encode(), workspace="benchmarks", name="benchmarks", role=Role.ADMIN
        )
    finally:
        await database.close()


async def _connect(database_url: str) -> asyncpg.Connection:
    return cast("asyncpg.Connection", await asyncpg.connect(plain_url(database_url), command_timeout=600))


def plain_url(database_url: str) -> str:
    """Without the driver, as asyncpg takes it."""
    return make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
