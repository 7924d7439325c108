"""Steps that serve many: an item comes to the same on the straight way and on the general, each call is made once, and nobody is
left waiting.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from engine.conftest import Bench
from engine.step_types import TEST_TYPES, NoConfig
from engine.test_straight_way import ANSWERS, Counted, told

from weft.domain.catalogue import Catalogue
from weft.domain.definition import RetryPolicy
from weft.domain.progress import RunStatus
from weft.domain.run import Run
from weft.domain.step import Call, StepCategory, StepType
from weft.engine.leases import HeldLeases
from weft.operations import runs
from weft.steps import discover

pytestmark = pytest.mark.timeout(30)


class EverythingServed(StepType[NoConfig]):
    """Comes to something else with every call."""

    kind = "test_everything_served"
    title = "Everything, served"
    description = "Ends in every manner."
    category = StepCategory.PROCESSING
    Config = NoConfig
    default_retry = RetryPolicy(max_attempts=2, initial_delay=timedelta(milliseconds=1))

    async def run_many(self, calls: Sequence[Call]) -> Sequence[Any]:
        return [ANSWERS[call.input["place"] % len(ANSWERS)](call.ctx.attempt) for call in calls]


class Hall(StepType[NoConfig]):
    """Serves when the test opens it. Counts its calls, and how many came together."""

    kind = "test_hall"
    title = "Hall"
    description = "Waits for a signal."
    category = StepCategory.PROCESSING
    Config = NoConfig
    opened: ClassVar[asyncio.Event] = asyncio.Event()
    calls: ClassVar[Counter[str]] = Counter()
    sizes: ClassVar[list[int]] = []

    async def run_many(self, calls: Sequence[Call]) -> Sequence[Any]:
        self.sizes.append(len(calls))
        self.calls.update(call.ctx.idempotency_key for call in calls)
        await self.opened.wait()
        return [call.input for call in calls]


class Stubborn(StepType[NoConfig]):
    """Never answers, and does not let itself be cancelled until the test is over."""

    kind = "test_stubborn"
    title = "Stubborn"
    description = "Does not end."
    category = StepCategory.PROCESSING
    Config = NoConfig
    over: ClassVar[asyncio.Event] = asyncio.Event()

    async def run_many(self, calls: Sequence[Call]) -> Sequence[Any]:
        while not self.over.is_set():
            try:
                await self.over.wait()
            except asyncio.CancelledError:
                continue
        return [None] * len(calls)


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue([*discover(), *TEST_TYPES, Counted, EverythingServed, Hall, Stubborn])


@pytest.fixture(autouse=True)
def _fresh() -> None:
    Counted.calls.clear()
    Hall.calls.clear()
    Hall.sizes.clear()
    Hall.opened = asyncio.Event()
    Stubborn.over = asyncio.Event()


async def _everything(bench: Bench, **general: Any) -> Run:
    Counted.calls.clear()
    workflow = await bench.workflow(
        {"id": "count", "type": "test_counted", **general},
        {"id": "end", "type": "test_everything_served"},
        entity_type=await bench.movies(len(ANSWERS)),
    )
    run = await bench.start(workflow)
    await bench.finish(run)
    assert set(Counted.calls.values()) == {1}
    return run


async def _in_the_hall(bench: Bench, items: int, *before: dict[str, Any]) -> Run:
    steps = (*before, {"id": "hall", "type": "test_hall"})
    return await bench.start(await bench.workflow(*steps, entity_type=await bench.movies(items)))


async def _until_served(items: int) -> None:
    async with asyncio.timeout(10):
        while Hall.calls.total() < items:
            await asyncio.sleep(0.01)


async def test_both_ways_come_to_the_same_and_count_the_same(bench: Bench) -> None:
    straight, general = await _everything(bench), await _everything(bench, when="true")
    items, others = await bench.items(straight), await bench.items(general)
    assert [told(item) for item in items] == [told(item) for item in others]
    assert Counter(item["status"] for item in items) == {"COMPLETED": 5, "FAILED": 5, "SKIPPED": 1}
    columns = "completed, failed, skipped, step_completed, step_failed, step_skipped, step_retried"
    counters = f"SELECT {columns} FROM run_state WHERE run_id = :run"
    assert await bench.rows(counters, run=straight.id) == await bench.rows(counters, run=general.id)


@pytest.mark.parametrize("general", [{}, {"when": "true"}], ids=["straight", "general"])
async def test_a_batch_is_served_as_one(bench: Bench, general: dict[str, Any]) -> None:
    Hall.opened.set()
    echo = {"id": "echo", "type": "echo", **general}
    run = await _in_the_hall(bench, 2_400, echo)
    progress = await bench.finish(run)
    assert progress.completed == 2_400
    assert set(Hall.calls.values()) == {1}
    # A window closes early where a batch is begun slowly, as on a busy machine: it is not cut into crumbs.
    assert max(Hall.sizes) <= 1_000
    assert len(Hall.sizes) <= 40


async def test_steps_behind_and_beside_one_that_serves_many_go_on(bench: Bench) -> None:
    Hall.opened.set()
    workflow = await bench.workflow(
        {"id": "first", "type": "test_hall"},
        {"id": "beside", "type": "test_sometimes", "dependsOn": []},
        {"id": "second", "type": "test_hall", "dependsOn": ["first"]},
        {"id": "last", "type": "echo", "dependsOn": ["second", "beside"]},
        entity_type=await bench.movies(30),
    )
    run = await bench.start(workflow)
    progress = await bench.finish(run)
    assert (progress.completed, [step.completed for step in progress.steps]) == (30, [30] * 4)
    assert (len(Hall.calls), set(Hall.calls.values())) == (60, {1})


async def test_an_item_that_failed_beside_is_not_waited_for(bench: Bench) -> None:
    workflow = await bench.workflow(
        {"id": "hall", "type": "test_hall"},
        {"id": "fails", "type": "test_sometimes", "dependsOn": [], "config": {"fail_where": 1}},
        entity_type=await bench.movies(3),
    )
    run = await bench.start(workflow)
    progress = await bench.finish(run)
    assert (progress.failed, [step.completed for step in progress.steps]) == (3, [0, 0])


@pytest.mark.parametrize("general", [{}, {"when": "true"}], ids=["straight", "general"])
async def test_who_waits_for_a_step_that_never_ends_is_answered_in_time(bench: Bench, general: dict[str, Any]) -> None:
    step = {"id": "stuck", "type": "test_stubborn", "timeout": "PT0.2S", **general}
    run = await bench.start(await bench.workflow(step, entity_type=await bench.movies(20)))
    progress = await bench.finish(run, within=10)
    Stubborn.over.set()
    assert progress.failed == 20
    assert {item["error"]["code"] for item in await bench.items(run)} == {"TIMEOUT"}


@pytest.mark.parametrize("general", [{}, {"when": "true"}], ids=["straight", "general"])
async def test_a_cancelled_run_drops_the_answers(bench: Bench, general: dict[str, Any]) -> None:
    run = await _in_the_hall(bench, 20, {"id": "echo", "type": "echo", **general})
    worker = bench.new_worker()
    working = asyncio.create_task(worker.run())
    await _until_served(20)
    await runs.cancel_run(bench.services, bench.viewer, run.id)
    assert await worker.keep_leases_once() == 1
    Hall.opened.set()
    await worker.stop()
    await working
    progress = await bench.until(run, lambda progress: progress.status is RunStatus.CANCELLED)
    assert (progress.completed, progress.failed, await bench.items(run)) == (0, 0, [])


async def test_a_worker_that_stops_keeps_what_is_being_served(bench: Bench) -> None:
    run = await _in_the_hall(bench, 20)
    worker = bench.new_worker()
    working = asyncio.create_task(worker.run())
    await _until_served(20)
    stopping = asyncio.create_task(worker.stop())
    await asyncio.sleep(0.05)
    assert not working.done()
    Hall.opened.set()
    await stopping
    await working
    progress = await bench.finish(run)
    assert (progress.completed, set(Hall.calls.values())) == (20, {1})


async def test_nothing_is_handed_in_by_a_worker_that_stood_still(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    Hall.opened.set()
    stood_still = [True]
    monkeypatch.setattr(HeldLeases, "may_be_lost", property(lambda _: stood_still[0]))
    run = await _in_the_hall(bench, 20)
    working = asyncio.create_task((worker := bench.new_worker()).run())
    await asyncio.sleep(0.5)
    assert not Hall.calls
    stood_still[0] = False
    progress = await bench.until(run, lambda progress: progress.status.is_terminal)
    await worker.stop()
    await working
    assert (progress.completed, set(Hall.calls.values())) == (20, {1})
