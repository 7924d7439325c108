"""The list of a run's items, whatever became of each: one order, no gaps, nothing twice."""

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import insert, text, update

from weft.domain.access import Viewer
from weft.domain.errors import Invalid
from weft.domain.ids import UUID, new_id
from weft.domain.page import Page, PageRequest
from weft.domain.run import Item, ItemStatus, StepStatus
from weft.operations.items import ItemFilter, ItemList, ItemPlace, load_item_pages, load_items
from weft.operations.services import Services
from weft.storage import tables
from weft.storage.database import Database

SIZE = 10
FINISHED = {0: "COMPLETED", 1: "COMPLETED", 2: "FAILED", 3: "SKIPPED", 11: "FAILED", 13: "COMPLETED"}
"""Of a run of 25 in batches of 10: the first is given back, the second is held, the third was never begun."""
RUNNING, PENDING, COMPLETED = ItemStatus.RUNNING, ItemStatus.PENDING, ItemStatus.COMPLETED
FAILED, SKIPPED, CANCELLED = ItemStatus.FAILED, ItemStatus.SKIPPED, ItemStatus.CANCELLED


@dataclass(frozen=True)
class HalfDone:
    """A run under way, of which everything is known."""

    services: Services
    viewer: Viewer
    run_id: UUID
    entities: list[UUID]

    async def page(
        self, *statuses: ItemStatus, first: int = 100, after: str | None = None, **wanted: Any
    ) -> Page[Item]:
        chosen = ItemFilter(frozenset(statuses) or None, **wanted)
        asked = ItemList(self.run_id, chosen, PageRequest(first, after))
        (page,) = await load_item_pages(self.services, self.viewer, [asked])
        return page

    async def walk(self, *statuses: ItemStatus, first: int) -> list[int]:
        """The ordinals on all pages, one after the other."""
        found: list[int] = []
        after: str | None = None
        while True:
            page = await self.page(*statuses, first=first, after=after)
            found += [item.ordinal for item in page.rows]
            if not page.has_next:
                return found
            assert len(page.rows) == first
            after = page.keys[-1]


@pytest.fixture
async def run(services: Services, viewer: Viewer) -> HalfDone:
    run_id, entities = new_id(), [new_id() for _ in range(25)]
    await store_run(services.database, viewer, run_id, status="RUNNING", total=25, completed=3, failed=2, skipped=1)
    async with services.database.transaction() as connection:
        for number in range(3):
            mine = entities[number * SIZE : (number + 1) * SIZE]
            await connection.execute(
                insert(tables.run_batch).values(
                    run_id=run_id,
                    number=number,
                    first_ordinal=number * SIZE,
                    size=len(mine),
                    entity_ids=mine,
                    touched=number < 2,
                    token=number,
                    holder="worker" if number == 1 else None,
                    ready_at=text("now() + interval '1 hour'") if number == 1 else text("now()"),
                )
            )
        for ordinal, status in FINISHED.items():
            error = {"step": "a", "code": "BAD", "message": "no"} if status == "FAILED" else None
            await connection.execute(
                insert(tables.run_item).values(
                    run_id=run_id,
                    ordinal=ordinal,
                    entity_id=entities[ordinal],
                    status=status,
                    error=error,
                    steps=[{"id": "a", "s": "C", "t": 1_700_000_000_000_000, "d": 42, "o": ordinal}],
                    started_at=text("now()"),
                    finished_at=text("now()"),
                )
            )
        kept = [{"id": "a", "s": "C", "t": 1_700_000_000_000_000, "d": 42, "o": "kept"}]
        await connection.execute(insert(tables.run_checkpoint).values(run_id=run_id, ordinal=12, steps=kept))
    return HalfDone(services, viewer, run_id, entities)


async def store_run(database: Database, viewer: Viewer, run_id: UUID, **state: Any) -> None:
    """A run of a workflow of one step, without items."""
    workflow_id, version_id = new_id(), new_id()
    owner = {"workspace_id": viewer.workspace_id}
    none = {f"step_{name}": [0] for name in ("completed", "failed", "skipped", "retried", "busy_us")}
    workflow = {"name": "w", "status": "ACTIVE", "version_id": version_id, "version_number": 1, "steps_count": 1}
    started: dict[str, Any] = {"parameters": {}, "trigger_type": "MANUAL", "triggered_by": "test"}
    step: dict[str, Any] = {"id": "a", "type": "echo", "dependsOn": [], "config": {}}
    async with database.transaction() as connection:
        await connection.execute(insert(tables.workflow).values(id=workflow_id, created_by="test", **workflow, **owner))
        await connection.execute(
            insert(tables.workflow_version).values(
                id=version_id,
                workflow_id=workflow_id,
                number=1,
                definition={"steps": [step]},
                created_by="test",
                **owner,
            )
        )
        await connection.execute(
            insert(tables.run).values(id=run_id, workflow_id=workflow_id, version_id=version_id, **started, **owner)
        )
        await connection.execute(insert(tables.run_state).values(run_id=run_id, step_ids=["a"], **none, **state))


async def change(run: HalfDone, **state: Any) -> None:
    async with run.services.database.transaction() as connection:
        await connection.execute(
            update(tables.run_state).where(tables.run_state.c.run_id == run.run_id).values(**state)
        )


