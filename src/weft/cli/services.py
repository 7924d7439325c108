"""Where the services are: outside ones by the settings, or the embedded ones, started here or by a `weft up` beside us.

Whatever is wrong with them is said in one sentence before any work begins.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError

from weft.domain.errors import StartupError
from weft.embedded import EmbeddedServices, running_services
from weft.settings import Settings
from weft.storage import migrations
from weft.storage.database import Database, in_short, is_passing
from weft.storage.server import check_server

PATIENCE_SECONDS = 30.0
"""For what lasts and is started together with its services, or while they restart."""
_REDIS_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ServiceUrls:
    database: str
    redis: str


@asynccontextmanager
async def services_of(settings: Settings) -> AsyncGenerator[ServiceUrls]:
    """The outside services that the settings name; what they leave out is started here, for as long as the block runs."""
    if settings.redis_url is not None:
        await _check_redis(settings.redis_url)
    if settings.database_url is not None and settings.redis_url is not None:
        yield ServiceUrls(settings.database_url, settings.redis_url)
        return
    async with EmbeddedServices(settings.data_dir) as embedded:
        yield ServiceUrls(settings.database_url or embedded.database_url, settings.redis_url or embedded.redis_url)


@asynccontextmanager
async def database_of(settings: Settings) -> AsyncGenerator[Database]:
    """The database for a command that runs beside others: an outside one, or that of a running `weft up`."""
    if (url := settings.database_url) is None and (beside := running_services(settings.data_dir)) is not None:
        url = beside.database_url
    if url is not None:
        async with connected(url, settings) as database:
            yield database
        return
    if not settings.data_dir.exists():
        raise StartupError(
            f"There is no database: WEFT_DATABASE_URL is not set, and {settings.data_dir} does not exist. Start: weft up"
        )
    async with EmbeddedServices(settings.data_dir) as embedded, connected(embedded.database_url, settings) as database:
        yield database


async def check_database(settings: Settings) -> None:
    """For the API and the workers: raises StartupError where their database is too old, or does not come within a while.

    They live through its later absence; Redis only hints, and may be absent from the start.
    """
    if settings.database_url is not None:
        async with connected(settings.database_url, settings, patience_seconds=PATIENCE_SECONDS) as database:
            while not await _migrations_checked(database):
                await check_server(database, patience_seconds=PATIENCE_SECONDS)


async def _migrations_checked(database: Database) -> bool:
    """False when the database went away again just after it had answered. Raises StartupError when it is too old."""
    try:
        await migrations.check(database)
    except (DBAPIError, OSError) as error:
        if not is_passing(error):
            raise
        return False
    return True


@asynccontextmanager
async def connected(url: str, settings: Settings, *, patience_seconds: float = 0.0) -> AsyncGenerator[Database]:
    """A database that can be used, for one command; what fails in between for a passing reason is said in a sentence."""
    try:
        database = Database.connect(url, pool_size=2, statement_cache=settings.statement_cache)
    except ValueError as error:
        raise StartupError(f"WEFT_DATABASE_URL is not a URL of PostgreSQL: {error}.") from error
    try:
        await check_server(database, patience_seconds=patience_seconds)
        yield database
    except DBAPIError as error:
        if not is_passing(error):
            raise
        raise StartupError(f"The database failed: {in_short(error)}") from error
    finally:
        await database.close()


async def _check_redis(url: str) -> None:
    where = f"Redis at {urlsplit(url).hostname or urlsplit(url).path} (WEFT_REDIS_URL)"
    try:
        async with Redis.from_url(url, socket_connect_timeout=_REDIS_SECONDS, socket_timeout=_REDIS_SECONDS) as redis:
            await redis.ping()
    except ValueError as error:
        raise StartupError(f"WEFT_REDIS_URL is not a URL of Redis: {error}.") from error
    except (OSError, RedisError) as error:
        raise StartupError(f"{where} cannot be used: {error}") from error
