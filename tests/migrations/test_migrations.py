"""The migrations, up and down, and that they say the same as the tables."""

from collections.abc import AsyncIterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import make_url

from weft.domain.ids import new_id
from weft.embedded import EmbeddedServices
from weft.storage.database import Database
from weft.storage.migrations import configuration, current, downgrade, head, migrate
from weft.storage.tables import metadata


@pytest.fixture
async def empty(embedded: EmbeddedServices) -> AsyncIterator[Database]:
    """A database without any table."""
    name = f"empty_{new_id().hex}"
    server = Database.connect(embedded.database_url, pool_size=1)
    async with server.reading() as connection:
        await connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE template0'))
    database = Database.connect(make_url(embedded.database_url).set(database=name).render_as_string())
    yield database
    await database.close()
    async with server.reading() as connection:
        await connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    await server.close()


async def _tables(database: Database) -> set[str]:
    async with database.reading() as connection:
        return set(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))


async def test_migrations_go_up_and_down_and_up_again(empty: Database) -> None:
    await migrate(empty)
    tables = await _tables(empty)
    assert set(metadata.tables) <= tables
    await downgrade(empty, "base")
    assert await _tables(empty) == {"alembic_version"}
    await migrate(empty)
    assert await _tables(empty) == tables
    assert await current(empty) == head()


async def test_migrations_make_exactly_the_tables_of_the_code(empty: Database) -> None:
    await migrate(empty)

    def differences(connection: Connection) -> object:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return compare_metadata(context, metadata)

    async with empty.reading() as connection:
        assert await connection.run_sync(differences) == []


async def test_migrating_twice_changes_nothing(empty: Database) -> None:
    await migrate(empty)
    await migrate(empty)
    assert await current(empty) == head()


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory.from_config(configuration()).get_heads()) == 1


async def test_lines_that_are_there_already_come_first_in_the_log_of_their_run(empty: Database) -> None:
    await migrate(empty)
    await downgrade(empty, "0016")
    line = text(
        "INSERT INTO run_log (id, run_id, level, message, fields, at) VALUES (:id, :run, 'INFO', 'x', '{}', now())"
    )
    run_id, ids = new_id(), [new_id() for _ in range(3)]
    async with empty.transaction() as connection:
        for id in reversed(ids):
            await connection.execute(line, {"id": id, "run": run_id})
    await migrate(empty)
    async with empty.transaction() as connection:
        await connection.execute(line, {"id": new_id(), "run": run_id})  # by a worker that is not new yet
        found = await connection.execute(text("SELECT revision, number, id FROM run_log ORDER BY revision, number, id"))
    rows = found.all()
    assert [row.id for row in rows[:3]] == ids
    assert {(row.revision, row.number) for row in rows} == {(0, 0)}
