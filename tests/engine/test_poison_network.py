"""A network that falls silent, and a worker that is stopped within a transaction."""

import asyncio
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from engine.conftest import Bench
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from weft.storage.connections import SENT_IN_VAIN, StatementLimits
from weft.storage.database import Database, is_passing

pytestmark = pytest.mark.timeout(30)

SHORT = timedelta(seconds=0.3)
LOCK = text("UPDATE entity SET version = version")


@dataclass
class Network:
    """Stands between a client and Postgres; acknowledges everything, and hands it on only while it is not silent."""

    url: str
    speaks: asyncio.Event = field(default_factory=asyncio.Event)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            await self.speaks.wait()
            writer.write(data)
        writer.close()


@asynccontextmanager
async def network(database_url: str) -> AsyncGenerator[Network]:
    url = make_url(database_url)
    path = f"{url.query['host']}/.s.PGSQL.{url.query['port']}"
    between = Network("")
    between.speaks.set()
    carrying: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_unix_connection(path)
        carrying.add(asyncio.create_task(between.carry(reader, inner_writer)))
        carrying.add(asyncio.create_task(between.carry(inner_reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    between.url = url.set(host="127.0.0.1", port=port, query={}).render_as_string(hide_password=False)
    async with server:
        yield between
        for task in carrying:
            task.cancel()
        await asyncio.gather(*carrying, return_exceptions=True)


async def test_a_statement_that_is_never_answered_is_given_up_and_later_ones_are_served(database_url: str) -> None:
    async with network(database_url) as between:
        database = Database.connect(between.url, pool_size=1, limits=StatementLimits(SHORT, SHORT))
        async with database.reading() as connection:
            assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
        between.speaks.clear()
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            await _answer(database)
        assert time.monotonic() - began < 8
        between.speaks.set()
        assert await _answer(database) == 2
        await database.close()


async def _answer(database: Database) -> int:
    async with database.transaction() as connection:
        return (await connection.execute(text("SELECT 2"))).scalar_one()


async def test_the_kernel_watches_every_connection(database_url: str) -> None:
    async with network(database_url) as between:
        database = Database.connect(between.url, pool_size=1)
        async with database.reading() as connection:
            raw = (await connection.get_raw_connection()).driver_connection
            assert raw is not None
            found = raw._transport.get_extra_info("socket")
            assert found.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert found.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == SENT_IN_VAIN.total_seconds() * 1000
        await database.close()


async def test_a_transaction_that_stands_still_frees_its_locks_and_is_tried_again(
    bench: Bench, database_url: str
) -> None:
    await bench.movies(1)
    other = bench.services.database
    stopped = Database.connect(database_url, pool_size=1, limits=StatementLimits(timedelta(seconds=5), SHORT))
    with pytest.raises(DBAPIError) as raised:
        await _write_stand_still_and_write(stopped, other)
    assert is_passing(raised.value)
    async with stopped.transaction() as connection:
        await connection.execute(LOCK)
    await stopped.close()


async def _write_stand_still_and_write(stopped: Database, other: Database) -> None:
    async with stopped.transaction() as connection:
        await connection.execute(LOCK)
        async with asyncio.timeout(5), other.transaction() as waiting:
            await waiting.execute(LOCK)
        await connection.execute(LOCK)
