"""Where each row counts: asyncpg's COPY and fetch, without what SQLAlchemy does per row and value.

They go through the connection that is given, inside its transaction. Errors leave as those of statements do, and a broken
connection leaves the pool, so that nobody else has to know the driver.
"""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import asyncpg
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError
from sqlalchemy.ext.asyncio import AsyncConnection

LARGEST_PIECE = 16 * 1024 * 1024


async def fetch_rows(connection: AsyncConnection, statement: str, *values: Any) -> Sequence[Sequence[Any]]:
    """The rows of a statement with asyncpg's own parameters ($1, $2, …). It begins no transaction."""
    async with _driver(connection, statement) as driver:
        return cast("Sequence[Sequence[Any]]", await driver.fetch(statement, *values))


async def copy_rows(
    connection: AsyncConnection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """COPY rows into a table. The transaction must have begun, by any statement before."""
    async with _driver(connection, f"COPY {table}") as driver:
        await driver.copy_records_to_table(table, columns=list(columns), records=rows)


async def copy_packed(connection: AsyncConnection, table: str, columns: Sequence[str], data: bytes) -> None:
    """The same for rows that are already in COPY's binary format, header and trailer included."""
    async with _driver(connection, f"COPY {table}") as driver:
        await driver.copy_to_table(table, columns=list(columns), source=_pieces(data), format="binary")


async def _pieces(data: bytes) -> AsyncGenerator[memoryview]:
    """Each is a message of its own: of 1 GiB Postgres takes none, and closes the connection."""
    view = memoryview(data)
    for start in range(0, len(view), LARGEST_PIECE):
        yield view[start : start + LARGEST_PIECE]


@asynccontextmanager
async def _driver(connection: AsyncConnection, statement: str) -> AsyncGenerator[asyncpg.Connection]:
    raw = await connection.get_raw_connection()
    driver = cast("asyncpg.Connection", raw.driver_connection)
    try:
        yield driver
    except (ValueError, TypeError, ArithmeticError) as error:  # a value that the driver cannot write
        raise DataError(statement, None, error) from error
    except asyncpg.PostgresError as error:
        raise DBAPIError(statement, None, error) from error
    except (asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise InterfaceError(statement, None, error) from error
    finally:
        if driver.is_closed():
            await connection.invalidate()
