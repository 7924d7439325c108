"""Statements that go past SQLAlchemy: what they raise is what SQLAlchemy would."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import InterfaceError

from weft.storage.database import Database, is_passing
from weft.storage.driver import fetch_rows


async def test_the_drivers_own_confusion_passes_like_any_trouble_with_a_connection(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("CREATE TYPE pair AS (a int, b int)"))
        await connection.execute(text("CREATE TABLE pairs AS SELECT (1, 2)::pair AS pair"))
    async with database.reading() as connection:
        rows = await fetch_rows(connection, "SELECT pair FROM pairs")
        assert tuple(rows[0][0]) == (1, 2)
        async with database.transaction() as other:
            await other.execute(text("ALTER TYPE pair ADD ATTRIBUTE c int"))
        with pytest.raises(InterfaceError) as raised:
            await fetch_rows(connection, "SELECT pair FROM pairs")
        assert is_passing(raised.value)
        assert len(tuple((await fetch_rows(connection, "SELECT pair FROM pairs"))[0][0])) == 3
