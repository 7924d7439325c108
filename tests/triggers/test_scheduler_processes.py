"""Many schedulers at once: clocks that differ, crashes, and the real duty in workers."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from triggers.scheduling import MINUTE, NINE, CrashingDatabase, Scheduling, SetClock, carried_out, started
from workers import counted, working

from weft.domain.access import Viewer
from weft.domain.ids import UUID
from weft.domain.schedule import CatchUp, Overlap, Schedule
from weft.domain.workflow import Workflow
from weft.kit.clock import utc_now
from weft.operations.services import Services
from weft.progress.channel import ProgressChannel

TEN_MINUTES = 600


async def test_three_workers_with_clocks_that_differ_fire_each_slot_once(scheduling: Scheduling) -> None:
    workflow = await scheduling.workflow()
    schedules = [await scheduling.schedule(workflow, "* * * * *") for _ in range(5)]
    workers = [scheduling.scheduler(ahead=timedelta(seconds=ahead)) for ahead in (-25, 0, 25)]
    for second in range(0, TEN_MINUTES, 20):
        scheduling.clock.now = NINE + timedelta(seconds=second)
        await asyncio.gather(*(carried_out(worker) for worker in workers))
    expected = [NINE + number * MINUTE for number in range(11)]
    for schedule in schedules:
        firings = await scheduling.firings(schedule)
        # The last one is fired early, by the worker that is ahead.
        assert started(firings) == [one["slot_at"] for one in firings] == expected[: len(firings)]
        assert len(firings) >= 10
        assert len(set(await scheduling.runs(schedule))) == len(firings)


async def test_a_clock_that_is_set_back_fires_nothing_twice(scheduling: Scheduling) -> None:
    schedule = await scheduling.schedule(await scheduling.workflow(), "* * * * *")
    for minutes in (5, 0, 2, 6):
        await scheduling.look(NINE + minutes * MINUTE)
    firings = await scheduling.firings(schedule)
    assert started(firings) == [NINE + 5 * MINUTE, NINE + 6 * MINUTE]
    assert [one["outcome"] for one in firings] == ["SKIPPED", "STARTED", "STARTED"]


async def test_a_slot_that_was_fired_is_not_fired_again_whatever_stands_in_the_schedule(scheduling: Scheduling) -> None:
    schedule = await scheduling.schedule(await scheduling.workflow(), "* * * * *")
    await scheduling.look(NINE)
    await scheduling.do("UPDATE schedule SET next_at = :at", at=NINE)
    await scheduling.look(NINE + timedelta(seconds=1))
    assert len(await scheduling.runs(schedule)) == 1
    assert (await scheduling.state(schedule))["next_at"] == NINE + MINUTE


async def test_a_look_while_nothing_is_due_costs_one_statement(scheduling: Scheduling) -> None:
    await scheduling.schedule(await scheduling.workflow())
    scheduler = scheduling.scheduler()
    with counted(scheduling.services.database) as statements:
        assert await scheduler.run_once() == 0
    assert statements.count == 1


async def test_a_worker_fires_many_schedules_at_their_time_and_once(services: Services, viewer: Viewer) -> None:
    scheduling = Scheduling(services, viewer, SetClock(utc_now()))
    workflow = await scheduling.workflow()
    schedules = [await scheduling.schedule(workflow, "0 0 1 1 *") for _ in range(40)]
    async with working(services):
        slot = utc_now() + timedelta(seconds=1)
        await scheduling.do("UPDATE schedule SET next_at = :slot", slot=slot)
        async with asyncio.timeout(60):
            while len(await scheduling.rows("SELECT run_id FROM run_state WHERE status = 'COMPLETED'")) < len(
                schedules
            ):
                await asyncio.sleep(0.05)
    for schedule in schedules:
        (firing,) = await scheduling.firings(schedule)
        assert (firing["outcome"], firing["slot_at"]) == ("STARTED", slot)
        assert firing["created_at"] >= slot
        assert await scheduling.runs(schedule) == [firing["run_id"]]


async def test_a_run_that_takes_long_to_be_stored_holds_up_no_other_schedule(
    services: Services, viewer: Viewer
) -> None:
    scheduling = Scheduling(services, viewer, SetClock(utc_now()))
    slow, quick = [await scheduling.schedule(await scheduling.workflow(), "0 0 1 1 *") for _ in range(2)]
    async with services.database.transaction() as holding:
        # Who stores a run makes sure that its version stays.
        held = text("SELECT FROM workflow_version WHERE workflow_id = :id FOR UPDATE")
        await holding.execute(held, {"id": slow.workflow_id})
        async with working(services):
            await scheduling.do("UPDATE schedule SET next_at = now() WHERE id = :id", id=slow.id)
            await asyncio.sleep(1.2)
            await scheduling.do("UPDATE schedule SET next_at = now() WHERE id = :id", id=quick.id)
            async with asyncio.timeout(60):
                while not await scheduling.firings(quick):
                    await asyncio.sleep(0.02)
            assert await scheduling.firings(slow) == []
            await holding.rollback()
    assert await scheduling.outcomes(slow) == await scheduling.outcomes(quick) == ["STARTED"]


async def test_runs_that_wait_begin_when_the_one_before_has_ended(services: Services, viewer: Viewer) -> None:
    scheduling = Scheduling(services, viewer, SetClock(utc_now()))
    schedule = await scheduling.schedule(
        await scheduling.workflow(), "*/10 * * * *", overlap=Overlap.QUEUE, catch_up=CatchUp.ALL
    )
    await scheduling.do("UPDATE schedule SET next_at = date_trunc('hour', now()) - interval '1 hour'")
    async with working(services):
        async with asyncio.timeout(60):
            while "QUEUED" in (outcomes := await scheduling.outcomes(schedule)) or len(outcomes) < 6:
                await asyncio.sleep(0.05)
        async with asyncio.timeout(60):
            while (runs := await _times(scheduling))[-1]["finished_at"] is None:
                await asyncio.sleep(0.05)
    assert set(outcomes) == {"STARTED"}
    assert all(one["created_at"] >= before["finished_at"] for before, one in pairwise(runs))


async def _times(scheduling: Scheduling) -> list[dict[str, Any]]:
    return await scheduling.rows(
        "SELECT r.created_at, s.finished_at FROM run r JOIN run_state s ON s.run_id = r.id ORDER BY r.id"
    )


@dataclass(frozen=True)
class Ground:
    """Schedulers in an event loop of their own: Hypothesis is synchronous."""

    runner: asyncio.Runner
    scheduling: Scheduling
    database: CrashingDatabase
    workflow: Workflow


@pytest.fixture
def ground(services: Services, viewer: Viewer, database_url: str, redis_url: str) -> Iterator[Ground]:
    with asyncio.Runner() as runner:
        database = CrashingDatabase.connect(database_url)
        assert isinstance(database, CrashingDatabase)
        mine = replace(services, database=database, channel=ProgressChannel(redis_url))
        scheduling = Scheduling(mine, viewer, SetClock())
        yield Ground(runner, scheduling, database, runner.run(scheduling.workflow()))
        runner.run(mine.channel.close())
        runner.run(database.close())


@dataclass(frozen=True)
class Look:
    after: int
    """Seconds."""
    workers: list[tuple[int, bool]]
    """Who look at once, by how many seconds their clocks are ahead; and whether it dies before its first commit."""
    runs_end: bool


LOOKS = st.lists(
    st.builds(
        Look,
        st.integers(0, 400),
        st.lists(st.tuples(st.sampled_from([-20, 0, 20]), st.booleans()), min_size=1, max_size=4),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(looks=LOOKS, overlap=st.sampled_from(Overlap), catch_up=st.sampled_from(CatchUp))
def test_each_slot_is_looked_at_exactly_once_whoever_looks_when_and_dies(
    ground: Ground, looks: list[Look], overlap: Overlap, catch_up: CatchUp
) -> None:
    ground.runner.run(_history(ground, looks, overlap, catch_up))


async def _history(ground: Ground, looks: list[Look], overlap: Overlap, catch_up: CatchUp) -> None:
    scheduling = ground.scheduling
    await scheduling.do("TRUNCATE schedule, firing, run, run_state, run_batch, run_change CASCADE")
    scheduling.clock.now = NINE - timedelta(seconds=30)
    schedule = await scheduling.schedule(ground.workflow, "* * * * *", overlap=overlap, catch_up=catch_up)
    for look in looks:
        scheduling.clock.now += timedelta(seconds=look.after)
        for ahead, dies in look.workers:
            ground.database.crashes |= dies
            scheduler = scheduling.scheduler(ahead=timedelta(seconds=ahead), database=ground.database)
            await carried_out(scheduler)
        ground.database.crashes = False
        await asyncio.gather(
            *(carried_out(scheduling.scheduler(ahead=timedelta(seconds=one))) for one, _ in look.workers)
        )
        if look.runs_end:
            await scheduling.end(*await _open_runs(scheduling))
    while await scheduling.look(scheduling.clock.now) or await _open_runs(scheduling):
        await scheduling.end(*await _open_runs(scheduling))
    await _check(scheduling, schedule)


async def _open_runs(scheduling: Scheduling) -> list[UUID]:
    rows = await scheduling.rows("SELECT run_id FROM run_state WHERE status = 'PENDING'")
    return [row["run_id"] for row in rows]


async def _check(scheduling: Scheduling, schedule: Schedule) -> None:
    """Every minute up to the next slot has its firing, or is one of those that a firing tells were missed."""
    firings = await scheduling.firings(schedule)
    covered: list[datetime] = []
    for firing in firings:
        missed = re.match(r"(?:(\d+) times were|The time \S+ was) missed", firing["reason"] or "")
        covered += [firing["slot_at"] + number * MINUTE for number in range(int(missed[1] or 1) if missed else 1)]
    state = await scheduling.state(schedule)
    assert covered == [NINE + number * MINUTE for number in range((state["next_at"] - NINE) // MINUTE)]
    assert (state["queue"], state["waits_for"]) == ([], None)
    assert {one["outcome"] for one in firings} <= {"STARTED", "SKIPPED"}
    runs = [one["run_id"] for one in firings if one["outcome"] == "STARTED"]
    assert sorted(runs) == await scheduling.runs(schedule)
