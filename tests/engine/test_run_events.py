"""What watchers of a run are told, against what is stored: each event once, in order, wherever they come in."""

import asyncio
import random
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import pytest
from engine.conftest import Bench
from workers import counted

from weft.domain.access import Viewer
from weft.domain.errors import Invalid, NotFound
from weft.domain.ids import new_id
from weft.domain.progress import RunStatus
from weft.domain.run import Run
from weft.operations import runs
from weft.operations.run_events import (
    ItemFinished,
    RunEvent,
    RunStatusChanged,
    SnapshotReset,
    watch_events,
)

pytestmark = pytest.mark.timeout(120)

ITEMS = 3_000
DROPS = 300


async def told(bench: Bench, run: Run, after: str | None = None, most: int | None = None) -> list[RunEvent]:
    """The events behind `after`: up to `most`, then the connection is lost; or all to the end of the run."""
    found: list[RunEvent] = []
    async with aclosing(await watch_events(bench.services, bench.viewer, run.id, after)) as events:
        async for event in events:
            found.append(event)
            if len(found) == most:
                break
    return found


async def told_in_pieces(bench: Bench, run: Run, chance: random.Random) -> tuple[list[RunEvent], int]:
    """All events, over a connection that is lost again and again; and how often it was."""
    found, drops = list[RunEvent](), 0
    while True:
        after = str(found[-1].place) if found else None
        piece = await told(bench, run, after, chance.randint(1, ITEMS // DROPS))
        if not piece:
            return found, drops
        found += piece
        drops += 1


def statuses(events: list[RunEvent]) -> list[RunStatus]:
    return [event.status for event in events if isinstance(event, RunStatusChanged)]


def items(events: list[RunEvent]) -> list[tuple[int, str]]:
    return [(event.item.ordinal, event.item.status) for event in events if isinstance(event, ItemFinished)]


async def stored(bench: Bench, run: Run) -> list[tuple[int, str]]:
    return [(row["ordinal"], row["status"]) for row in await bench.items(run)]


async def sometimes(bench: Bench, count: int, **options: Any) -> Run:
    config = {"delay_ms": 20, "fail_where": 7, "skip_where": 11}
    workflow = await bench.workflow(
        {"id": "some", "type": "test_sometimes", "config": config}, entity_type=await bench.movies(count)
    )
    return await bench.start(workflow, **options)


async def test_every_event_is_told_once_however_often_the_connection_is_lost(bench: Bench) -> None:
    run = await sometimes(bench, ITEMS)
    working = [
        asyncio.create_task(bench.new_worker(name, lease=timedelta(seconds=1)).run()) for name in ("dies", "lives")
    ]
    whole = asyncio.create_task(told(bench, run))
    pieces = asyncio.create_task(told_in_pieces(bench, run, random.Random(3)))
    await bench.until(run, lambda progress: progress.finished > ITEMS // 10)
    working[0].cancel()
    await runs.pause_run(bench.services, bench.viewer, run.id)
    await asyncio.sleep(0.2)
    await runs.resume_run(bench.services, bench.viewer, run.id)
    async with asyncio.timeout(60):
        (found, drops), unbroken = await pieces, await whole
    working[1].cancel()
    await asyncio.gather(*working, return_exceptions=True)
    assert drops >= DROPS
    assert [(event.place, event.at, type(event)) for event in found] == [
        (event.place, event.at, type(event)) for event in unbroken
    ]
    assert sorted(items(found)) == await stored(bench, run)
    assert len(items(found)) == ITEMS
    assert statuses(found) == ["PENDING", "RUNNING", "PAUSED", "RUNNING", "COMPLETED_WITH_FAILURES"]
    assert isinstance(found[-1], RunStatusChanged)
    revisions = [event.place.revision for event in found]
    assert revisions == sorted(revisions)
    (state,) = await bench.rows("SELECT revision FROM run_state WHERE run_id = :id", id=run.id)
    changes = await bench.rows("SELECT revision FROM run_change WHERE run_id = :id ORDER BY 1", id=run.id)
    assert [row["revision"] for row in changes] == list(range(1, state["revision"] + 1))


async def test_it_goes_on_behind_any_event_of_a_run_that_is_over(bench: Bench) -> None:
    run = await sometimes(bench, 150)
    await bench.finish(run)
    whole = await told(bench, run)
    assert len(whole) == 150 + 3
    for index, event in enumerate(whole):
        behind = await told(bench, run, str(event.place))
        assert [one.place for one in behind] == [one.place for one in whole[index + 1 :]]


async def test_a_run_of_one_item_and_a_run_over_nothing_are_told_to_their_end(bench: Bench) -> None:
    one, nothing = await sometimes(bench, 1), await sometimes(bench, 0)
    await bench.finish(one)
    events = await told(bench, one)
    assert (statuses(events), items(events)) == (["PENDING", "RUNNING", "COMPLETED"], [(0, "SKIPPED")])
    events = await told(bench, nothing)
    assert (statuses(events), items(events)) == (["COMPLETED"], [])
    assert await told(bench, nothing, str(events[0].place)) == []


async def test_a_run_that_is_cancelled_or_stopped_ends_with_that(bench: Bench) -> None:
    waiting = await sometimes(bench, 5)
    watching = asyncio.create_task(told(bench, waiting))
    await runs.pause_run(bench.services, bench.viewer, waiting.id)
    await runs.resume_run(bench.services, bench.viewer, waiting.id)
    await runs.cancel_run(bench.services, bench.viewer, waiting.id)
    async with asyncio.timeout(20):
        assert statuses(await watching) == ["PENDING", "PAUSED", "PENDING", "CANCELLED"]
    config = {"delay_ms": 5, "fail_where": 20}
    step = {"id": "some", "type": "test_sometimes", "config": config, "onFailure": "STOP_RUN"}
    stopped = await bench.start(await bench.workflow(step, entity_type=await bench.movies(60)))
    await bench.finish(stopped)
    events = await told(bench, stopped)
    assert statuses(events) == ["PENDING", "RUNNING", "FAILED"]
    assert sorted(items(events)) == await stored(bench, stopped)


async def test_where_events_are_not_kept_it_is_said_and_gone_on_behind_the_gap(bench: Bench) -> None:
    run = await sometimes(bench, 150)
    await bench.finish(run)
    whole = await told(bench, run)
    last = whole[-1].place.revision

    async def forget(revision: int) -> None:
        async with bench.services.database.transaction() as connection:
            await connection.exec_driver_sql(
                "DELETE FROM run_change WHERE run_id = $1 AND revision <= $2", (run.id, revision)
            )

    await forget(1)
    first, reset, *rest = await told(bench, run)
    assert isinstance(reset, SnapshotReset)
    assert (first.place, reset.place.revision, reset.progress.finished) == (whole[0].place, 1, 150)
    assert [event.place for event in rest] == [event.place for event in whole[2:]]
    assert [event.place for event in await told(bench, run, str(reset.place))] == [event.place for event in rest]
    await forget(last)
    first, reset = await told(bench, run)
    assert isinstance(reset, SnapshotReset)
    assert (reset.place.revision, await told(bench, run, str(reset.place))) == (last, [])
    again, *others = await told(bench, run, str(whole[5].place))
    assert (type(again), others) == (SnapshotReset, [])


async def test_cursors_that_are_none_of_the_run_are_refused(bench: Bench) -> None:
    run, other = await sometimes(bench, 1), await sometimes(bench, 1)
    bad = ["", "x", f"{run.id}", f"{run.id}:-1", f"{run.id}:01", f"{run.id}:0:", f"{run.id}:0:x", f"{run.id}:0:1:2"]
    for after in [*bad, f"{run.id}:{10**30}", f"{run.id}:٣", f"{run.id}:1"]:
        with pytest.raises(Invalid) as refused:
            await told(bench, run, after, 1)
        assert refused.value.path == ("after",)
    with pytest.raises(Invalid, match="another run"):
        await told(bench, run, f"{other.id}:0", 1)


async def test_nobody_watches_a_run_of_another_workspace_or_none(bench: Bench, stranger: Viewer) -> None:
    run = await sometimes(bench, 1)
    for viewer, run_id in ((stranger, run.id), (bench.viewer, new_id())):
        with pytest.raises(NotFound):
            await watch_events(bench.services, viewer, run_id, None)


async def test_no_more_is_read_than_the_watcher_takes_and_nothing_is_left_when_it_goes(bench: Bench) -> None:
    run = await sometimes(bench, 1_000)
    await bench.finish(run)
    with counted(bench.services.database) as statements:
        assert len(await told(bench, run, most=50)) == 50
    assert statements.count < 10
    waiting = await sometimes(bench, 5)
    async with aclosing(await watch_events(bench.services, bench.viewer, waiting.id, None)) as events:
        assert isinstance(await anext(events), RunStatusChanged)
        following = asyncio.create_task(anext(events))
        async with asyncio.timeout(10):
            while not bench.services.progress.watchers:
                await asyncio.sleep(0.01)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    assert bench.services.progress.watchers == 0


async def test_watching_ends_when_the_run_is_deleted(bench: Bench) -> None:
    run = await sometimes(bench, 5)
    watching = asyncio.create_task(told(bench, run))
    async with asyncio.timeout(20):
        while not bench.services.progress.watchers:
            await asyncio.sleep(0.01)
        async with bench.services.database.transaction() as connection:
            await connection.exec_driver_sql("DELETE FROM run WHERE id = $1", (run.id,))
        assert statuses(await watching) == ["PENDING"]
