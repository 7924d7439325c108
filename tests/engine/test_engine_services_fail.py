"""Postgres and Valkey fail under a run: it ends all the same, and exactly."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from engine.conftest import Bench
from sqlalchemy import text

from weft.storage.database import Database

TERMINATE = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name <> 'saboteur'"
)


@pytest.fixture
async def saboteur(database_url: str) -> AsyncIterator[Database]:
    """A connection of its own, which it leaves alone."""
    database = Database.connect(f"{database_url}", pool_size=1)
    yield database
    await database.close()


async def _terminate(saboteur: Database) -> None:
    async with saboteur.reading() as connection:
        await connection.execute(TERMINATE)


async def test_a_run_whose_connections_are_cut_again_and_again_ends_exactly(bench: Bench, saboteur: Database) -> None:
    workflow = await bench.workflow(
        {"id": "shape", "type": "transform", "config": {"fields": {"label": "input.title"}, "keep": False}},
        {"id": "publish", "type": "publish", "config": {"fields": {"gross": "1.5"}}},
        entity_type=await bench.movies(6_000),
    )
    run = await bench.start(workflow)
    from datetime import timedelta

    workers = [bench.new_worker(name, lease=timedelta(seconds=1)) for name in "ab"]
    working = [asyncio.create_task(worker.run()) for worker in workers]
    for _ in range(12):
        await asyncio.sleep(0.08)
        await _terminate(saboteur)
    async with asyncio.timeout(15):
        while True:
            (row,) = await bench.rows("SELECT * FROM run_state WHERE run_id = :id", id=run.id)
            if row["status"] != "RUNNING":
                break
            await asyncio.sleep(0.05)
    print([t for t in working], row)
    for worker in workers:
        await worker.stop()
    await asyncio.gather(*working)
    assert row["status"] == "COMPLETED"
    assert len(await bench.items(run)) == 6000
