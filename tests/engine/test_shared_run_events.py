"""What many watchers of one run cost together, what a slow one holds, and what becomes of them while Postgres is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace

import pytest
from door import Door, door
from engine.conftest import Bench
from engine.eventful import Eventful, eventful, fact, told, truth
from engine.model_steps import MODEL_TYPES
from engine.step_types import TEST_TYPES
from sqlalchemy.exc import DBAPIError
from workers import Statements, counted

from weft.domain.catalogue import Catalogue
from weft.domain.run import Run
from weft.kit.tails import Tails
from weft.operations.progress import reader_of
from weft.operations.run_events import watching
from weft.operations.run_events.events import RunEvent
from weft.operations.run_events.watching import watch_events
from weft.progress.feed import ProgressFeed
from weft.steps import discover
from weft.storage.database import Database
from weft.storage.outage import outage

pytestmark = pytest.mark.timeout(120)

CROWD = 100


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue([*discover(), *TEST_TYPES, *MODEL_TYPES, Eventful])


def pages_read(statements: Statements) -> int:
    return sum("FROM run_change WHERE" in statement for statement in statements.all)


async def crowd(bench: Bench, run: Run, size: int) -> list[list[RunEvent]]:
    async with asyncio.timeout(60):
        return await asyncio.gather(*(told(bench, run) for _ in range(size)))


async def test_a_crowd_reads_the_past_of_a_run_as_often_as_one(bench: Bench) -> None:
    run = await eventful(bench, 300)
    await bench.finish(run)
    with counted(bench.services.database) as alone:
        whole = await told(bench, run)
    with counted(bench.services.database) as together:
        every = await crowd(bench, run, CROWD)
    assert all([event.place for event in events] == [event.place for event in whole] for events in every)
    assert pages_read(together) <= 2 * pages_read(alone)
    assert (bench.services.tails.followed, bench.services.tails.kept) == (0, 0)


async def test_a_crowd_at_the_live_end_reads_each_change_once(bench: Bench) -> None:
    run = await eventful(bench, 300)
    with counted(bench.services.database) as statements:
        watching = asyncio.create_task(crowd(bench, run, CROWD))
        async with asyncio.timeout(60):
            while bench.services.progress.watchers < CROWD:
                await asyncio.sleep(0.01)
            await bench.finish(run, within=60)
            every = await watching
    facts = await truth(bench, run)
    assert all([fact(event) for event in events] == facts for events in every)
    revisions = every[0][-1].place.revision
    assert pages_read(statements) <= 2 * (revisions + len(facts) // 100) + 10


async def test_no_more_is_read_than_the_watcher_takes_and_nothing_is_left_when_it_goes(bench: Bench) -> None:
    run = await eventful(bench, 1_000)
    await bench.finish(run, within=60)
    with counted(bench.services.database) as statements:
        assert len(await told(bench, run, most=50)) == 50
    assert statements.count < 10
    waiting = await eventful(bench, 5)
    async with aclosing(await watch_events(bench.services, bench.viewer, waiting.id, None)) as events:
        await anext(events)
        following = asyncio.create_task(anext(events, None))
        async with asyncio.timeout(10):
            while not bench.services.progress.watchers:
                await asyncio.sleep(0.01)
        assert bench.services.tails.followed == 1
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    assert (bench.services.progress.watchers, bench.services.tails.followed) == (0, 0)


async def test_a_watcher_that_does_not_read_holds_nobody_up_and_keeps_little(bench: Bench) -> None:
    most = 500_000
    bench = replace(bench, services=replace(bench.services, tails=Tails(most)))
    run = await eventful(bench, 1_000)
    await bench.finish(run, within=60)
    async with AsyncExitStack() as stack:
        slow = [
            await stack.enter_async_context(aclosing(await watch_events(bench.services, bench.viewer, run.id, None)))
            for _ in range(3)
        ]
        read = [[await anext(events)] for events in slow]
        weights: list[int] = []
        async with aclosing(await watch_events(bench.services, bench.viewer, run.id, None)) as fast:
            whole: list[RunEvent] = []
            async for event in fast:
                whole.append(event)
                weights.append(bench.services.tails.kept)
        assert 0 < max(weights) <= most
        for events, found in zip(slow, read, strict=True):
            found += [event async for event in events]
            assert [event.place for event in found] == [event.place for event in whole]
    assert bench.services.tails.kept == 0


# Postgres away


@pytest.fixture
async def postgres(database_url: str) -> AsyncIterator[Door]:
    async with door(database_url) as opened:
        yield opened


@pytest.fixture
async def behind_the_door(bench: Bench, postgres: Door, redis_url: str) -> AsyncIterator[Bench]:
    """Watchers whose process reaches Postgres through the door; the worker's has a connection of its own."""
    database = Database.connect(postgres.url)
    async with ProgressFeed(redis_url, reader_of(database)) as progress:
        yield replace(bench, services=replace(bench.services, database=database, progress=progress))
    await database.close()


async def test_a_watcher_outlasts_a_short_outage_and_goes_on_without_a_gap(
    bench: Bench, behind_the_door: Bench, postgres: Door
) -> None:
    run = await eventful(bench, 60)
    watching = [asyncio.create_task(told(behind_the_door, run)) for _ in range(3)]
    async with asyncio.timeout(60):
        while behind_the_door.services.progress.watchers < len(watching):
            await asyncio.sleep(0.01)
        await postgres.shut()
        progress = await bench.finish(run)
        await behind_the_door.services.channel.publish(progress)
        await asyncio.sleep(0.5)
        assert not any(task.done() for task in watching)
        await postgres.open()
        facts = await truth(bench, run)
        for events in await asyncio.gather(*watching):
            assert [fact(event) for event in events] == facts


async def test_in_a_long_outage_watchers_are_told_of_it_and_come_back_with_their_cursors(
    bench: Bench, behind_the_door: Bench, postgres: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "PATIENCE_SECONDS", 0.3)
    run = await eventful(bench, 60)

    async def watch(events: list[RunEvent]) -> Exception:
        try:
            async with aclosing(await watch_events(behind_the_door.services, bench.viewer, run.id, None)) as source:
                while (event := await anext(source, None)) is not None:
                    events.append(event)
        except (DBAPIError, OSError) as error:
            return error
        raise AssertionError("nothing was told of the outage")

    found: list[list[RunEvent]] = [[], [], []]
    watchers = [asyncio.create_task(watch(events)) for events in found]
    async with asyncio.timeout(60):
        while not all(found):
            await asyncio.sleep(0.01)
        await postgres.shut()
        await behind_the_door.services.channel.publish(await bench.finish(run))
        ends = await asyncio.gather(*watchers)
        await postgres.open()
        whole = await told(bench, run, asked=None)
        for events, error in zip(found, ends, strict=True):
            assert "try again soon" in (outage(error) or "")
            behind = await told(behind_the_door, run, str(events[-1].place), asked=None)
            assert [event.place for event in (*events, *behind)] == [event.place for event in whole]
