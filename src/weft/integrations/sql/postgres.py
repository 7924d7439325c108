"""Rows into PostgreSQL: all of them as one JSON text, which the server takes apart by the types of its own columns.

That costs next to nothing on this side, knows every type of column, and is as fast as COPY into a table of its own and
an INSERT from there.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import orjson

from weft.integrations.sql.errors import RowRefusedError
from weft.integrations.sql.marks import MARKS, TABLE, Place
from weft.integrations.sql.session import Row, Wanted

LARGEST_TEXT = 32 * 1024 * 1024
_BEGIN = (
    "BEGIN; SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL statement_timeout = '30s'; SET LOCAL lock_timeout = '20s'; "
    "SET LOCAL idle_in_transaction_session_timeout = '30s'"
)

_MADE_AT_THIS_MOMENT = (asyncpg.UniqueViolationError, asyncpg.DuplicateTableError, asyncpg.DuplicateObjectError)
"""How the server tells that another one makes the same table: by its catalogue, its table or its row type."""


class PostgresSession:
    def __init__(self, driver: Any, wanted: Wanted) -> None:
        self._driver = driver
        self._columns = wanted.columns
        self._insert = _statement(wanted)
        self._marks = qualified(wanted.schema, MARKS)

    async def begin(self) -> None:
        await self._driver.execute(_BEGIN)

    async def commit(self) -> None:
        await self._driver.execute("COMMIT")

    async def rollback(self) -> None:
        await self._driver.execute("ROLLBACK")

    async def save(self) -> None:
        await self._driver.execute("SAVEPOINT weft")

    async def undo(self) -> None:
        await self._driver.execute("ROLLBACK TO SAVEPOINT weft; RELEASE SAVEPOINT weft")

    async def put(self, rows: Sequence[Row]) -> None:
        columns = self._columns
        try:
            text = orjson.dumps([dict(zip(columns, row, strict=True)) for row in rows])
        except TypeError as error:
            raise RowRefusedError(f"It is no JSON that can be sent: {error}.") from error
        if len(text) > LARGEST_TEXT:
            raise RowRefusedError(f"The row has more than {LARGEST_TEXT:,} bytes.")
        await self._driver.execute(self._insert, text.decode())

    async def make_marks(self) -> None:
        statement = TABLE["postgresql"].format(table=self._marks)
        try:
            await self._driver.execute(statement)
        except _MADE_AT_THIS_MOMENT:
            await self._driver.execute(statement)

    async def marks(self, places: Sequence[Place]) -> Mapping[Place, bytes]:
        found: list[Any] = await self._driver.fetch(
            f"INSERT INTO {self._marks} (scope, bucket, bits) SELECT *, ''::bytea FROM unnest($1::text[], $2::bigint[]) "
            "ON CONFLICT (scope, bucket) DO UPDATE SET at = now() RETURNING scope, bucket, bits",
            *_columns_of(places),
        )
        return {Place(row["scope"], row["bucket"]): row["bits"] for row in found}

    async def keep_marks(self, marks: Mapping[Place, bytes]) -> None:
        await self._driver.execute(
            f"UPDATE {self._marks} AS kept SET bits = new.bits FROM unnest($1::text[], $2::bigint[], $3::bytea[]) "
            "AS new (scope, bucket, bits) WHERE kept.scope = new.scope AND kept.bucket = new.bucket",
            *_columns_of(list(marks)),
            list(marks.values()),
        )


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def qualified(schema: str | None, table: str) -> str:
    return quoted(table) if schema is None else f"{quoted(schema)}.{quoted(table)}"


def _statement(wanted: Wanted) -> str:
    table, columns = qualified(wanted.schema, wanted.table), ", ".join(map(quoted, wanted.columns))
    insert = (
        f"INSERT INTO {table} ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::{table}, $1::text::json)"
    )
    if not wanted.key:
        return insert
    changed = [name for name in wanted.columns if name not in wanted.key]
    action = "UPDATE SET " + ", ".join(f"{quoted(name)} = EXCLUDED.{quoted(name)}" for name in changed)
    return f"{insert} ON CONFLICT ({', '.join(map(quoted, wanted.key))}) DO {action if changed else 'NOTHING'}"


def _columns_of(places: Sequence[Place]) -> tuple[list[str], list[int]]:
    return [place.scope for place in places], [place.bucket for place in places]
