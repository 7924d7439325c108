"""Where the services are: outside ones by the settings, or the embedded ones, started here or by a `weft up` beside us."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from weft.domain.errors import StartupError
from weft.embedded import EmbeddedServices, running_services
from weft.settings import Settings
from weft.storage.database import Database


@dataclass(frozen=True, slots=True)
class ServiceUrls:
    database: str
    redis: str


@asynccontextmanager
async def services_of(settings: Settings) -> AsyncGenerator[ServiceUrls]:
    """The outside services that the settings name; what they leave out is started here, for as long as the block runs."""
    if settings.database_url is not None and settings.redis_url is not None:
        yield ServiceUrls(settings.database_url, settings.redis_url)
        return
    async with EmbeddedServices(settings.data_dir) as embedded:
        yield ServiceUrls(settings.database_url or embedded.database_url, settings.redis_url or embedded.redis_url)


@asynccontextmanager
async def database_of(settings: Settings) -> AsyncGenerator[Database]:
    """The database for a command that runs beside others: an outside one, or that of a running `weft up`."""
    url = settings.database_url or _running(settings.data_dir)
    if url is not None:
        async with _connected(url) as database:
            yield database
        return
    if not settings.data_dir.exists():
        raise StartupError(
            f"There is no database: WEFT_DATABASE_URL is not set, and {settings.data_dir} does not exist. Start: weft up"
        )
    async with EmbeddedServices(settings.data_dir) as embedded, _connected(embedded.database_url) as database:
        yield database


def _running(data_dir: Path) -> str | None:
    found = running_services(data_dir)
    return None if found is None else found.database_url


@asynccontextmanager
async def _connected(url: str) -> AsyncGenerator[Database]:
    database = Database.connect(url, pool_size=2)
    try:
        yield database
    finally:
        await database.close()
