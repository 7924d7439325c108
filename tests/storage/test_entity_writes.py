"""Batches of entities in one statement."""

from typing import Any

import orjson
import pytest
from sqlalchemy import select

from weft.domain.access import Viewer
from weft.domain.entity import EntityType
from weft.domain.ids import UUID
from weft.domain.imports import OnConflict
from weft.storage.database import Database
from weft.storage.entity_types import add_entity_type
from weft.storage.entity_writes import (
    EntityRows,
    ExternalIdTakenError,
    WrittenRows,
    copy_entities,
    new_ids,
    packed_entities,
    write_entities,
)
from weft.storage.tables import entity


@pytest.fixture
async def thing(database: Database, viewer: Viewer) -> EntityType:
    async with database.transaction() as connection:
        return await add_entity_type(connection, viewer.workspace_id, "thing", "", {"type": "object"})


async def write(
    database: Database, of: EntityType, rows: dict[str | None, Any], on_conflict: OnConflict
) -> WrittenRows:
    batch = EntityRows(
        list(range(len(rows))), new_ids(len(rows)), list(rows), [orjson.dumps(data) for data in rows.values()]
    )
    async with database.transaction() as connection:
        return await write_entities(connection, of.workspace_id, of.id, batch, on_conflict)


async def copy(database: Database, of: EntityType, rows: EntityRows) -> None:
    async with database.transaction() as connection:
        await connection.execute(select(1))
        await copy_entities(connection, packed_entities(of.workspace_id, of.id, rows))


async def stored(database: Database) -> dict[str | None, tuple[Any, int]]:
    async with database.reading() as connection:
        rows = await connection.execute(select(entity.c.external_id, entity.c.data, entity.c.version))
        return {row.external_id: (row.data, row.version) for row in rows}


async def test_update_replaces_data_and_raises_the_version_only_where_something_changed(
    database: Database, thing: EntityType
) -> None:
    await write(database, thing, {"a": {"n": 1}, "b": {"n": 2}}, OnConflict.FAIL)
    written = await write(database, thing, {"c": {"n": 3}, "b": {"m": 2}, "a": {"n": 1}}, OnConflict.UPDATE)
    assert written == WrittenRows(created=1, updated=1, refused=frozenset())
    assert await stored(database) == {"a": ({"n": 1}, 1), "b": ({"m": 2}, 2), "c": ({"n": 3}, 1)}


async def test_skip_leaves_what_exists(database: Database, thing: EntityType) -> None:
    await write(database, thing, {"a": {"n": 1}}, OnConflict.FAIL)
    written = await write(database, thing, {"a": {"n": 2}, "b": {"n": 2}}, OnConflict.SKIP)
    assert written == WrittenRows(created=1, updated=0, refused=frozenset())
    assert (await stored(database))["a"] == ({"n": 1}, 1)


async def test_fail_names_the_rows_that_exist_and_stores_the_others(database: Database, thing: EntityType) -> None:
    await write(database, thing, {"a": {"n": 1}}, OnConflict.FAIL)
    written = await write(database, thing, {"b": {"n": 2}, "a": {"n": 2}}, OnConflict.FAIL)
    assert written == WrittenRows(created=1, updated=0, refused=frozenset({1}))


async def test_rows_without_an_external_id_are_always_new(database: Database, thing: EntityType) -> None:
    for _ in range(2):
        assert (await write(database, thing, {None: {"n": 1}}, OnConflict.FAIL)).created == 1


async def test_the_same_external_id_in_another_type_is_another_entity(
    database: Database, viewer: Viewer, thing: EntityType
) -> None:
    async with database.transaction() as connection:
        other = await add_entity_type(connection, viewer.workspace_id, "other", "", {"type": "object"})
    assert (await write(database, thing, {"a": {}}, OnConflict.FAIL)).created == 1
    assert (await write(database, other, {"a": {}}, OnConflict.FAIL)).created == 1


ODD_ROWS: dict[str | None, Any] = {
    "a\tb\nc\\": {"n": 1.0, "text": 'tab\t "quotes" \\ end'}, "\N{GRINNING FACE}": {"text": "\N{GRINNING FACE}"}, "plain": {},
    None: {"without": "a name"},
}  # fmt: skip


async def test_copied_rows_are_what_the_statement_would_have_stored(
    database: Database, viewer: Viewer, thing: EntityType
) -> None:
    batch = EntityRows(list(range(4)), new_ids(4), list(ODD_ROWS), [orjson.dumps(data) for data in ODD_ROWS.values()])
    await copy(database, thing, batch)
    assert await stored(database) == {name: (data, 1) for name, data in ODD_ROWS.items()}
    assert await write(database, thing, {"plain": {}}, OnConflict.UPDATE) == WrittenRows(0, 0, frozenset())
    async with database.reading() as connection:
        assert set(await connection.scalars(select(entity.c.id))) == {UUID(bytes=new) for new in batch.ids}
        assert set(await connection.scalars(select(entity.c.workspace_id))) == {viewer.workspace_id}


async def test_rows_that_are_there_already_are_not_copied(database: Database, thing: EntityType) -> None:
    await write(database, thing, {"a": {"n": 1}}, OnConflict.FAIL)
    batch = EntityRows([1, 2], new_ids(2), ["b", "a"], [b"{}", b"{}"])
    with pytest.raises(ExternalIdTakenError):
        await copy(database, thing, batch)
    assert await stored(database) == {"a": ({"n": 1}, 1)}


def test_ids_of_new_rows_rise() -> None:
    ids = new_ids(5_000)
    assert sorted(ids) == ids
    assert len(set(ids)) == 5_000
