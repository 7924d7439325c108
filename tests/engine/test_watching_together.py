"""Many watch runs: what they cost together, and what becomes of those who are slow, late, or in the middle of an outage."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from datetime import timedelta

import pytest
from counting import counting
from door import Door, door
from engine.conftest import Bench
from engine.run_watchers import ENDED, PROGRESS, STARTED, small, watchers, watching
from redis.asyncio import Redis
from sqlalchemy import text

from weft.domain.errors import LimitExceeded
from weft.domain.ids import UUID
from weft.domain.progress import RunStatus
from weft.domain.run import Run, TriggerType
from weft.domain.workflow import Workflow
from weft.engine.starting import start_small_runs
from weft.engine.wakeups import BELL
from weft.operations import looks, run_source, run_watching, runs
from weft.operations.run_watching import RunChange, takes, watch_runs
from weft.operations.services import Services
from weft.storage import new_runs
from weft.storage.database import Database
from weft.storage.new_runs import RunScope
from weft.storage.run_lists import RunFilter

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def workflow(bench: Bench) -> Workflow:
    return await bench.workflow({"type": "test_counting"})


@pytest.fixture
def hinted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks but where something hints at it."""
    monkeypatch.setattr(run_watching, "WATCH_SECONDS", 3_600.0)
    monkeypatch.setattr(looks, "SOONEST_SECONDS", 0.01)


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_watching, "WATCH_SECONDS", 0.02)


@pytest.fixture
async def postgres(database_url: str) -> AsyncIterator[Door]:
    async with door(database_url) as opened:
        yield opened


@pytest.fixture
async def behind(bench: Bench, postgres: Door) -> AsyncIterator[Services]:
    """The services, with Postgres behind a door."""
    database = Database.connect(postgres.url)
    yield replace(bench.services, database=database)
    await database.close()


async def start(bench: Bench, workflow: Workflow, count: int) -> list[UUID]:
    new = [await small(workflow, bench) for _ in range(count)]
    async with bench.services.database.transaction() as connection:
        await start_small_runs(connection, new, bench.services.clock())
    return [run.id for run in new]


