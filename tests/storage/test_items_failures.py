"""Failures are grouped by their cause, not by the values in their messages."""

from typing import Any

from sqlalchemy import insert, text
from storage.test_items import store_run

from weft.domain.access import Viewer
from weft.domain.ids import UUID, new_id
from weft.operations.items import FailureList, load_failures
from weft.operations.services import Services
from weft.storage import tables


async def fail(services: Services, viewer: Viewer, *messages: str, code: str = "BAD") -> UUID:
    """A run in which an item failed with each of the messages."""
    run_id = new_id()
    await store_run(services.database, viewer, run_id, status="FAILED", total=len(messages), failed=len(messages))
    rows: list[dict[str, Any]] = [
        {
            "run_id": run_id,
            "ordinal": ordinal,
            "status": "FAILED",
            "error": {"step": "a", "code": code, "message": message},
            "steps": [],
            "started_at": text("now()"),
            "finished_at": text("now()"),
        }
        for ordinal, message in enumerate(messages)
    ]
    async with services.database.transaction() as connection:
        for row in rows:
            await connection.execute(insert(tables.run_item).values(**row))
    return run_id


async def groups(services: Services, viewer: Viewer, run_id: UUID, first: int = 20) -> list[tuple[str, int, int]]:
    (found,) = await load_failures(services, viewer, [FailureList(run_id, first)])
    return [(group.message, group.count, group.example_ordinal) for group in found]


async def test_messages_that_differ_in_values_are_one_group(services: Services, viewer: Viewer) -> None:
    for one, other in (
        ("7 is too small", "-12.50 is too small"),
        ("got 'abc', not a number", "got 'x 1', not a number"),
        ('field "a" is missing', 'field "other" is missing'),
        (f"no entity {new_id()}", f"no entity {new_id()}"),
        ("took 3s", "took 120s"),
        ("ratio 1e-9", "ratio 2.5e+10"),
    ):
        run_id = await fail(services, viewer, one, other, one)
        assert await groups(services, viewer, run_id) == [(one, 3, 0)]


async def test_messages_that_differ_in_words_are_two(services: Services, viewer: Viewer) -> None:
    for one, other in (
        ("the year is missing", "the title is missing"),
        ("it doesn't fit, it isn't a text", "it doesn't fit, it isn't a date"),
    ):
        run_id = await fail(services, viewer, one, other, other)
        assert await groups(services, viewer, run_id) == [(other, 2, 1), (one, 1, 0)]


async def test_what_else_was_wrong_with_an_item_is_no_other_cause(services: Services, viewer: Viewer) -> None:
    run_id = await fail(
        services, viewer, "no title (and 12 more)", "no title", "no title (and 1 more)", "none (and 1 more) left"
    )
    assert await groups(services, viewer, run_id) == [("no title", 3, 0), ("none (and 1 more) left", 1, 3)]


async def test_only_the_most_frequent_ones_are_given(services: Services, viewer: Viewer) -> None:
    run_id = await fail(services, viewer, "a", "b", "b", "c", "c", "c")
    assert await groups(services, viewer, run_id, first=2) == [("c", 3, 3), ("b", 2, 1)]


async def test_each_run_has_its_own_groups_and_a_stranger_sees_none(
    services: Services, viewer: Viewer, stranger: Viewer
) -> None:
    runs = [await fail(services, viewer, "a"), await fail(services, viewer, "b", "b")]
    found = await load_failures(services, viewer, [FailureList(run_id, 5) for run_id in runs])
    assert [[(group.run_id, group.count) for group in of_run] for of_run in found] == [[(runs[0], 1)], [(runs[1], 2)]]
    assert await load_failures(services, stranger, [FailureList(run_id, 5) for run_id in runs]) == [[], []]
