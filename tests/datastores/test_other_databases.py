"""The same rows into SQLite and MySQL: what holds for PostgreSQL holds for them."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from datastores import mariadb
from datastores.conftest import invoices

from weft.domain.datastore import DatastoreKind, TlsMode
from weft.domain.ids import new_id
from weft.domain.outside import ColumnKind, TableFacts, TableRows
from weft.integrations.sql.databases import Databases
from weft.integrations.sql.pools import Version
from weft.integrations.sql.target import FileTarget, ServerTarget, Target

TABLE = """CREATE TABLE invoice (number varchar(40) NOT NULL PRIMARY KEY, customer varchar(40) NOT NULL,
  total numeric(12, 2) NOT NULL CHECK (total >= 0), quantity integer, issued date, paid_at datetime, tags json,
  open boolean DEFAULT true, token char(36), data blob)"""
ROW: dict[str, Any] = {
    "number": "I-1 'ü\\",
    "customer": "Ada",
    "total": "12345678.90",
    "quantity": 3,
    "issued": "2026-02-28",
    "paid_at": "2026-03-01T10:00:00+02:00",
    "tags": {"a": [1, None]},
    "open": False,
    "token": "12345678-1234-5678-1234-567812345678",
    "data": "AAEC",
}


@dataclass
class Elsewhere:
    target: Target
    databases: Databases
    version: Version

    async def write(self, rows: TableRows) -> list[bool]:
        answers = await self.databases.write(self.version, self.target, rows)
        return [answer is None for answer in answers]

    async def facts(self, table: str = "invoice") -> TableFacts | None:
        return await self.databases.facts(self.version, self.target, table, fresh=True)

    async def run(self, statement: str) -> list[Any]:
        async with self.databases._pools.connection(self.version, self.target, 20) as connection:
            found = await connection.exec_driver_sql(statement)
            return [tuple(row) for row in found] if found.returns_rows else []


@asynccontextmanager
async def reached(target: Target) -> AsyncGenerator[Elsewhere]:
    databases = Databases(["127.0.0.1"])
    yield Elsewhere(target, databases, Version(new_id(), 1))
    await databases.close()


@pytest.fixture(scope="session")
async def mysql_port(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[int | None]:
    """None where no server is installed."""
    binary = mariadb.server()
    if binary is None:
        yield None
        return
    async with mariadb.running(binary, tmp_path_factory.mktemp("mysql")) as port:
        yield port


@pytest.fixture(params=["sqlite", "mysql"])
async def elsewhere(request: pytest.FixtureRequest, mysql_port: int | None, tmp_path: Path) -> AsyncIterator[Elsewhere]:
    if request.param == "sqlite":
        target: Target = FileTarget(tmp_path / "orders.db")
    else:
        if mysql_port is None:
            pytest.skip(f"no MySQL server is installed here: none of {', '.join(mariadb.SERVERS)} is found")
        target = ServerTarget(DatastoreKind.MYSQL, "127.0.0.1", mysql_port, "mysql", "root", "", TlsMode.OFF)
        name = f"target_{new_id().hex}"
        async with reached(target) as server:
            await server.run(f"CREATE DATABASE {name}")
        target = replace(target, database=name)
    async with reached(target) as found:
        await found.run(TABLE)
        yield found


def upsert(rows: TableRows) -> TableRows:
    return replace(rows, key=("number",), idempotency_keys=())


async def test_values_arrive_as_the_columns_mean_them(elsewhere: Elsewhere) -> None:
    rows = TableRows("x", "invoice", tuple(ROW), [list(ROW.values())], (), ["r:1:s"])
    assert await elsewhere.databases.write(elsewhere.version, elsewhere.target, rows) == [None]
    ((number, customer, total, quantity, issued, paid_at, tags, is_open, token, data),) = await elsewhere.run(
        "SELECT * FROM invoice"
    )
    assert (number, customer, quantity, bool(is_open), token, data) == (
        ROW["number"], "Ada", 3, False, ROW["token"], b"\0\1\2",
    )  # fmt: skip
    assert float(total) == 12345678.90
    assert (str(issued), str(paid_at)) == ("2026-02-28", "2026-03-01 08:00:00")
    assert tags.replace(" ", "") == '{"a":[1,null]}'


async def test_a_bad_row_costs_no_other(elsewhere: Elsewhere) -> None:
    rows = invoices(*range(40))
    rows.rows[7][2] = -1  # pyright: ignore[reportIndexIssue] - made of lists
    rows.rows[30][0] = "I-29"  # pyright: ignore[reportIndexIssue] - made of lists
    rows.rows[31][2] = "much"  # pyright: ignore[reportIndexIssue] - made of lists
    answers = await elsewhere.write(rows)
    assert [number for number, stored in enumerate(answers) if not stored] == [7, 30, 31]
    assert await elsewhere.run("SELECT count(*) FROM invoice") == [(37,)]


async def test_an_inserted_row_is_not_inserted_again(elsewhere: Elsewhere) -> None:
    assert await elsewhere.write(invoices(1, 2, 300)) == [True] * 3
    await elsewhere.run("DELETE FROM invoice WHERE number = 'I-2'")
    assert await elsewhere.write(invoices(1, 2, 3, 300)) == [True] * 4
    assert await elsewhere.run("SELECT number FROM invoice ORDER BY number") == [("I-1",), ("I-3",), ("I-300",)]


async def test_an_upsert_replaces_and_the_last_wins(elsewhere: Elsewhere) -> None:
    assert await elsewhere.write(upsert(invoices(1, 2))) == [True, True]
    rows = upsert(invoices(2, 3, 2))
    rows.rows[2][1] = "the last"  # pyright: ignore[reportIndexIssue] - made of lists
    assert await elsewhere.write(rows) == [True] * 3
    found = await elsewhere.run("SELECT number, customer FROM invoice ORDER BY number")
    assert found == [("I-1", "Customer 1"), ("I-2", "the last"), ("I-3", "Customer 3")]


async def test_the_columns_and_keys_are_known(elsewhere: Elsewhere) -> None:
    facts = await elsewhere.facts()
    assert facts is not None
    kinds = {column.name: column.kind for column in facts.columns}
    assert kinds["number"] is ColumnKind.TEXT
    assert kinds["total"] is ColumnKind.NUMBER
    assert kinds["quantity"] is ColumnKind.INTEGER
    assert kinds["issued"] is ColumnKind.DATE
    assert kinds["paid_at"] is ColumnKind.DATETIME
    assert kinds["open"] is ColumnKind.BOOLEAN
    assert kinds["data"] is ColumnKind.BINARY
    needed = {column.name for column in facts.columns if not column.nullable and not column.has_default}
    assert needed == {"number", "customer", "total"}
    assert ("number",) in facts.unique_keys
    assert await elsewhere.facts("bill") is None