async def ring(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as redis:
        assert await redis.publish(BELL, b"")


async def touch(bench: Bench, run: Run, times: int) -> None:
    """The run changes, so many times."""
    for _ in range(times):
        await runs.pause_run(bench.services, bench.viewer, run.id)
        await runs.resume_run(bench.services, bench.viewer, run.id)


@pytest.mark.usefixtures("hinted")
async def test_starts_and_ends_are_told_when_redis_hints_at_them(
    bench: Bench, workflow: Workflow, redis_url: str
) -> None:
    async with watching(bench, workflow) as watcher:
        (run_id,) = await start(bench, workflow, 1)
        await ring(redis_url)
        await watcher.until({run_id}, STARTED)
        await runs.cancel_run(bench.services, bench.viewer, run_id)  # which publishes its end
        await watcher.until({run_id}, ENDED)
    assert watcher.kinds(run_id) == [STARTED, ENDED]


@pytest.mark.usefixtures("hinted")
async def test_fifty_watchers_cost_as_many_statements_as_one(bench: Bench, workflow: Workflow, redis_url: str) -> None:
    costs: list[int] = []
    for count in (1, 50):
        async with AsyncExitStack() as all_of_them:
            crowd = [await all_of_them.enter_async_context(watching(bench, workflow)) for _ in range(count)]
            started = await start(bench, workflow, 5)
            statements: list[str] = []
            with counting(statements):
                await ring(redis_url)
                for watcher in crowd:
                    await watcher.until(set(started), STARTED)
            costs.append(len(statements))
            for run_id in started:
                await runs.cancel_run(bench.services, bench.viewer, run_id)
    assert costs == [2, 2], "one to look, one to read"


@pytest.mark.usefixtures("often")
async def test_a_slow_watcher_is_told_the_newest_of_each_run_once(bench: Bench, workflow: Workflow) -> None:
    run = await bench.start(workflow, input=None)
    changes = await watch_runs(bench.services, bench.viewer, RunFilter(workflow_id=workflow.id))
    async with aclosing(changes), watching(bench, workflow) as quick, asyncio.timeout(60):
        assert (await anext(changes)).kind is PROGRESS
        before = len(quick.told)
        for number in range(3):
            await touch(bench, run, 1)
            async with asyncio.timeout(30):
                while len(quick.told) <= before + number:
                    await asyncio.sleep(0.01)
        (other,) = await start(bench, workflow, 1)
        await runs.cancel_run(bench.services, bench.viewer, other)
        await quick.until({other}, ENDED)
        newest = await runs.get_run(bench.services, bench.viewer, run.id)
        assert newest is not None
        assert await anext(changes) == RunChange(PROGRESS, newest)
        assert [(change.kind, change.run.id) for change in [await anext(changes), await anext(changes)]] == [
            (STARTED, other),
            (ENDED, other),
        ]


@pytest.mark.usefixtures("often")
async def test_a_watcher_behind_whom_more_runs_change_than_are_kept_reads_them_again(
    bench: Bench, workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_source, "KEPT", 4)
    monkeypatch.setattr(run_source, "AT_ONCE", 3)
    waiting = await start(bench, workflow, 11)
    changes = await watch_runs(bench.services, bench.viewer, RunFilter(workflow_id=workflow.id))
    async with aclosing(changes), watching(bench, workflow) as quick, asyncio.timeout(60):
        await quick.until(set(waiting), PROGRESS)
        told = [await anext(changes)]
        for run_id in waiting:
            await runs.cancel_run(bench.services, bench.viewer, run_id)
        more = await start(bench, workflow, 7)
        await quick.until(set(waiting), ENDED)
        await quick.until(set(more), STARTED)
        told += [await anext(changes) for _ in range(len(waiting) + len(more))]
    assert (told[0].kind, told[0].run.id) == (PROGRESS, waiting[0])
    assert {change.run.id for change in told if change.kind is ENDED} == set(waiting)
    assert {change.run.id for change in told if change.kind is STARTED} == set(more)


@pytest.mark.usefixtures("often")
async def test_a_watcher_that_takes_nothing_ends_with_a_reason(
    bench: Bench, workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    (waiting,) = await start(bench, workflow, 1)
    changes = await watch_runs(bench.services, bench.viewer, RunFilter(workflow_id=workflow.id))
    async with watching(bench, workflow) as quick, aclosing(changes), asyncio.timeout(60):
        monkeypatch.setattr(run_watching, "MOST_UNTOLD", 3)
        assert (await anext(changes)).run.id == waiting
        started = await start(bench, workflow, 6)
        await quick.until(set(started), STARTED)
        with pytest.raises(LimitExceeded, match="More has happened than was taken"):
            await anext(changes)


@pytest.mark.usefixtures("often")
async def test_a_filter_lets_through_what_is_like_it_then(bench: Bench, workflow: Workflow) -> None:
    later = bench.services.clock() + timedelta(hours=1)
    async with (
        watching(bench, workflow, statuses=(RunStatus.CANCELLED,)) as cancelled,
        watching(bench, workflow, trigger_type=TriggerType.MANUAL) as manual,
        watching(bench, workflow, created_before=later) as soon,
        watching(bench, workflow, created_after=later) as much_later,
        watching(bench, workflow) as all_of_them,
    ):
        (of_event,) = await start(bench, workflow, 1)
        by_hand = await bench.start(workflow, input=None)
        await all_of_them.until({of_event, by_hand.id}, STARTED)
        for run_id in (of_event, by_hand.id):
            await runs.cancel_run(bench.services, bench.viewer, run_id)
        await all_of_them.until({of_event, by_hand.id}, ENDED)
        for watcher, runs_told in ((cancelled, {of_event, by_hand.id}), (manual, {by_hand.id}), (soon, {of_event})):
            await watcher.until(runs_told, ENDED)
    assert cancelled.kinds(of_event) == cancelled.kinds(by_hand.id) == [ENDED]
    assert {run_id for run_id, _, _ in manual.told} == {by_hand.id}
    assert soon.kinds(of_event) == soon.kinds(by_hand.id) == [STARTED, ENDED]
    assert much_later.told == []


async def test_a_filter_has_an_answer_for_every_run(bench: Bench, workflow: Workflow) -> None:
    run = await bench.start(workflow, input=None)
    at, moment = run.created_at, timedelta(microseconds=1)
    for wanted, taken in (
        (RunFilter(), True),
        (RunFilter(statuses=(RunStatus.PENDING, RunStatus.RUNNING)), True),
        (RunFilter(statuses=()), False),
        (RunFilter(trigger_type=TriggerType.MANUAL), True),
        (RunFilter(trigger_type=TriggerType.WEBHOOK), False),
        (RunFilter(created_after=at - moment, created_before=at + moment), True),
        (RunFilter(created_after=at), False),
        (RunFilter(created_before=at), False),
    ):
        assert takes(wanted, run) is taken


async def test_an_outage_of_the_database_delays_what_is_told_and_loses_nothing(
    bench: Bench, workflow: Workflow, postgres: Door, behind: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_watching, "WATCH_SECONDS", 0.05)
    async with watching(bench, workflow, services=behind) as watcher, watching(bench, services=behind) as other:
        (before, over) = await start(bench, workflow, 2)
        await watcher.until({before, over}, STARTED)
        await postgres.shut()
        during = await start(bench, workflow, 3)
        for run_id in (over, during[0]):
            await runs.cancel_run(bench.services, bench.viewer, run_id)
        await asyncio.sleep(0.5)
        assert {run_id for run_id, _, _ in watcher.told} == {before, over}
        await postgres.open()
        (after,) = await start(bench, workflow, 1)
        for one in (watcher, other):
            await one.until({*during, after}, STARTED)
            await one.until({over, during[0]}, ENDED)
    for one in (watcher, other):
        assert one.kinds(over) == one.kinds(during[0]) == [STARTED, ENDED]
        assert [one.kinds(run_id) for run_id in (before, *during[1:], after)] == [[STARTED]] * 4


@pytest.mark.usefixtures("often")
async def test_a_run_that_is_deleted_is_not_heard_of_any_more(bench: Bench, workflow: Workflow) -> None:
    gone, stays = await start(bench, workflow, 2)
    async with watching(bench, workflow) as watcher:
        await watcher.until({gone, stays}, PROGRESS)
        await bench.rows("DELETE FROM run WHERE id = :id RETURNING id", id=gone)
        await runs.cancel_run(bench.services, bench.viewer, stays)
        await watcher.until({stays}, ENDED)
    assert watcher.kinds(gone) == []


@pytest.mark.usefixtures("often")
async def test_watchers_that_come_and_go_leave_nothing_behind(bench: Bench, workflow: Workflow) -> None:
    await start(bench, workflow, 3)
    before = asyncio.all_tasks()

    async def stay(seconds: float) -> None:
        changes = await watch_runs(bench.services, bench.viewer, RunFilter(workflow_id=workflow.id))
        async with aclosing(changes):
            try:
                async with asyncio.timeout(seconds):
                    async for _ in changes:
                        pass
            except TimeoutError:
                return

    for _ in range(5):
        await asyncio.gather(*(stay(number / 2_000) for number in range(60)))
    never_begun = await watch_runs(bench.services, bench.viewer, RunFilter())
    await never_begun.aclose()
    async with asyncio.timeout(30):
        while asyncio.all_tasks() - before:
            await asyncio.sleep(0.01)
    assert len(bench.services.sources) == 0
    assert watchers(bench.services, RunScope(bench.viewer.workspace_id, workflow.id)) == 0


async def test_an_error_that_is_no_outage_ends_all_watchers_with_it(
    bench: Bench, workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_watching, "WATCH_SECONDS", 0.05)
    changes = [await watch_runs(bench.services, bench.viewer, RunFilter()) for _ in range(2)]
    await start(bench, workflow, 1)
    async with asyncio.timeout(60):
        for one in changes:
            await anext(one)
        monkeypatch.setattr(new_runs, "LOOK", text("SELECT nonsense"))
        for one in changes:
            with pytest.raises(Exception, match="nonsense"):
                await anext(one)
    assert len(bench.services.sources) == 0


async def test_hints_that_lead_to_nothing_count_less_and_less() -> None:
    count = 0

    async def look() -> bool:
        nonlocal count
        count += 1
        return False

    looking = looks.Looks(look, lambda _: None, 3_600.0)
    looking.begin()
    try:
        loop = asyncio.get_running_loop()
        end = loop.time() + 4 * looks.SOONEST_SECONDS
        while loop.time() < end:
            looking.soon()
            await asyncio.sleep(0.001)
        assert 1 <= count <= 3, "at once, and after one pause, and after one of twice its length"
        looking.now()
        before = count
        async with asyncio.timeout(30):
            while count == before:
                await asyncio.sleep(0.01)
    finally:
        looking.end()