def expected(*statuses: ItemStatus) -> list[int]:
    """By the definition of each status, item by item."""
    of = {ordinal: ItemStatus(FINISHED[ordinal]) if ordinal in FINISHED else PENDING for ordinal in range(25)}
    of |= {ordinal: RUNNING for ordinal in range(10, 20) if ordinal not in FINISHED}
    return [ordinal for ordinal, status in of.items() if status in statuses]


async def test_the_list_holds_every_item_once_with_its_status(run: HalfDone) -> None:
    page = await run.page()
    assert [item.ordinal for item in page.rows] == list(range(25))
    assert [item.entity_id for item in page.rows] == run.entities
    assert page.total == 25
    for status in ItemStatus:
        assert [item.ordinal for item in page.rows if item.status is status] == expected(status)


async def test_pages_of_any_size_and_filter_join_without_gap_or_overlap(run: HalfDone) -> None:
    for statuses in (
        (),
        (COMPLETED,),
        (FAILED,),
        (FAILED, SKIPPED),
        (PENDING,),
        (RUNNING,),
        (PENDING, RUNNING),
        (COMPLETED, PENDING),
        (FAILED, RUNNING),
        (CANCELLED,),
    ):
        for first in (1, 4, 10, 25):
            assert await run.walk(*statuses, first=first) == expected(*(statuses or ItemStatus))


async def test_totals_come_from_the_counters_where_they_tell_it(run: HalfDone) -> None:
    assert [(await run.page(*statuses, first=1)).total for statuses in ((COMPLETED,), (FAILED, SKIPPED))] == [3, 3]
    assert (await run.page(PENDING, RUNNING, first=1)).total == 19
    assert (await run.page(PENDING, first=1)).total is None
    assert (await run.page(CANCELLED)).total == 0


async def test_an_unfinished_item_shows_what_was_recorded_of_it(run: HalfDone) -> None:
    (item,) = await load_items(run.services, run.viewer, [ItemPlace(run.run_id, 12)])
    assert item is not None
    assert (item.status, item.entity_id, item.finished_at) == (RUNNING, run.entities[12], None)
    assert [(step.status, step.output) for step in item.steps] == [(StepStatus.COMPLETED, "kept")]


async def test_what_a_cancelled_run_did_not_finish_is_cancelled(run: HalfDone) -> None:
    await change(run, status="CANCELLED", cancelled=19)
    unfinished = expected(PENDING, RUNNING)
    assert await run.walk(CANCELLED, first=7) == unfinished
    assert (await run.page(CANCELLED, first=1)).total == 19
    assert await run.walk(PENDING, RUNNING, first=7) == []
    assert [item.ordinal for item in (await run.page()).rows if item.status is CANCELLED] == unfinished


async def test_an_item_is_found_by_its_entity(run: HalfDone) -> None:
    for ordinal in (2, 14, 24):
        page = await run.page(entity_id=run.entities[ordinal])
        assert ([item.ordinal for item in page.rows], page.has_next) == ([ordinal], False)
    assert (await run.page(COMPLETED, entity_id=run.entities[2])).rows == ()
    assert (await run.page(entity_id=run.entities[2], after="2")).rows == ()
    assert (await run.page(entity_id=new_id())).rows == ()


async def test_the_one_item_of_a_run_without_entities_is_listed(services: Services, viewer: Viewer) -> None:
    run_id = new_id()
    await store_run(services.database, viewer, run_id, status="PENDING", total=1)
    batch = insert(tables.run_batch).values(run_id=run_id, number=0, first_ordinal=0, size=1, touched=True)
    async with services.database.transaction() as connection:
        await connection.execute(batch)
    run = HalfDone(services, viewer, run_id, [])
    for statuses in ((), (PENDING,)):
        page = await run.page(*statuses)
        assert [(item.ordinal, item.entity_id, item.status) for item in page.rows] == [(0, None, PENDING)]
        assert (await run.page(*statuses, after="0")).rows == ()


async def test_a_run_over_nothing_has_an_empty_list(services: Services, viewer: Viewer) -> None:
    run_id = new_id()
    await store_run(services.database, viewer, run_id, status="COMPLETED", total=0)
    run = HalfDone(services, viewer, run_id, [])
    for statuses in ((), (COMPLETED,), (CANCELLED,)):
        page = await run.page(*statuses)
        assert (page.rows, page.total) == ((), 0)


async def test_a_cursor_of_another_list_is_refused(run: HalfDone) -> None:
    for after in ("", "x", "-1", "99999999999", "1.5", str(run.run_id)):
        with pytest.raises(Invalid):
            await run.page(after=after)


async def test_another_workspace_finds_no_item(run: HalfDone, stranger: Viewer) -> None:
    other = HalfDone(run.services, stranger, run.run_id, run.entities)
    for statuses in ((), (COMPLETED,), (FAILED,), (PENDING, RUNNING)):
        assert (await other.page(*statuses)).rows == ()
    assert (await other.page(entity_id=run.entities[2])).rows == ()
    assert await load_items(run.services, stranger, [ItemPlace(run.run_id, 2)]) == [None]
