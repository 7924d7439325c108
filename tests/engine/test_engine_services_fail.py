"""Postgres and Valkey fail under a run: it ends all the same, and exactly."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from engine.conftest import Bench
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import text

from weft.domain.progress import RunStatus
from weft.engine.wakeups import QUEUE, QUEUE_LOOK_SECONDS, ArqWakeups, WakeupListener
from weft.storage.database import Database

pytestmark = pytest.mark.timeout(60)

CUT = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture
async def saboteur(database_url: str) -> AsyncIterator[Database]:
    """Has a connection of its own, the only one that it leaves alone."""
    database = Database.connect(database_url, pool_size=1)
    yield database
    await database.close()


async def test_a_run_whose_connections_are_cut_again_and_again_ends_exactly(bench: Bench, saboteur: Database) -> None:
    workflow = await bench.workflow(
        {"id": "shape", "type": "transform", "config": {"fields": {"label": "input.title"}, "keep": False}},
        {"id": "publish", "type": "publish", "config": {"fields": {"gross": "1.5"}}},
        entity_type=await bench.movies(6_000),
    )
    run = await bench.start(workflow)
    workers = [bench.new_worker(name, lease=timedelta(seconds=1)) for name in ("a", "b")]
    working = [asyncio.create_task(worker.run()) for worker in workers]
    for _ in range(12):
        await asyncio.sleep(0.06)
        async with saboteur.reading() as connection:
            await connection.execute(CUT)
    await _ended(saboteur, run.id)
    for worker in workers:
        await worker.stop()
    await asyncio.gather(*working)
    (entities,) = await _rows(saboteur, "SELECT min(version) AS least, max(version) AS most FROM entity")
    (counted,) = await _rows(saboteur, "SELECT count(*) AS n, count(DISTINCT ordinal) AS items FROM run_item")
    (state,) = await _rows(saboteur, "SELECT * FROM run_state")
    assert (state["status"], state["completed"]) == (RunStatus.COMPLETED, 6_000)
    assert (counted["n"], counted["items"]) == (6_000, 6_000)
    assert (entities["least"], entities["most"]) == (2, 2)


async def _ended(database: Database, run_id: object) -> None:
    async with asyncio.timeout(20):
        while not await _rows(
            database, "SELECT 1 FROM run_state WHERE run_id = :id AND finished_at IS NOT NULL", id=run_id
        ):
            await asyncio.sleep(0.05)


async def _rows(database: Database, query: str, **values: object) -> list[dict[str, object]]:
    async with database.reading() as connection:
        return [dict(row) for row in (await connection.execute(text(query), values)).mappings()]


async def _start_again(redis_url: str) -> None:
    """Empty Valkey and end it; its supervisor starts it again."""
    client = Redis.from_url(redis_url)
    await client.flushall()
    before = (await client.info("server"))["run_id"]
    with contextlib.suppress(RedisConnectionError):
        await client.shutdown(nosave=True)
    async with asyncio.timeout(20):
        while True:
            try:
                if (await client.info("server"))["run_id"] != before:
                    break
            except (RedisConnectionError, OSError):
                pass
            await asyncio.sleep(0.05)
    await client.aclose()


async def test_every_worker_that_listens_hears_a_wake_up_at_once(redis_url: str) -> None:
    woken = [asyncio.Event() for _ in range(3)]
    listening = [asyncio.create_task(WakeupListener(redis_url, one.set).run()) for one in woken]
    # Each wakes once when it begins to hear, and once when it begins to look for jobs.
    async with asyncio.timeout(5):
        for one in woken:
            await one.wait()
    await asyncio.sleep(2 * QUEUE_LOOK_SECONDS)
    for one in woken:
        one.clear()
    wakeups = ArqWakeups(redis_url)
    await wakeups.wake()
    async with asyncio.timeout(QUEUE_LOOK_SECONDS / 2):
        for one in woken:
            await one.wait()
    await wakeups.close()
    for task in listening:
        task.cancel()
    await asyncio.gather(*listening, return_exceptions=True)


async def test_a_wake_up_that_nobody_heard_is_found_by_a_worker_that_comes_later(redis_url: str) -> None:
    wakeups, pool = ArqWakeups(redis_url), Redis.from_url(redis_url)
    for _ in range(5):
        await wakeups.wake()
    assert await pool.zcard(QUEUE) == 1
    listening = asyncio.create_task(WakeupListener(redis_url, lambda: None).run())
    async with asyncio.timeout(5):
        while await pool.zcard(QUEUE):
            await asyncio.sleep(0.02)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await wakeups.close()
    await pool.aclose()


async def test_wake_ups_work_again_after_valkey_was_emptied_and_started_again(redis_url: str) -> None:
    woken = asyncio.Event()
    listening = asyncio.create_task(WakeupListener(redis_url, woken.set).run())
    wakeups = ArqWakeups(redis_url)
    await wakeups.wake()
    await asyncio.wait_for(woken.wait(), 5)
    await _start_again(redis_url)
    async with asyncio.timeout(10):
        # The listener wakes once by itself when it begins again; what counts is that wake-ups arrive after that.
        for _ in range(3):
            woken.clear()
            while not woken.is_set():
                await wakeups.wake()
                await asyncio.sleep(0.05)
    assert not listening.done()
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await wakeups.close()


async def test_a_worker_works_on_while_valkey_is_emptied_and_started_again(bench: Bench, redis_url: str) -> None:
    workflow = await bench.workflow(
        {"id": "some", "type": "test_sometimes", "config": {"delay_ms": 20}}, entity_type=await bench.movies(600)
    )
    worker = bench.new_worker()
    listening = asyncio.create_task(WakeupListener(redis_url, worker.wake).run())
    run = await bench.start(workflow, concurrency=20)
    working = asyncio.create_task(worker.run())
    await bench.until(run, lambda progress: progress.finished > 50)
    await _start_again(redis_url)
    progress = await bench.until(run, lambda progress: progress.status.is_terminal)
    assert (progress.status, progress.completed) == (RunStatus.COMPLETED, 600)
    await worker.stop()
    await working
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
