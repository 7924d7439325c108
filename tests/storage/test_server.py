"""What is asked of the database before anything else: its server, and its migrations."""

import time

import pytest
from sqlalchemy import text

from weft.domain.errors import StartupError
from weft.storage import migrations, server
from weft.storage.database import Database


async def test_a_server_that_is_too_old_is_refused_with_its_version(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await server.check_server(database)
    monkeypatch.setattr(server, "OLDEST_VERSION", 99)
    with pytest.raises(StartupError, match=r"is version \d\d; Weft needs version 99 or newer\.$"):
        await server.check_server(database)


async def test_a_server_that_does_not_answer_is_waited_for_and_then_named_without_its_password() -> None:
    database = Database.connect("postgresql+asyncpg://weft:password@127.0.0.1:1/weft")
    began = time.monotonic()
    with pytest.raises(StartupError) as refused:
        await server.check_server(database, patience_seconds=1.0)
    assert time.monotonic() - began >= 1.0
    assert refused.value.message == "PostgreSQL at 127.0.0.1:1/weft cannot be used: Connection refused"


async def test_a_database_that_will_never_open_is_not_waited_for(database_url: str) -> None:
    database = Database.connect(f"{database_url}&user=somebody")
    began = time.monotonic()
    with pytest.raises(StartupError, match='role "somebody" does not exist'):
        await server.check_server(database, patience_seconds=60.0)
    assert time.monotonic() - began < 10.0
    await database.close()


async def test_the_ssl_mode_may_be_spelled_as_libpq_does(database_url: str) -> None:
    database = Database.connect(f"{database_url}&sslmode=prefer")
    assert database.engine.url.query["ssl"] == "prefer"
    await server.check_server(database)
    await database.close()


def test_a_text_that_is_no_url_is_a_value_error() -> None:
    with pytest.raises(ValueError, match=r"(?i)could not parse"):
        Database.connect("not a url")


async def test_a_newer_database_is_served_and_never_migrated(database: Database) -> None:
    await migrations.check(database)
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = 'of tomorrow'"))
    await migrations.check(database)
    with pytest.raises(StartupError, match="at migration of tomorrow, which this version of Weft does not know"):
        await migrations.migrate(database)


async def test_an_empty_database_is_not_served(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("DELETE FROM alembic_version"))
    with pytest.raises(StartupError, match=r"^The database is empty; this version of Weft needs \d+: weft migrate$"):
        await migrations.check(database)
