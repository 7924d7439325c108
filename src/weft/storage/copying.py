"""asyncpg's COPY, inside the transaction of a connection. Its errors leave as those of statements do: nobody else knows the driver."""

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any, cast

import asyncpg
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError
from sqlalchemy.ext.asyncio import AsyncConnection


async def copy_rows(
    connection: AsyncConnection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """COPY rows into a table. The transaction must have begun, by any statement before."""
    driver = await _driver_of(connection)
    with _told_as_a_statement(table):
        await driver.copy_records_to_table(table, columns=list(columns), records=rows)


async def copy_packed(connection: AsyncConnection, table: str, columns: Sequence[str], data: bytes) -> None:
    """The same for rows that are already in COPY's binary format, header and trailer included."""
    driver = await _driver_of(connection)
    with _told_as_a_statement(table):
        # A view of the bytes, since the driver takes plain bytes for the path of a file.
        await driver.copy_to_table(table, columns=list(columns), source=memoryview(data), format="binary")


async def _driver_of(connection: AsyncConnection) -> asyncpg.Connection:
    raw = await connection.get_raw_connection()
    return cast("asyncpg.Connection", raw.driver_connection)


@contextmanager
def _told_as_a_statement(table: str) -> Generator[None]:
    statement = f"COPY {table}"
    try:
        yield
    except (ValueError, TypeError, ArithmeticError) as error:  # a value that the driver cannot write
        raise DataError(statement, None, error) from error
    except asyncpg.PostgresError as error:
        raise DBAPIError(statement, None, error) from error
    except asyncpg.InterfaceError as error:
        raise InterfaceError(statement, None, error) from error
