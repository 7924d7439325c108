"""Rows into MySQL and SQLite, by statements that SQLAlchemy writes in the words of each."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Insert, and_, bindparam, column, or_, select, table
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import UserDefinedType

from weft.integrations.sql.marks import MARKS, TABLE, Place
from weft.integrations.sql.session import Row, Wanted


class _AsItIs(UserDefinedType[Any]):
    """Values are the driver's own already (`values`). A type of ours keeps SQLAlchemy from guessing another by the value."""

    cache_ok = True


_AS_IT_IS = _AsItIs()


class StatementSession:
    """Over a connection in autocommit, whose transactions are begun and ended in words."""

    def __init__(self, connection: AsyncConnection, wanted: Wanted) -> None:
        self._connection = connection
        self._columns = wanted.columns
        self._is_mysql = connection.dialect.name != "sqlite"
        self._insert = self._statement(wanted)
        self._marks = table(MARKS, *map(_column, ("scope", "bucket", "bits")), schema=wanted.schema)

    async def begin(self) -> None:
        # SQLite: the lock of the file now, not at the first write, where waiting for it can only fail.
        await self._connection.exec_driver_sql("START TRANSACTION" if self._is_mysql else "BEGIN IMMEDIATE")

    async def commit(self) -> None:
        await self._connection.exec_driver_sql("COMMIT")

    async def rollback(self) -> None:
        await self._connection.exec_driver_sql("ROLLBACK")

    async def save(self) -> None:
        await self._connection.exec_driver_sql("SAVEPOINT weft")

    async def undo(self) -> None:
        await self._connection.exec_driver_sql("ROLLBACK TO SAVEPOINT weft")
        await self._connection.exec_driver_sql("RELEASE SAVEPOINT weft")

    async def put(self, rows: Sequence[Row]) -> None:
        columns = self._columns
        await self._connection.execute(self._insert, [dict(zip(columns, row, strict=True)) for row in rows])

    async def make_marks(self) -> None:
        preparer = self._connection.dialect.identifier_preparer
        statement = TABLE["mysql" if self._is_mysql else "sqlite"].format(table=preparer.format_table(self._marks))
        await self._connection.exec_driver_sql(statement)

    async def marks(self, places: Sequence[Place]) -> Mapping[Place, bytes]:
        rows = [{"scope": place.scope, "bucket": place.bucket, "bits": b""} for place in places]
        insert = mysql.insert(self._marks).prefix_with("IGNORE") if self._is_mysql else _or_nothing(self._marks)
        await self._connection.execute(insert, rows)
        wanted = or_(*(self._is(place.scope, place.bucket) for place in places))
        query = select(*self._marks.columns).where(wanted).with_for_update()
        found = (await self._connection.execute(query)).mappings()
        return {Place(row["scope"], row["bucket"]): bytes(row["bits"]) for row in found}

    async def keep_marks(self, marks: Mapping[Place, bytes]) -> None:
        rows = [{"its_scope": place.scope, "its_bucket": place.bucket, "its_bits": bits} for place, bits in marks.items()]  # fmt: skip
        which = self._is(bindparam("its_scope"), bindparam("its_bucket"))
        update = self._marks.update().where(which).values(bits=bindparam("its_bits", type_=_AS_IT_IS))
        await self._connection.execute(update, rows)

    def _is(self, scope: Any, bucket: Any) -> Any:
        return and_(self._marks.c.scope == scope, self._marks.c.bucket == bucket)

    def _statement(self, wanted: Wanted) -> Insert:
        target = table(wanted.table, *map(_column, wanted.columns), schema=wanted.schema)
        if not wanted.key:
            return target.insert()
        changed = [name for name in wanted.columns if name not in wanted.key]
        if self._is_mysql:
            upsert = mysql.insert(target)
            # MySQL goes by whichever unique key the row meets. Where nothing else changes, the key stays as it is.
            return upsert.on_duplicate_key_update({name: upsert.inserted[name] for name in changed or wanted.key})
        upsert = sqlite.insert(target)
        if not changed:
            return upsert.on_conflict_do_nothing(index_elements=list(wanted.key))
        return upsert.on_conflict_do_update(
            index_elements=list(wanted.key), set_={name: upsert.excluded[name] for name in changed}
        )


def _column(name: str) -> Any:
    return column(name, _AS_IT_IS)


def _or_nothing(marks: Any) -> Insert:
    return sqlite.insert(marks).on_conflict_do_nothing(index_elements=["scope", "bucket"])
