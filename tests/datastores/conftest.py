"""Databases of others to write into: one in PostgreSQL behind a port, a SQLite file, and a MariaDB where there is one."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from datastores.relay import Relay, relayed
from sqlalchemy import text
from sqlalchemy.engine import make_url

from weft.domain.access import Viewer
from weft.domain.datastore import Datastore, DatastoreKind, TlsMode
from weft.domain.ids import new_id
from weft.domain.outside import Datastores, TableRows
from weft.embedded import EmbeddedServices
from weft.operations.datastores import ServerAddress, create_datastore
from weft.operations.services import Services
from weft.storage.database import Database

TABLE = """CREATE TABLE invoice (number text PRIMARY KEY, customer text NOT NULL, total numeric(12, 2) NOT NULL,
  quantity integer, issued date, paid_at timestamptz, seen_at timestamp, tags jsonb, open boolean DEFAULT true,
  token uuid, blob bytea, CHECK (total >= 0))"""


@dataclass(frozen=True)
class Target:
    """A database elsewhere, and the datastore that leads to it."""

    database: Database
    relay: Relay
    address: ServerAddress

    async def run(self, statement: str, **values: Any) -> list[Any]:
        async with self.database.transaction() as connection:
            found = await connection.execute(text(statement), values)
            return [tuple(row) for row in found] if found.returns_rows else []


@pytest.fixture(scope="session")
async def target_url(embedded: EmbeddedServices) -> str:
    """A database on the same server, for all tests: making one takes longer than most of them."""
    url, name = make_url(embedded.database_url), f"target_{new_id().hex}"
    server = Database.connect(embedded.database_url, pool_size=1)
    async with server.reading() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    await server.close()
    return url.set(database=name).render_as_string(hide_password=False)


@pytest.fixture
async def target(target_url: str) -> AsyncIterator[Target]:
    """Empty but for its table, and not yet known to any workspace."""
    url, opened = make_url(target_url), Database.connect(target_url)
    async with relayed(f"{url.query['host']}/.s.PGSQL.{url.query['port']}") as relay:
        address = ServerAddress(
            kind=DatastoreKind.POSTGRESQL,
            host="127.0.0.1",
            port=relay.port,
            database=url.database or "",
            user=url.username or "",
            password="not asked for",
            tls=TlsMode.OFF,
        )
        target = Target(opened, relay, address)
        await target.run("DROP SCHEMA public CASCADE")
        await target.run("CREATE SCHEMA public")
        await target.run("GRANT USAGE ON SCHEMA public TO PUBLIC")
        await target.run(TABLE)
        yield target
    await opened.close()


@pytest.fixture
async def warehouse(services: Services, viewer: Viewer, target: Target) -> Datastore:
    """The datastore of the workspace that leads to `target`."""
    return await create_datastore(services, viewer, "warehouse", target.address)


@pytest.fixture
def datastores(services: Services, viewer: Viewer, warehouse: Datastore) -> Datastores:
    del warehouse
    return services.world.of(viewer.workspace_id).datastores


COLUMNS = ("number", "customer", "total")


def invoices(*numbers: int, **changes: Any) -> TableRows:
    rows = TableRows(
        datastore="warehouse",
        table="invoice",
        columns=COLUMNS,
        rows=[[f"I-{number}", f"Customer {number}", number + 0.25] for number in numbers],
        idempotency_keys=[f"run:{number}:keep" for number in numbers],
    )
    return replace(rows, **changes)
