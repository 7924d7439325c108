"""Databases elsewhere: looked at and written into. One per process; it knows no workspace, only targets."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import asyncpg
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.datastore import DatastoreKind
from weft.domain.outside import Column, NewTable, TableFacts, TableRows
from weft.domain.step import Fail, Retry
from weft.integrations.addresses import AllowedHosts
from weft.integrations.sql.creation import create
from weft.integrations.sql.errors import RowRefusedError, meaning
from weft.integrations.sql.marks import MARKS
from weft.integrations.sql.pools import Pools, Version
from weft.integrations.sql.postgres import Casts, PostgresSession, casts_of, qualified
from weft.integrations.sql.reflection import facts_of, schema_and_name, table_names
from weft.integrations.sql.session import Row, Session, Wanted
from weft.integrations.sql.statements import StatementSession
from weft.integrations.sql.target import Target
from weft.integrations.sql.values import Convert, ValueRefusedError, converter
from weft.integrations.sql.writing import Answers, refused, written

FACTS_SECONDS = 30.0
"""How long a changed table may be taken for what it was."""
MOST_FACTS = 1_000
LOOK_SECONDS = 20.0
WRITE_SECONDS = 90.0
"""Of a micro-batch, the search for its bad rows included."""


class Databases:
    def __init__(self, allowed_hosts: Iterable[str] = (), *, write_seconds: float = WRITE_SECONDS) -> None:
        self._write_seconds = write_seconds
        self._pools = Pools(AllowedHosts.parse(allowed_hosts))
        self._facts: dict[tuple[Version, str], tuple[float, TableFacts]] = {}
        self._casts: dict[tuple[Version, str], tuple[TableFacts, Casts]] = {}
        """Of tables in PostgreSQL, as long as their facts are the same ones."""
        self._marked: set[tuple[Version, str | None]] = set()
        """Schemas in which the table of marks was seen."""

    async def close(self) -> None:
        await self._pools.close()

    async def tables(self, version: Version, target: Target) -> list[str]:
        async with self._pools.connection(version, target, LOOK_SECONDS) as connection:
            return await _asked(connection, table_names)

    async def facts(self, version: Version, target: Target, table: str, *, fresh: bool = False) -> TableFacts | None:
        """Raises `Fail` and `Retry`."""
        known = self._facts.get((version, table))
        if known is not None and not fresh and known[0] > time.monotonic():
            return known[1]
        async with self._pools.connection(version, target, LOOK_SECONDS) as connection:
            found = await _asked(connection, facts_of, table)
        self._facts.pop((version, table), None)
        if found is not None:
            if len(self._facts) >= MOST_FACTS:
                self._facts.clear()
            self._facts[version, table] = (time.monotonic() + FACTS_SECONDS, found)
        return found

    async def create_table(self, version: Version, target: Target, new: NewTable) -> None:
        """Raises `Fail` and `Retry`."""
        async with self._pools.connection(version, target, LOOK_SECONDS) as connection:
            await _asked(connection, create, new)

    async def write(self, version: Version, target: Target, rows: TableRows) -> Sequence[Exception | None]:
        """For each row None, or what it came to. Raises what all of them come to."""
        facts = await self.facts(version, target, rows.table)
        if facts is None:
            raise Fail(f"There is no table {rows.table!r} in the datastore {rows.datastore!r}.", code="TABLE_UNKNOWN")
        answers: Answers = {}
        converted = _converted(rows, _converters(rows, facts, target.kind), answers)
        if converted:
            schema, name = schema_and_name(rows.table)
            wanted = Wanted(schema, name, rows.columns, rows.key)
            async with self._pools.connection(version, target, self._write_seconds) as connection:
                session = await self._session(connection, version, wanted, facts, target.kind)
                answers |= await self._written(version, wanted, session, converted, rows.idempotency_keys)
        return [answers[number] for number in range(len(rows.rows))]

    async def _session(
        self, connection: AsyncConnection, version: Version, wanted: Wanted, facts: TableFacts, kind: DatastoreKind
    ) -> Session:
        if kind is not DatastoreKind.POSTGRESQL:
            return StatementSession(connection, wanted)
        raw = await connection.get_raw_connection()
        driver = cast("Any", raw.driver_connection)
        table = qualified(wanted.schema, wanted.table)
        known = self._casts.get((version, table))
        if known is None or known[0] is not facts:
            if len(self._casts) >= MOST_FACTS:
                self._casts.clear()
            try:
                known = (facts, await casts_of(driver, table))
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
                raise meaning(error) from error
            self._casts[version, table] = known
        return PostgresSession(driver, wanted, known[1])

    async def _written(
        self, version: Version, wanted: Wanted, session: Session, rows: Mapping[int, Row], keys: Sequence[str]
    ) -> Answers:
        if not keys:
            return await written(session, rows, (), _replaced(rows, wanted))
        known = (version, wanted.schema) in self._marked
        await self._ready_for_marks(version, wanted.schema, session)
        try:
            return await written(session, rows, keys)
        except Fail:
            if not known:
                raise
        # Somebody may have dropped the table of marks since it was seen.
        self._marked.discard((version, wanted.schema))
        await self._ready_for_marks(version, wanted.schema, session)
        return await written(session, rows, keys)

    async def _ready_for_marks(self, version: Version, schema: str | None, session: Session) -> None:
        if (version, schema) in self._marked:
            return
        try:
            await session.make_marks()
        except Exception as error:
            told = meaning(error)
            if isinstance(told, Retry):
                raise told from error
            raise Fail(
                f"Inserted rows are noted in the table {MARKS}, which cannot be made: {told}. "
                "Create it beside the target (the manual has its columns), or use the mode UPSERT.",
                code="DATASTORE_FAILED",
            ) from error
        self._marked.add((version, schema))


async def _asked(connection: AsyncConnection, question: Any, *arguments: Any) -> Any:
    try:
        return await connection.run_sync(question, *arguments)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        told = meaning(error)
        raise (Fail(str(told), code="DATASTORE_FAILED") if isinstance(told, RowRefusedError) else told) from error


def _converters(rows: TableRows, facts: TableFacts, kind: DatastoreKind) -> list[Convert]:
    known: Mapping[str, Column] = {column.name: column for column in facts.columns}
    if missing := [name for name in (*rows.columns, *rows.key) if name not in known]:
        raise Fail(f"The table {rows.table!r} has no column {missing[0]!r}.", code="COLUMN_UNKNOWN")
    return [converter(known[name], kind) for name in rows.columns]


def _converted(rows: TableRows, converters: Sequence[Convert], answers: Answers) -> dict[int, Row]:
    """By number; those that do not fit are answered."""
    if not rows.rows:
        return {}
    try:
        # Nearly always all of them fit, and by columns it goes faster.
        columns = [
            [None if value is None else convert(value) for value in column]
            for convert, column in zip(converters, zip(*rows.rows, strict=True), strict=True)
        ]
        return dict(enumerate(zip(*columns, strict=True)))
    except ValueRefusedError:
        return _fitting(rows, converters, answers)


def _fitting(rows: TableRows, converters: Sequence[Convert], answers: Answers) -> dict[int, Row]:
    converted: dict[int, Row] = {}
    for number, row in enumerate(rows.rows):
        try:
            converted[number] = tuple(
                [None if value is None else convert(value) for convert, value in zip(converters, row, strict=True)]
            )
        except ValueRefusedError:
            answers[number] = _wrong_value(rows.columns, converters, row)
    return converted


def _wrong_value(columns: Sequence[str], converters: Sequence[Convert], row: Sequence[Any]) -> Exception:
    for name, convert, value in zip(columns, converters, row, strict=True):
        try:
            _ = None if value is None else convert(value)
        except ValueRefusedError as error:
            return refused(f"the column {name!r} {error}.")
    return refused("one of its values does not fit.")


def _replaced(rows: Mapping[int, Row], wanted: Wanted) -> list[int]:
    """Rows whose key a later one has as well."""
    if not wanted.key:
        return []
    places = [wanted.columns.index(name) for name in wanted.key]
    last: dict[str, int] = {}
    replaced: list[int] = []
    for number, row in rows.items():
        key = repr([row[place] for place in places])
        if (before := last.get(key)) is not None:
            replaced.append(before)
        last[key] = number
    return replaced
