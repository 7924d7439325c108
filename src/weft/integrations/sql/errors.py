"""What an error of a database means for the rows that it was about.

Messages are the database's own, about one row when it is refused. They never hold the password: what fails while
connecting is told in our words.
"""

import sqlite3
from collections.abc import Callable
from typing import cast

import asyncpg
import pymysql
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from weft.domain.step import Fail, Retry

REFUSED = "ROW_REFUSED"
_MESSAGE_LENGTH = 500

# PostgreSQL, by class or code of the SQL state (its manual, appendix A).
# Whatever is not about the table, the rights or the connection may be about one row: a trigger raises what it likes.
_TABLE_CLASSES = ("0A", "25", "28", "3D", "3F", "42", "54023")
_PASSING_CLASSES = ("40", "53", "55", "57", "58")
_CONNECTION_CLASSES = ("08", "57P")
# MySQL and MariaDB, by error number (`mysqld_error.h`).
_MYSQL_ROW = {
    1048, 1062, 1216, 1217, 1264, 1265, 1292, 1364, 1366, 1367, 1406, 1411, 1451, 1452, 1525, 1526, 1644, 3140, 3819, 4025,
}  # fmt: skip
_MYSQL_PASSING = {1020, 1040, 1053, 1205, 1213, 1317, 1969, 2003, 2006, 2013, 2014, 2055, 3024}
_SQLITE_ROW = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError)


class RowRefusedError(Exception):
    """The database does not take one of the rows; the message is its own."""


def meaning(error: Exception) -> Exception:
    """A `RowRefusedError` where a row is to blame, else the `Fail` or `Retry` that all of them come to."""
    cause = _cause(error)
    for family, read in _READERS.items():
        if isinstance(cause, family):
            return read(cause)
    if isinstance(cause, (OSError, TimeoutError)):
        return lost(cause)
    return Fail(f"The database cannot take the rows: {_words(cause)}", code="DATASTORE_FAILED")


def lost(error: BaseException) -> Retry:
    kind = (
        "did not answer in time" if isinstance(error, TimeoutError) else "cannot be reached, or closed the connection"
    )
    return Retry(f"The datastore {kind}.", code="DATASTORE_UNREACHABLE")


def _of_postgres(cause: BaseException) -> Exception:
    state: str = getattr(cause, "sqlstate", None) or ""
    if state.startswith(_CONNECTION_CLASSES):
        return lost(cause)
    if state.startswith(_PASSING_CLASSES):
        return Retry(f"The database cannot take the rows now: {_words(cause)}", code="DATASTORE_BUSY")
    if state.startswith(_TABLE_CLASSES) and "row-level security" not in _words(cause):
        return Fail(f"The database refuses the rows: {_words(cause)}", code="DATASTORE_FAILED")
    return RowRefusedError(_words(cause))


def _of_mysql(cause: BaseException) -> Exception:
    number = cause.args[0] if cause.args else 0
    words = str(cause.args[1] if len(cause.args) > 1 else cause)[:_MESSAGE_LENGTH]
    if number in _MYSQL_ROW:
        return RowRefusedError(words)
    if number in _MYSQL_PASSING:
        return Retry(f"The database cannot take the rows now: {words}", code="DATASTORE_BUSY")
    return Fail(f"The database refuses the rows: {words}", code="DATASTORE_FAILED")


def _of_sqlite(cause: BaseException) -> Exception:
    if isinstance(cause, _SQLITE_ROW):
        return RowRefusedError(_words(cause))
    if isinstance(cause, sqlite3.OperationalError) and ("locked" in str(cause) or "busy" in str(cause)):
        return Retry("Another one writes into the SQLite file.", code="DATASTORE_BUSY")
    return Fail(f"The database refuses the rows: {_words(cause)}", code="DATASTORE_FAILED")


def _of_broken_connection(cause: BaseException) -> Exception:
    return lost(cause)


_READERS: dict[type[BaseException], Callable[[BaseException], Exception]] = {
    asyncpg.PostgresError: _of_postgres,
    asyncpg.InterfaceError: _of_broken_connection,
    asyncpg.InternalClientError: _of_broken_connection,
    pymysql.err.InterfaceError: _of_broken_connection,
    pymysql.err.MySQLError: _of_mysql,
    sqlite3.Error: _of_sqlite,
}


_FROM_BELOW = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)


def _cause(error: BaseException) -> BaseException:
    """The driver's own error, below what SQLAlchemy made of it."""
    while isinstance(error, SQLAlchemyError):
        below = error.orig if isinstance(error, DBAPIError) else error.__cause__
        if below is None:
            break
        error = cast("BaseException", below)
    inner = error.__cause__
    return inner if isinstance(inner, _FROM_BELOW) else error


def _words(error: BaseException) -> str:
    text = str(getattr(error, "message", None) or error).strip() or type(error).__name__
    return text.splitlines()[0][:_MESSAGE_LENGTH]
