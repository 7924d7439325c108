"""Real services for every test: one embedded PostgreSQL and Valkey per session, one database per test.

The database of a test is cloned from a template that the migrations built, so a test starts in milliseconds with
exactly the tables that production has.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlalchemy import insert, text
from sqlalchemy.engine import make_url

from weft.domain.access import Role, Viewer
from weft.domain.ids import new_id
from weft.embedded import EmbeddedServices, remove_data_folder
from weft.engine.outside import OutsideOptions, World
from weft.engine.plans import PlanCache
from weft.integrations.object_store import FileOptions
from weft.operations.progress import reader_of
from weft.operations.services import Services
from weft.progress.channel import ProgressChannel
from weft.progress.feed import ProgressFeed
from weft.steps import discover
from weft.storage import tables
from weft.storage.database import Database
from weft.storage.migrations import migrate

SECRET_KEY = b"a secret only for tests, 32 bytes"


@pytest.fixture(scope="session")
def service_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="weft-tests-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
        remove_data_folder(Path(folder))


@pytest.fixture(scope="session")
async def embedded(service_folder: Path) -> AsyncIterator[EmbeddedServices]:
    async with EmbeddedServices(service_folder, durable=False) as services:
        yield services


@pytest.fixture(scope="session")
async def template_url(embedded: EmbeddedServices) -> str:
    """A migrated, empty database that nobody is connected to."""
    url = str(await _create_database(embedded.database_url, "weft_template"))
    database = Database.connect(url)
    await migrate(database)
    await database.close()
    return url


@pytest.fixture
async def database_url(embedded: EmbeddedServices, template_url: str) -> AsyncIterator[str]:
    name = f"test_{new_id().hex}"
    template = make_url(template_url).database or ""
    yield await _create_database(embedded.database_url, name, template)
    await _administer(embedded.database_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database.connect(database_url)
    yield database
    await database.close()


@pytest.fixture
async def redis_url(embedded: EmbeddedServices) -> str:
    """A Valkey that holds nothing yet."""
    client = Redis.from_url(embedded.redis_url)
    await client.flushall()
    await client.aclose()
    return embedded.redis_url


class CountingWakeups:
    """Wake-ups that only count: for operations tested without workers."""

    def __init__(self) -> None:
        self.count = 0

    async def wake(self) -> None:
        self.count += 1


@pytest.fixture
def wakeups() -> CountingWakeups:
    return CountingWakeups()


@pytest.fixture
async def services(
    database: Database, redis_url: str, wakeups: CountingWakeups, tmp_path: Path
) -> AsyncIterator[Services]:
    files = FileOptions(url=str(tmp_path / "files"), scratch=tmp_path / "scratch")
    outside = OutsideOptions(SECRET_KEY, redis_url, allowed_hosts=["127.0.0.1"], files=files)
    async with ProgressFeed(redis_url, reader_of(database)) as progress, World(database, outside) as world:
        catalogue, channel = discover(), ProgressChannel(redis_url)
        yield Services(
            database=database,
            catalogue=catalogue,
            plans=PlanCache(catalogue),
            wakeups=wakeups,
            progress=progress,
            channel=channel,
            secret_key=SECRET_KEY,
            world=world,
            public_url="http://127.0.0.1:8000",
        )
        await channel.close()


@pytest.fixture
async def viewer(database: Database) -> Viewer:
    """An ADMIN of a workspace of its own."""
    return await new_viewer(database, "tests")


@pytest.fixture
async def stranger(database: Database) -> Viewer:
    """An ADMIN of another workspace, who must never see anything of the first."""
    return await new_viewer(database, "strangers")


async def new_viewer(database: Database, workspace: str, role: Role = Role.ADMIN) -> Viewer:
    workspace_id, key_id = new_id(), new_id()
    async with database.transaction() as connection:
        await connection.execute(insert(tables.workspace).values(id=workspace_id, name=workspace))
        await connection.execute(
            insert(tables.api_key).values(
                id=key_id,
                workspace_id=workspace_id,
                name=f"key of {workspace}",
                role=role,
                prefix="weft_test",
                digest=key_id.bytes,
            )
        )
    return Viewer(workspace_id, key_id, f"key of {workspace}", role, "127.0.0.1")


async def _create_database(server_url: str, name: str, template: str = "template0") -> str:
    await _administer(server_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


async def _administer(server_url: str, statement: str) -> None:
    database = Database.connect(server_url, pool_size=1)
    try:
        async with asyncio.timeout(30), database.reading() as connection:
            await connection.execute(text(statement))
    finally:
        await database.close()
