"""Which databases may be reached at all: addresses behind the guard, files in their folder."""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from datastores.conftest import Target, invoices

from weft.domain.datastore import DatastoreKind, TlsMode
from weft.domain.ids import new_id
from weft.domain.step import Fail, Retry
from weft.integrations.sql.databases import Databases
from weft.integrations.sql.doors import tls_of
from weft.integrations.sql.folders import file_in
from weft.integrations.sql.pools import Version
from weft.integrations.sql.target import ServerTarget

SERVER = ServerTarget(DatastoreKind.POSTGRESQL, "127.0.0.1", 5432, "d", "u", "the password", TlsMode.OFF)


async def asked(target: ServerTarget, *allowed: str) -> Exception | None:
    databases = Databases(allowed)
    (came_to,) = await asyncio.gather(databases.tables(Version(new_id(), 1), target), return_exceptions=True)
    await databases.close()
    if isinstance(came_to, list):
        return None
    assert isinstance(came_to, (Fail, Retry))
    assert "the password" not in repr(came_to)
    return came_to


@pytest.mark.parametrize("kind", [DatastoreKind.POSTGRESQL, DatastoreKind.MYSQL])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "169.254.169.254", "10.0.0.1", "0.0.0.0"])
async def test_a_private_address_is_refused_before_anything_is_sent(kind: DatastoreKind, host: str) -> None:
    refused = await asked(replace(SERVER, kind=kind, host=host))
    assert isinstance(refused, Fail)
    assert refused.code == "ADDRESS_REFUSED"


async def test_a_host_that_the_operator_allowed_is_reached(target: Target) -> None:
    address = target.address
    reached = replace(SERVER, port=address.port, database=address.database, user=address.user)
    assert await asked(reached, "127.0.0.1") is None
    assert await asked(reached, f"127.0.0.1:{address.port}") is None
    assert await asked(reached, "127.0.0.0/8") is None
    assert isinstance(await asked(reached, "127.0.0.1:1"), Fail)


async def test_a_server_without_tls_gets_no_password_where_tls_is_asked_for(target: Target) -> None:
    address = target.address
    wanted = replace(SERVER, port=address.port, database=address.database, user=address.user, tls=TlsMode.VERIFIED)
    assert isinstance(await asked(wanted, "127.0.0.1"), (Fail, Retry))


async def test_a_server_that_stays_silent_is_given_up_and_its_connection_with_it(target: Target) -> None:
    address = target.address
    reached = replace(SERVER, port=address.port, database=address.database, user=address.user)
    databases, version = Databases(["127.0.0.1"], write_seconds=0.5), Version(new_id(), 1)
    assert await databases.write(version, reached, invoices(1)) == [None]
    async with target.database.transaction() as connection:
        await connection.exec_driver_sql("LOCK TABLE invoice IN EXCLUSIVE MODE")
        with pytest.raises(Retry, match="did not answer in time"):
            await databases.write(version, reached, invoices(2))
    async with asyncio.timeout(10):
        came_to: Sequence[Any] = [Retry("not asked yet")]
        while isinstance(came_to[0], Retry):
            writing = databases.write(version, reached, invoices(2))
            came_to = await asyncio.gather(writing, return_exceptions=True)
    assert await target.run("SELECT count(*) FROM invoice") == [(2,)]
    await databases.close()


@pytest.mark.parametrize("kind", [DatastoreKind.POSTGRESQL, DatastoreKind.MYSQL])
async def test_a_server_that_talks_nonsense_is_left(kind: DatastoreKind) -> None:
    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\xff" * 1000)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with asyncio.timeout(15):
        assert isinstance(await asked(replace(SERVER, kind=kind, port=port), "127.0.0.1"), (Fail, Retry))
    server.close()


def test_tls_verifies_the_name_although_the_connection_goes_to_an_address() -> None:
    context = tls_of(replace(SERVER, host="db.example.com", tls=TlsMode.VERIFIED))
    assert context is not None
    assert context.verify_mode is ssl.CERT_REQUIRED
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    wrapped = context.wrap_bio(incoming, outgoing, server_hostname="203.0.113.7")
    assert wrapped.server_hostname == "db.example.com"


async def test_files_lie_in_the_folder_of_their_workspace(tmp_path: Path) -> None:
    one, other = new_id(), new_id()
    assert file_in(tmp_path, one, "orders.db") == tmp_path / str(one) / "orders.db"
    assert file_in(tmp_path, one, "orders.db") != file_in(tmp_path, other, "orders.db")


@pytest.mark.parametrize("name", ["../orders.db", "/etc/passwd", "a/b.db", "..db", "orders.txt", "orders.db\n", ""])
def test_a_file_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Fail, match="SQLite file"):
        file_in(tmp_path, new_id(), name)


@pytest.mark.parametrize("linked", ["", "orders.db", "orders.db-wal", "orders.db-journal"])
def test_a_link_is_not_followed(tmp_path: Path, linked: str) -> None:
    workspace = new_id()
    folder, elsewhere = tmp_path / "sqlite", tmp_path / "elsewhere"
    elsewhere.mkdir()
    own = folder / str(workspace)
    (own if linked else folder).mkdir(parents=True)
    (own / linked if linked else own).symlink_to(elsewhere / "orders.db" if linked else elsewhere)
    with pytest.raises(Fail, match="link"):
        file_in(folder, workspace, "orders.db")


def test_without_a_folder_no_file_is_opened() -> None:
    with pytest.raises(Fail, match="WEFT_SQLITE_FOLDER"):
        file_in(None, new_id(), "orders.db")
