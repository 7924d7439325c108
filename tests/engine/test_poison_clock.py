"""The clock is set: a lease or a wait never lies further ahead than its own length, and nobody loses a turn."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest
from engine.conftest import Bench
from sqlalchemy import text

from weft.domain.run import Run
from weft.storage import batches, results
from weft.storage.batches import ClaimedBatch, RunIsFullError
from weft.storage.results import Hold

pytestmark = pytest.mark.timeout(30)

LEASE, HOUR = timedelta(seconds=10), timedelta(hours=1)


async def _run(bench: Bench, items: int = 3, **options: Any) -> Run:
    step = {"id": "it", "type": "test_counting"}
    return await bench.start(await bench.workflow(step, entity_type=await bench.movies(items)), **options)


async def _claim(bench: Bench, lease: timedelta = LEASE) -> ClaimedBatch | None:
    async with bench.services.database.transaction() as connection:
        return next(iter(await batches.claim(connection, "somebody", lease, [])), None)


async def _set_back(bench: Bench, by: timedelta) -> None:
    """What Postgres finds after its clock was set back: every time lies that much further ahead."""
    async with bench.services.database.transaction() as connection:
        await connection.execute(text("UPDATE run_batch SET ready_at = ready_at + :by ::interval"), {"by": by})
        await connection.execute(text("UPDATE run_state SET served_at = served_at + :by ::interval"), {"by": by})


async def test_a_lease_that_lies_further_ahead_than_its_length_has_run_out(bench: Bench) -> None:
    # Of a run that may hold no second one.
    await _run(bench, concurrency=3)
    await _set_back(bench, timedelta(minutes=2))
    assert await _claim(bench, lease=HOUR), "what nobody has claimed waits for nothing"
    assert await _claim(bench) is None, "another worker may have longer leases"
    await _set_back(bench, timedelta(minutes=2))
    batch = await _claim(bench)
    assert batch is not None
    assert await _claim(bench) is None
    async with bench.services.database.transaction() as connection:
        assert await batches.renew(connection, [batch.lease], LEASE)
    assert await _claim(bench) is None


async def test_a_wait_for_a_retry_is_over_after_its_own_length_at_the_latest(bench: Bench) -> None:
    await _run(bench)
    batch = await _claim(bench)
    assert batch is not None
    async with bench.services.database.transaction() as connection:
        await results.keep_leases(connection, batch.lease.run_id, [Hold(batch.lease, False, True, HOUR)])
    assert await _claim(bench) is None
    await _set_back(bench, timedelta(days=1))
    assert await _claim(bench)


async def test_a_step_that_waits_for_its_next_attempt_waits_no_longer_than_its_back_off(bench: Bench) -> None:
    step = {
        "id": "it",
        "type": "test_sometimes",
        "config": {"fail_first": 1},
        "retry": {"maxAttempts": 2, "initialDelay": "PT2.2S", "jitter": 0},
    }
    run = await bench.start(await bench.workflow(step, entity_type=await bench.movies(1)))
    worker = bench.new_worker()
    working = asyncio.create_task(worker.run())
    async with asyncio.timeout(5):
        while not await bench.rows("SELECT 1 FROM run_batch WHERE touched AND holder IS NULL"):
            await asyncio.sleep(0.01)
    async with bench.services.database.transaction() as connection:
        await connection.execute(
            text("UPDATE run_checkpoint SET steps = jsonb_set(steps::jsonb, '{0,n}', to_jsonb(:n ::bigint))::json"),
            {"n": time.time_ns() // 1000 + HOUR // timedelta(microseconds=1)},
        )
    await _set_back(bench, HOUR)
    assert (await bench.until(run, lambda progress: progress.status.is_terminal, within=6)).completed == 1
    await worker.stop()
    await working


async def test_a_run_ends_no_earlier_than_it_began(bench: Bench) -> None:
    run = await _run(bench)
    assert await _claim(bench)
    async with bench.services.database.transaction() as connection:
        await connection.execute(text("UPDATE run_state SET started_at = now() + interval '1 hour'"))
        await connection.execute(text("UPDATE run_batch SET ready_at = now()"))
    progress = await bench.finish(run)
    assert progress.started_at == progress.finished_at


async def test_a_run_that_was_served_in_the_future_gets_its_turn(bench: Bench) -> None:
    first = await _run(bench, items=20)
    assert await _claim(bench)
    await _set_back(bench, HOUR)
    second = await _run(bench, items=40)
    worker = bench.new_worker()
    (batch,) = await worker._claim([])
    assert batch.lease.run_id == second.id
    worker._held.hold(batch.lease)
    await worker.keep_leases_once()
    for _ in range(2):
        (batch,) = await worker._claim([])
    assert batch.lease.run_id == first.id


async def test_who_loses_the_race_for_the_last_batch_of_a_run_is_told_which_run(bench: Bench) -> None:
    run = await _run(bench, items=10, concurrency=5)
    database = bench.services.database
    async with database.transaction() as winner:
        assert await batches.claim(winner, "winner", LEASE, [])
        losing = asyncio.create_task(_claim(bench))
        await asyncio.sleep(0.1)
    with pytest.raises(RunIsFullError) as lost:
        await losing
    assert lost.value.run_id == run.id


async def test_a_batch_that_could_not_be_loaded_is_given_back_at_once(bench: Bench) -> None:
    run = await _run(bench)
    worker = bench.new_worker(lease=timedelta(seconds=30))
    async with bench.services.database.transaction() as connection:
        await connection.execute(text("ALTER TABLE entity RENAME TO elsewhere"))
    working = asyncio.create_task(worker.run())
    await bench.until(run, lambda progress: progress.started_at is not None)
    await asyncio.sleep(0.2)
    async with bench.services.database.transaction() as connection:
        await connection.execute(text("ALTER TABLE elsewhere RENAME TO entity"))
    progress = await bench.until(run, lambda progress: progress.status.is_terminal, within=5)
    assert progress.completed == 3
    await worker.stop()
    await working
