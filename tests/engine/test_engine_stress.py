"""Leases that run out at random, pauses and resumes, while two workers carry one run: it stays exact."""

import asyncio
import itertools
import random
from collections import Counter
from datetime import timedelta

import pytest
from engine.conftest import Bench
from sqlalchemy import text

from weft.domain.errors import Conflict
from weft.domain.progress import Progress, RunStatus
from weft.domain.run import Run
from weft.operations import runs

pytestmark = pytest.mark.timeout(60)

STEPS = (
    {"id": "some", "type": "test_sometimes", "config": {"fail_where": 7, "delay_ms": 8}},
    {"id": "publish", "type": "publish", "config": {"fields": {"gross": "2.5"}}, "dependsOn": ["some"]},
    {"id": "count", "type": "test_counting"},
)


async def _disturb(bench: Bench, run: Run, chance: random.Random) -> None:
    """Until cancelled: half of the leases run out, or the run is paused for a moment."""
    while True:
        await asyncio.sleep(chance.uniform(0.01, 0.08))
        if chance.random() < 0.2:
            try:
                await runs.pause_run(bench.services, bench.viewer, run.id)
                await asyncio.sleep(chance.uniform(0, 0.05))
                await runs.resume_run(bench.services, bench.viewer, run.id)
            except Conflict:
                return
        async with bench.services.database.transaction() as connection:
            await connection.execute(
                text("UPDATE run_batch SET ready_at = now() WHERE holder IS NOT NULL AND number % 2 = :half"),
                {"half": chance.randrange(2)},
            )


def _check_progress(seen: list[Progress]) -> None:
    assert len({progress.revision for progress in seen}) == len(seen)
    for before, after in itertools.pairwise(seen):
        assert (after.completed, after.failed) >= (before.completed, before.failed)
        assert after.finished >= before.finished
    for progress in seen:
        assert progress.total == progress.pending + progress.finished
        assert progress.pending >= 0


@pytest.mark.parametrize("seed", [1, 2])
async def test_counters_equal_results_whatever_happens_to_the_leases(bench: Bench, seed: int) -> None:
    entity_type = await bench.movies(400)
    run = await bench.start(await bench.workflow(*STEPS, entity_type=entity_type))
    workers = [bench.new_worker(name, lease=timedelta(seconds=0.5)) for name in ("a", "b")]
    disturbing = asyncio.create_task(_disturb(bench, run, random.Random(seed)))
    working = [asyncio.create_task(worker.run()) for worker in workers]
    await asyncio.sleep(1.5)
    disturbing.cancel()
    await asyncio.gather(disturbing, return_exceptions=True)
    found = await bench.until(run, lambda _: True)
    if found.status is RunStatus.PAUSED:
        await runs.resume_run(bench.services, bench.viewer, run.id)
    progress = await bench.until(run, lambda progress: progress.status.is_terminal, within=15)
    for worker in workers:
        await worker.stop()
    await asyncio.gather(*working)

    items = await bench.items(run)
    assert [item["ordinal"] for item in items] == list(range(400))
    statuses = Counter(item["status"] for item in items)
    assert (progress.completed, progress.failed) == (statuses["COMPLETED"], statuses["FAILED"])
    assert progress.failed == 58
    assert progress.status is RunStatus.COMPLETED_WITH_FAILURES
    steps = Counter((step["id"], step["s"]) for item in items for step in item["steps"])
    for step in progress.steps:
        assert (step.completed, step.failed) == (steps[step.step_id, "C"], steps[step.step_id, "F"])
    versions = await bench.rows("SELECT version, count(*) AS n FROM entity GROUP BY version ORDER BY version")
    assert [(row["version"], row["n"]) for row in versions] == [(1, 58), (2, 342)]
    assert await bench.rows("SELECT 1 FROM run_checkpoint") == []
    _check_progress(sorted(bench.published.all, key=lambda progress: progress.revision))
