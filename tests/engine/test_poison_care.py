"""Whose holders vanished: what is counted, who is suspected, who is tried, and when it is enough."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from engine.conftest import Bench
from engine.step_types import Counting, Gate
from sqlalchemy import text

from weft.domain.progress import RunStatus
from weft.domain.run import Run
from weft.engine.care import MOST_CONDEMNED, MOST_LOST
from weft.storage import batches, results
from weft.storage.batches import ClaimedBatch, Suspect
from weft.storage.item_rows import ItemRow
from weft.storage.suspects import note_suspect

pytestmark = pytest.mark.timeout(30)

LEASE = timedelta(seconds=10)


@pytest.fixture(autouse=True)
def _fresh_counters() -> None:
    Gate.waiting.clear()
    Gate.opened = asyncio.Event()
    Counting.calls.clear()


async def _run(bench: Bench, kind: str = "test_counting", items: int = 10) -> Run:
    return await bench.start(await bench.workflow({"id": "it", "type": kind}, entity_type=await bench.movies(items)))


async def _change(bench: Bench, statement: str, **values: Any) -> None:
    async with bench.services.database.transaction() as connection:
        await connection.execute(text(statement), values)


async def _claim(bench: Bench, holder: str) -> ClaimedBatch | None:
    async with bench.services.database.transaction() as connection:
        return next(iter(await batches.claim(connection, holder, LEASE, [])), None)


async def _taken_over(bench: Bench, holder: str) -> ClaimedBatch:
    await _change(bench, "UPDATE run_batch SET ready_at = now()")
    batch = await _claim(bench, holder)
    assert batch is not None
    return batch


async def _noted(bench: Bench, batch: ClaimedBatch, suspect: Suspect) -> bool:
    async with bench.services.database.transaction() as connection:
        return await note_suspect(connection, batch.lease, suspect)


async def test_only_holders_that_vanished_are_counted(bench: Bench) -> None:
    await _run(bench, items=3)
    batch = await _taken_over(bench, "a")
    assert batch.holders_lost == 0
    assert (await _taken_over(bench, "a")).holders_lost == 0, "who asks is alive"
    batch = await _taken_over(bench, "b")
    assert batch.holders_lost == 1
    async with bench.services.database.transaction() as connection:
        await batches.give_back(connection, batch.lease, timedelta())
    assert (await _taken_over(bench, "c")).holders_lost == 1, "it was given back"
    assert (await _taken_over(bench, "d")).holders_lost == 2


async def test_a_suspect_is_what_was_under_way_when_its_holder_vanished(bench: Bench) -> None:
    await _run(bench, items=3)
    first = await _taken_over(bench, "a")
    assert await _noted(bench, first, Suspect(1, "it", 0))
    second = await _taken_over(bench, "b")
    assert second.suspect == Suspect(1, "it", 1)
    assert not await _noted(bench, first, Suspect(2, "it", 0)), "a lost lease accuses nobody"
    third = await _taken_over(bench, "c")
    assert third.suspect == Suspect(1, "it", 1), "the second never began it"
    assert await _noted(bench, third, Suspect(1, "it", 1))
    assert (await _taken_over(bench, "d")).suspect == Suspect(1, "it", 2)


async def test_an_innocent_suspect_is_tried_alone_and_completes_and_everything_goes_on(bench: Bench) -> None:
    beside = await _run(bench, "test_gate", items=3)
    worker = bench.new_worker()
    working = asyncio.create_task(worker.run())
    while len(Gate.waiting) < 3:
        await asyncio.sleep(0.01)
    run = await _run(bench, items=5)
    await _change(
        bench,
        "UPDATE run_batch SET holder = 'lost', token = 1, holders_lost = 2, suspect_ordinal = 3, suspect_step = 'it', "
        "suspect_token = 1 WHERE run_id = :run AND holder IS NULL",
        run=run.id,
    )
    worker.wake()
    # It waits until the steps beside it have answered.
    await asyncio.sleep(0.3)
    assert Counting.calls == {}
    Gate.opened.set()
    progress = await bench.until(run, lambda progress: progress.status.is_terminal)
    assert (progress.status, progress.completed) == (RunStatus.COMPLETED, 5)
    assert [int(key.split(":")[1]) for key in Counting.calls] == [3, 0, 1, 2, 4]
    assert set(Counting.calls.values()) == {1}
    assert (await bench.until(beside, lambda progress: progress.status.is_terminal)).completed == 3
    await worker.stop()
    await working


async def test_a_run_whose_items_end_worker_after_worker_is_ended_and_says_why(bench: Bench) -> None:
    run = await _run(bench, items=30)
    error = b'{"code": "WORKER_LOST", "message": "lost"}'
    rows = [ItemRow(ordinal, None, None, "FAILED", error, None, b"[]", 0, 0) for ordinal in range(MOST_CONDEMNED)]
    async with bench.services.database.transaction() as connection:
        await results.add_items(connection, run.id, rows)
        await connection.execute(text("UPDATE run_state SET failed = :n"), {"n": MOST_CONDEMNED})
        await connection.execute(
            text("UPDATE run_batch SET holders_lost = 4, suspect_ordinal = 12, suspect_step = 'it', suspect_losses = 2")
        )
    progress = await bench.finish(run, within=5)
    assert (progress.status, progress.failed, progress.cancelled) == (RunStatus.FAILED, 10, 20)
    (state,) = await bench.rows("SELECT error FROM run_state")
    assert "10 items of this run have ended the workers that carried them" in state["error"]


async def test_a_run_that_cannot_even_be_loaded_is_not_retaken_for_ever(bench: Bench) -> None:
    run = await _run(bench, items=3)
    await _change(bench, "UPDATE run_batch SET holders_lost = :n", n=MOST_LOST)
    assert (await bench.finish(run, within=5)).status is RunStatus.FAILED
    (state,) = await bench.rows("SELECT error FROM run_state")
    assert f"{MOST_LOST} workers in a row" in state["error"]
