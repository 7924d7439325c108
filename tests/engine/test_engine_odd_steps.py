"""Steps that break their contract cost their item, never the batch, the run or the worker."""

import asyncio
from datetime import timedelta

import pytest
from engine.conftest import Bench
from engine.odd_steps import ODD_TYPES, CancelsItself, Slow
from engine.step_types import TEST_TYPES, Gate

from weft.domain.catalogue import Catalogue
from weft.domain.progress import RunStatus
from weft.operations import runs
from weft.steps import discover

pytestmark = pytest.mark.timeout(30)


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue([*discover(), *TEST_TYPES, *ODD_TYPES])


@pytest.fixture(autouse=True)
def _fresh_counters() -> None:
    Gate.waiting.clear()
    Gate.opened = asyncio.Event()
    CancelsItself.calls.clear()
    Slow.calls.clear()


@pytest.mark.parametrize("kind", ["test_cancels_itself", "test_cancels_the_crowd"])
async def test_a_step_that_is_cancelled_from_within_fails_its_item(bench: Bench, kind: str) -> None:
    workflow = await bench.workflow(
        {"id": "odd", "type": kind, "retry": {"maxAttempts": 2, "initialDelay": "PT0.01S"}},
        entity_type=await bench.movies(3),
    )
    run = await bench.start(workflow)
    progress = await bench.finish(run, within=5)
    assert progress.failed == 3
    assert {item["error"]["code"] for item in await bench.items(run)} == {"CANCELLED"}
    assert set(CancelsItself.calls.values()) <= {2}


async def test_a_fault_of_our_own_costs_its_item_and_nothing_else(bench: Bench) -> None:
    workflow = await bench.workflow({"id": "odd", "type": "test_no_effect"}, entity_type=await bench.movies(10))
    run = await bench.start(workflow)
    progress = await bench.finish(run, within=5)
    assert (progress.completed, progress.failed) == (6, 4)
    assert (await bench.items(run))[3]["error"]["code"] == "INTERNAL_ERROR"


async def test_a_failure_that_ends_an_item_fails_it_though_another_branch_had_completed(bench: Bench) -> None:
    workflow = await bench.workflow(
        {"id": "early", "type": "echo"},
        {"id": "late", "type": "test_fails_late", "dependsOn": []},
        entity_type=await bench.movies(2),
    )
    run = await bench.start(workflow)
    progress = await bench.finish(run, within=5)
    assert (progress.status, progress.failed) == (RunStatus.FAILED, 2)
    (item, _) = await bench.items(run)
    assert item["error"] == {"step": "late", "code": "LATE", "message": "too late"}


async def test_an_item_that_a_step_declined_is_skipped_though_it_was_given_back_in_between(bench: Bench) -> None:
    workflow = await bench.workflow(
        {"id": "declined", "type": "test_declines", "dependsOn": []},
        {"id": "gate", "type": "test_gate", "dependsOn": []},
        {
            "id": "which",
            "type": "condition",
            "config": {"branches": {"a": "false", "b": "true"}},
            "dependsOn": ["gate"],
        },
        {"id": "never", "type": "echo", "dependsOn": ["which:a"]},
        entity_type=await bench.movies(2),
    )
    run = await bench.start(workflow)
    worker = bench.new_worker()
    task = asyncio.create_task(worker.run())
    while len(Gate.waiting) < 2:
        await asyncio.sleep(0.01)
    await runs.pause_run(bench.services, bench.viewer, run.id)
    await worker.keep_leases_once()
    Gate.opened.set()
    await worker.stop()
    await task
    await runs.resume_run(bench.services, bench.viewer, run.id)
    progress = await bench.finish(run, within=5)
    assert progress.skipped == 2


async def test_a_worker_that_stops_keeps_its_leases_until_its_steps_have_answered(bench: Bench) -> None:
    workflow = await bench.workflow({"id": "slow", "type": "test_slow"}, entity_type=await bench.movies(3))
    run = await bench.start(workflow)
    first, second = (bench.new_worker(name, lease=timedelta(seconds=0.6)) for name in ("first", "second"))
    task = asyncio.create_task(first.run())
    while len(Slow.calls) < 3:
        await asyncio.sleep(0.01)
    other = asyncio.create_task(second.run())
    await first.stop()
    await task
    progress = await bench.until(run, lambda progress: progress.status.is_terminal, within=5)
    await second.stop()
    await other
    assert progress.completed == 3
    assert set(Slow.calls.values()) == {1}


async def test_a_third_run_is_served_beside_two_that_could_take_everything(bench: Bench) -> None:
    large = [
        await bench.start(
            await bench.workflow({"id": "gate", "type": "test_gate"}, entity_type=await bench.movies(900))
        )
        for _ in range(2)
    ]
    worker = bench.new_worker()
    task = asyncio.create_task(worker.run())
    before = -1
    while len(Gate.waiting) > before:
        before = len(Gate.waiting)
        await asyncio.sleep(0.3)
    assert before > 400
    small = await bench.start(await bench.workflow({"id": "say", "type": "echo"}, entity_type=await bench.movies(3)))
    worker.wake()
    await bench.until(small, lambda progress: progress.status.is_terminal, within=5)
    for run in large:
        await runs.cancel_run(bench.services, bench.viewer, run.id)
    Gate.opened.set()
    await worker.stop()
    await task


async def test_a_worker_goes_on_after_an_error_that_nobody_thought_of(bench: Bench) -> None:
    worker = bench.new_worker()
    published = worker.publisher

    class Unlucky:
        def publish(self, progress: object) -> None:
            worker.publisher = published
            raise RuntimeError(f"no luck with {progress}")

    worker.publisher = Unlucky()
    run = await bench.start(await bench.workflow({"id": "say", "type": "echo"}, entity_type=await bench.movies(3)))
    assert (await bench.finish(run, worker, within=8)).completed == 3
