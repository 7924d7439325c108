"""The PostgreSQL server itself: whether it can be reached and is new enough, asked before anything else."""

import asyncio
import os
import time

import structlog
from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from weft.domain.errors import StartupError
from weft.storage.database import Database, in_short, is_passing

OLDEST_VERSION = 18
"""Claims read what a row was before its update: `RETURNING old.…`."""
CONNECT_SECONDS = 10.0
"""An address that swallows packets would otherwise be waited for a minute."""
_PAUSE_SECONDS = 0.5

log = structlog.stdlib.get_logger(__name__)


async def check_server(database: Database, *, patience_seconds: float = 0.0) -> None:
    """Raises StartupError with the reason why this server cannot be used.

    One that is starting, or that no name leads to yet, is asked again for as long as `patience_seconds`.
    """
    version = await _answered(database, time.monotonic() + patience_seconds)
    major = version // 10_000
    if major < OLDEST_VERSION:
        raise StartupError(
            f"PostgreSQL at {place(database.engine.url)} is version {major}; Weft needs version {OLDEST_VERSION} or newer."
        )


def place(url: URL) -> str:
    """Where the database is, without user and password."""
    host = url.host or url.query.get("host") or "the default host"
    return f"{host}{f':{url.port}' if url.port else ''}/{url.database or ''}"


async def _answered(database: Database, deadline: float) -> int:
    told = False
    while True:
        try:
            return await _version(database)
        except (OSError, DBAPIError) as error:
            problem = f"PostgreSQL at {place(database.engine.url)} cannot be used: {_reason(error)}"
            if time.monotonic() >= deadline or not is_passing(error):
                raise StartupError(problem) from error
        except (TypeError, ValueError) as error:
            # asyncpg takes the parameters of the URL as its own arguments, and names the one that it does not have.
            raise StartupError(
                f"The URL of PostgreSQL at {place(database.engine.url)} has a parameter that cannot be used: {error}"
            ) from error
        if not told:
            log.warning("Waiting for the database", reason=problem)
            told = True
        await asyncio.sleep(_PAUSE_SECONDS)


async def _version(database: Database) -> int:
    async with asyncio.timeout(CONNECT_SECONDS), database.reading() as connection:
        return int((await connection.execute(text("SHOW server_version_num"))).scalar_one())


def _reason(error: OSError | DBAPIError) -> str:
    """The cause in the driver's or the system's own words, without the names of classes and numbers around it."""
    match error:
        case TimeoutError():
            return f"no answer within {CONNECT_SECONDS:.0f} s"
        case OSError(errno=int(number)) if number > 0:
            return os.strerror(number)
        case DBAPIError(orig=Exception() as cause):
            return in_short(cause)
        case _:
            return in_short(error)
