"""Filters on the data of entities, against real jsonb."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.access import Viewer
from weft.domain.entity import EntityFilter, FieldCondition, FilterOp
from weft.domain.ids import UUID, new_id
from weft.storage.database import Database
from weft.storage.entity_filter import where
from weft.storage.entity_types import add_entity_type
from weft.storage.tables import entity

ROWS: dict[str, dict[str, Any]] = {
    "one": {"n": 1},
    "half": {"n": 2.5},
    "ten": {"n": 10},
    "text": {"n": "10"},
    "null": {"n": None},
    "absent": {},
    "list": {"n": [1, "a"]},
    "deep": {"n": {"lines": [{"name": 'He said "Hi" 50%\\ off'}]}},
    "true": {"n": True},
}


@dataclass
class Shelf:
    connection: AsyncConnection
    workspace_id: UUID
    type_id: UUID

    async def found(self, *conditions: tuple[str, FilterOp, Any], **others: Any) -> set[str]:
        wanted = EntityFilter(tuple(FieldCondition(*one) for one in conditions), **others)
        statement = select(entity.c.external_id).where(*where(wanted, self.workspace_id, self.type_id))
        return set(await self.connection.scalars(statement))


@pytest.fixture
async def shelf(database: Database, viewer: Viewer) -> AsyncIterator[Shelf]:
    async with database.transaction() as connection:
        made = await add_entity_type(connection, viewer.workspace_id, "thing", "", {"type": "object"})
        rows = [
            {
                "id": new_id(),
                "workspace_id": viewer.workspace_id,
                "entity_type_id": made.id,
                "external_id": name,
                "data": data,
                "published_at": datetime(2026, 1, 1, tzinfo=UTC) if name == "one" else None,
            }
            for name, data in ROWS.items()
        ]
        await connection.execute(insert(entity), rows)
        yield Shelf(connection, viewer.workspace_id, made.id)


COMPARISONS: list[tuple[FilterOp, Any, set[str]]] = [
    (FilterOp.EQ, 1, {"one"}),
    (FilterOp.EQ, 1.0, {"one"}),
    (FilterOp.EQ, "10", {"text"}),
    (FilterOp.EQ, None, {"null"}),
    (FilterOp.EQ, True, {"true"}),
    (FilterOp.NE, 1, set(ROWS) - {"one"}),
    (FilterOp.GT, 1, {"half", "ten"}),
    (FilterOp.GTE, 2.5, {"half", "ten"}),
    (FilterOp.LT, 10, {"one", "half"}),
    (FilterOp.LTE, 1, {"one"}),
    (FilterOp.LT, "2", {"text"}),
    (FilterOp.IN, [1, "10", None], {"one", "text", "null"}),
    (FilterOp.IN, [], set[str]()),
    (FilterOp.CONTAINS, "1", {"text"}),
    (FilterOp.CONTAINS, "a", {"list"}),
    (FilterOp.CONTAINS, 1, {"list"}),
    (FilterOp.EXISTS, True, set(ROWS) - {"absent"}),
    (FilterOp.EXISTS, False, {"absent"}),
]


async def test_a_field_is_compared_by_its_own_json_type(shelf: Shelf) -> None:
    found = [(op, value, await shelf.found(("n", op, value))) for op, value, _ in COMPARISONS]
    assert found == COMPARISONS


async def test_a_dotted_path_goes_through_objects_and_lists(shelf: Shelf) -> None:
    assert await shelf.found(("n.lines.0.name", FilterOp.CONTAINS, '"Hi"')) == {"deep"}
    assert await shelf.found(("n.lines.1.name", FilterOp.EXISTS, True)) == set()


async def test_all_conditions_have_to_hold(shelf: Shelf) -> None:
    assert await shelf.found(("n", FilterOp.GT, 1), ("n", FilterOp.LT, 10)) == {"half"}


SEARCHES: dict[str, set[str]] = {
    'said "HI"': {"deep"},
    "50%\\ off": {"deep"},
    "5_%": set(),
    "10": {"text"},
    "lines": set(),  # the name of a field is no text of the data
    "A": {"list", "deep"},
}


async def test_search_finds_a_part_of_any_text_with_case_ignored(shelf: Shelf) -> None:
    assert {search: await shelf.found(search=search) for search in SEARCHES} == SEARCHES


async def test_external_ids_publication_and_times_narrow_too(shelf: Shelf) -> None:
    now = datetime.now(UTC)
    assert await shelf.found(external_ids=("one", "ten", "none")) == {"one", "ten"}
    assert await shelf.found(published=True) == {"one"}
    assert await shelf.found(published=False) == set(ROWS) - {"one"}
    assert await shelf.found(created_after=now + timedelta(hours=1)) == set()
    assert await shelf.found(created_before=now + timedelta(hours=1)) == set(ROWS)


async def test_a_value_cannot_leave_its_place_in_the_statement(shelf: Shelf) -> None:
    hostile = "'; DROP TABLE entity; --"
    assert await shelf.found((hostile, FilterOp.EQ, hostile), external_ids=(hostile,), search=hostile) == set()


async def test_entities_of_another_workspace_never_match(shelf: Shelf, stranger: Viewer) -> None:
    shelf.workspace_id = stranger.workspace_id
    assert await shelf.found() == set()
