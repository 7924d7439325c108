"""What watchers of a run are told, against what is stored: each event once, in order, wherever they come in."""

import asyncio
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from counting import counting
from engine.conftest import Bench
from engine.eventful import DEFINITION, Eventful, eventful, fact, told, told_in_pieces, truth, wants
from engine.model_steps import MODEL_TYPES
from engine.step_types import TEST_TYPES

from weft.domain.access import Viewer
from weft.domain.catalogue import Catalogue
from weft.domain.errors import Invalid, NotFound
from weft.domain.ids import new_id
from weft.domain.run import ItemStatus, LogLevel, Run, StepStatus
from weft.operations import runs
from weft.operations.run_events import pages
from weft.operations.run_events.asking import EVERYTHING, Asked, RunEventKind
from weft.operations.run_events.events import RunEvent, SnapshotReset
from weft.operations.run_events.watching import watch_events
from weft.steps import discover

pytestmark = pytest.mark.timeout(120)

STATUS, ITEMS, STEPS, LOGS = RunEventKind
DROPS = 1_000
CHOICES = [
    EVERYTHING,
    Asked(),
    Asked(frozenset({STATUS})),
    Asked(frozenset({LOGS}), log_level=LogLevel.WARNING),
    Asked(frozenset({LOGS, STATUS}), step_id="check"),
    Asked(frozenset({ITEMS}), item_statuses=frozenset({ItemStatus.FAILED, ItemStatus.SKIPPED})),
    Asked(frozenset({ITEMS, STEPS}), item_statuses=frozenset({ItemStatus.COMPLETED}), step_id="odd"),
    Asked(frozenset({STEPS, LOGS}), step_statuses=frozenset({StepStatus.FAILED, StepStatus.SKIPPED}), step_id="some"),
]


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue([*discover(), *TEST_TYPES, *MODEL_TYPES, Eventful])


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that there are many ends of pages, and little is read for a watcher who leaves soon."""
    monkeypatch.setattr(pages, "PAGE", 7)
    monkeypatch.setattr(pages, "CHANGES", 3)
    monkeypatch.setattr(pages, "CHANGES_OF_FEW", 3)
    monkeypatch.setattr(pages, "LOOKED_THROUGH", 20)


def joined(pieces: list[tuple[Asked, list[RunEvent]]]) -> list[RunEvent]:
    return [event for _, piece in pieces for event in piece]


@pytest.mark.usefixtures("small_pages")
async def test_every_event_is_told_once_however_often_the_connection_is_lost(bench: Bench) -> None:
    run = await eventful(bench, 600, concurrency=20)
    working = [
        asyncio.create_task(bench.new_worker(name, lease=timedelta(seconds=1)).run()) for name in ("dies", "lives")
    ]
    unbroken = asyncio.create_task(told(bench, run))
    broken = [
        asyncio.create_task(told_in_pieces(bench, run, random.Random(seed), 12, CHOICES[: 1 + 7 * (seed % 2)]))
        for seed in range(6)
    ]
    await bench.until(run, lambda progress: progress.finished > 50)
    working[0].cancel()
    await runs.pause_run(bench.services, bench.viewer, run.id)
    await bench.until(run, lambda progress: progress.status == "PAUSED")
    await runs.resume_run(bench.services, bench.viewer, run.id)
    async with asyncio.timeout(90):
        whole, every = await unbroken, await asyncio.gather(*broken)
    working[1].cancel()
    await asyncio.gather(*working, return_exceptions=True)
    assert [fact(event) for event in whole] == await truth(bench, run)
    places = [event.place for event in whole]
    assert places == sorted(set(places))
    assert sum(len(pieces) - 1 for pieces in every) >= DROPS
    for pieces in every[::2]:
        assert [(event.place, fact(event), event.at) for event in joined(pieces)] == [
            (event.place, fact(event), event.at) for event in whole
        ]
    for pieces in every[1::2]:
        at = 0
        for asked, piece in pieces:
            for event in piece:
                at = next(n for n in range(at, len(whole)) if wants(asked, whole[n]))
                assert (event.place, fact(event)) == (places[at], fact(whole[at]))
                at += 1
        assert not any(wants(pieces[-1][0], event) for event in whole[at:])
    assert (bench.services.tails.followed, bench.services.tails.kept) == (0, 0)


@pytest.mark.usefixtures("small_pages")
async def test_it_goes_on_behind_any_event_whatever_was_asked_for_before(bench: Bench) -> None:
    run = await eventful(bench, 25)
    await bench.finish(run)
    whole = await told(bench, run)
    assert [fact(event) for event in whole] == await truth(bench, run)
    kinds = {fact(event)[0] for event in whole}
    assert kinds == {"status", "item", "step", "line"}
    for index, event in enumerate(whole):
        asked = CHOICES[index % len(CHOICES)]
        behind = await told(bench, run, str(event.place), asked=asked)
        assert [one.place for one in behind] == [one.place for one in whole[index + 1 :] if wants(asked, one)]


async def test_a_run_of_one_item_and_a_run_over_nothing_are_told_to_their_end(bench: Bench) -> None:
    one, nothing = await eventful(bench, 1), await eventful(bench, 0)
    await bench.finish(one)
    assert [fact(event) for event in await told(bench, one, asked=Asked())] == [
        ("status", "PENDING"),
        ("status", "RUNNING"),
        ("item", 0, "FAILED"),
        ("status", "FAILED"),
    ]
    events = await told(bench, nothing)
    assert [fact(event) for event in events] == [("status", "COMPLETED")]
    assert await told(bench, nothing, str(events[0].place)) == []


async def test_a_run_that_is_cancelled_or_stopped_ends_with_that(bench: Bench) -> None:
    waiting = await eventful(bench, 5)
    watching = asyncio.create_task(told(bench, waiting))
    await runs.pause_run(bench.services, bench.viewer, waiting.id)
    await runs.resume_run(bench.services, bench.viewer, waiting.id)
    await runs.cancel_run(bench.services, bench.viewer, waiting.id)
    async with asyncio.timeout(20):
        statuses = [fact(event)[1] for event in await watching]
    assert statuses == ["PENDING", "PAUSED", "PENDING", "CANCELLED"]
    going = await eventful(bench, 300, concurrency=5)
    watching = asyncio.create_task(told(bench, going))
    worker = bench.new_worker()
    working = asyncio.create_task(worker.run())
    await bench.until(going, lambda progress: progress.finished > 20)
    await runs.cancel_run(bench.services, bench.viewer, going.id)
    async with asyncio.timeout(20):
        events = await watching
        await worker.stop()
        await working
    assert [fact(event) for event in events] == await truth(bench, going)
    assert fact(events[-1]) == ("status", "CANCELLED")
    step = {**DEFINITION[0], "onFailure": "STOP_RUN"}
    stopped = await bench.start(await bench.workflow(step, *DEFINITION[1:], entity_type=await bench.movies(60)))
    await bench.finish(stopped)
    events = await told(bench, stopped)
    assert [fact(event) for event in events] == await truth(bench, stopped)
    assert fact(events[-1]) == ("status", "FAILED")


async def forget(bench: Bench, statement: str, run: Run, **values: Any) -> None:
    async with bench.services.database.transaction() as connection:
        await connection.exec_driver_sql(statement, (run.id, *values.values()))


async def test_where_events_are_not_kept_it_is_said_and_gone_on_behind_the_gap(bench: Bench) -> None:
    run = await eventful(bench, 150)
    await bench.finish(run)
    whole = await told(bench, run)
    last, delete = whole[-1].place.revision, "DELETE FROM run_change WHERE run_id = $1 AND revision <= $2"
    await forget(bench, delete, run, revision=2)
    first, reset, *rest = await told(bench, run)
    assert isinstance(reset, SnapshotReset)
    assert (first.place, reset.place.revision, reset.progress.finished) == (whole[0].place, 2, 150)
    assert [event.place for event in rest] == [event.place for event in whole if event.place > reset.place]
    assert [event.place for event in await told(bench, run, str(reset.place))] == [event.place for event in rest]
    await forget(bench, delete, run, revision=last)
    first, reset = await told(bench, run, asked=Asked(frozenset({STATUS})))
    assert isinstance(reset, SnapshotReset)
    assert (reset.place.revision, await told(bench, run, str(reset.place))) == (last, [])
    again, *others = await told(bench, run, str(whole[5].place))
    assert (type(again), others) == (SnapshotReset, [])


@pytest.mark.usefixtures("small_pages")
async def test_where_the_log_is_deleted_sooner_than_its_run_that_is_said_once(bench: Bench) -> None:
    run = await eventful(bench, 90)
    await bench.finish(run)
    whole = await told(bench, run)
    lines = [event for event in whole if fact(event)[0] == "line"]
    for gone, ids in ((len(lines) // 2, [fact(line)[1] for line in lines[: len(lines) // 2]]), (len(lines), None)):
        if ids is None:
            await forget(bench, "DELETE FROM run_log WHERE run_id = $1", run)
        else:
            await forget(bench, "DELETE FROM run_log WHERE run_id = $1 AND id = ANY ($2)", run, ids=ids)
        events = await told(bench, run)
        resets = [event for event in events if isinstance(event, SnapshotReset)]
        assert [reset.place for reset in resets] == [lines[gone - 1].place]
        assert [event.place for event in events] == [event.place for event in whole if event not in lines[: gone - 1]]
        assert not any(isinstance(event, SnapshotReset) for event in await told(bench, run, asked=Asked()))
        assert not any(isinstance(event, SnapshotReset) for event in await told(bench, run, str(resets[0].place)))


async def test_what_is_said_of_a_run_after_its_end_is_told_to_nobody(bench: Bench) -> None:
    run = await eventful(bench, 12)
    await bench.finish(run)
    whole = await told(bench, run)
    add = """INSERT INTO run_log (id, run_id, level, message, fields, at, revision, number)
      VALUES ($2, $1, 'INFO', 'late', '{}', now(), $3, 10000), (gen_random_uuid(), $1, 'INFO', 'old', '{}', now(), 0, 0)"""
    await forget(bench, add, run, id=new_id(), revision=whole[-1].place.revision)
    assert [event.place for event in await told(bench, run)] == [event.place for event in whole]


async def test_cursors_that_are_none_of_the_run_are_refused(bench: Bench) -> None:
    run, other = await eventful(bench, 1), await eventful(bench, 1)
    for numbers in ["", ":-1", ":01", ":0:", ":0:x", ":0:1:", ":0:1:2:3", ":0:log", ":0:log:-1", ":0:log:1:1", ":٣"]:
        with pytest.raises(Invalid) as refused:
            await told(bench, run, f"{run.id}{numbers}", 1)
        assert refused.value.path == ("after",)
    for after in ["", "x", f"{run.id}:{10**30}", f"{run.id}:0:{2**31}", f"{run.id}:0:0:{2**31 - 1}", f"{run.id}:1"]:
        with pytest.raises(Invalid):
            await told(bench, run, after, 1)
    with pytest.raises(Invalid, match="another run"):
        await told(bench, run, f"{other.id}:0", 1)


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        (Asked(frozenset()), ("include",)),
        (Asked(item_statuses=frozenset({ItemStatus.FAILED, ItemStatus.CANCELLED})), ("filter", "itemStatus")),
        (Asked(step_statuses=frozenset({StepStatus.RUNNING})), ("filter", "stepStatus")),
        (Asked(step_id="chekc"), ("filter", "stepId")),
    ],
    ids=["nothing", "items", "steps", "step"],
)
async def test_what_is_never_told_cannot_be_asked_for(bench: Bench, asked: Asked, path: tuple[str, ...]) -> None:
    run = await eventful(bench, 1)
    with pytest.raises(Invalid) as refused:
        await watch_events(bench.services, bench.viewer, run.id, None, asked)
    assert refused.value.path == path
    assert refused.value.hint


async def test_nobody_watches_a_run_of_another_workspace_or_none(bench: Bench, stranger: Viewer) -> None:
    run = await eventful(bench, 1)
    for viewer, run_id in ((stranger, run.id), (bench.viewer, new_id())):
        with pytest.raises(NotFound):
            await watch_events(bench.services, viewer, run_id, None)


async def test_watching_ends_with_the_reason_when_the_run_is_deleted(bench: Bench) -> None:
    run = await eventful(bench, 5)
    watching = [asyncio.create_task(told(bench, run)) for _ in range(3)]
    async with asyncio.timeout(20):
        while bench.services.progress.watchers < len(watching):
            await asyncio.sleep(0.01)
        await forget(bench, "DELETE FROM run WHERE id = $1", run)
        ends = await asyncio.gather(*watching, return_exceptions=True)
    assert [type(end) for end in ends] == [NotFound] * len(watching)
    assert "deleted" in str(ends[0])


async def test_who_hears_of_more_than_postgres_has_waits_for_it(bench: Bench) -> None:
    """Published before Postgres lost its last commits: by a standby that took over, or by a backup."""
    run = await eventful(bench, 5)
    watching = asyncio.create_task(told(bench, run, asked=Asked()))
    async with asyncio.timeout(20):
        while not bench.services.progress.watchers:
            await asyncio.sleep(0.01)
    await bench.services.channel.publish(replace(run.progress, revision=run.progress.revision + 1))
    await asyncio.sleep(0.2)
    statements: list[str] = []
    with counting(statements):
        await asyncio.sleep(0.3)
    assert len(statements) < 20
    await bench.finish(run)
    async with asyncio.timeout(20):
        events = await watching
    assert [fact(event) for event in events] == [one for one in await truth(bench, run) if one[0] in {"status", "item"}]
