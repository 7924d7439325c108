"""The statistics of workflows are exact, whatever their runs go through: they equal what a recount of the runs gives."""

import asyncio
import contextlib
import functools
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from engine.conftest import Bench
from engine.poisons import POISON_TYPES
from engine.step_types import TEST_TYPES, Counting, NoConfig
from engine.worker_processes import worker_processes
from sqlalchemy import text

from weft.domain.catalogue import Catalogue
from weft.domain.errors import Conflict
from weft.domain.ids import new_id
from weft.domain.run import Run, TriggerType
from weft.domain.sharing import WorkflowStats
from weft.domain.trigger import Cause
from weft.domain.workflow import Workflow
from weft.engine.plans import PlanCache
from weft.engine.starting import SmallRun, plan_of, start_small_runs
from weft.operations import runs
from weft.operations.run_retries import RetryRun, retry_run
from weft.operations.workflow_lists import load_stats
from weft.operations.workflows import load_workflows
from weft.steps import discover

pytestmark = pytest.mark.timeout(120)

ENTITIES = 12
RECOUNT = """
    SELECT count(*) AS runs_total, count(*) FILTER (WHERE s.status = 'COMPLETED') AS runs_successful,
      count(*) FILTER (WHERE s.status IN ('FAILED', 'COMPLETED_WITH_FAILURES')) AS runs_failed,
      count(*) FILTER (WHERE s.status = 'CANCELLED') AS runs_cancelled,
      coalesce(sum((extract(epoch FROM s.finished_at - s.started_at) * 1000000)::bigint)
        FILTER (WHERE s.status IN ('COMPLETED', 'FAILED', 'COMPLETED_WITH_FAILURES')), 0)::bigint AS duration_us,
      max(r.created_at) AS last_run_at
    FROM run r JOIN run_state s ON s.run_id = r.id WHERE r.workflow_id = :id
"""


class Gone(Counting):
    """A step type that the API knows and the workers do not."""

    kind = "test_gone"
    Config = NoConfig


async def check(bench: Bench, workflows: Sequence[Workflow]) -> list[WorkflowStats]:
    stats = await load_stats(bench.services, bench.viewer, [workflow.id for workflow in workflows])
    loaded = await load_workflows(bench.services, bench.viewer, [workflow.id for workflow in workflows])
    for one, workflow in zip(stats, loaded, strict=True):
        assert workflow is not None
        (recount,) = await bench.rows(RECOUNT, id=workflow.id)
        found = {name: getattr(one, name) for name in recount if name != "last_run_at"}
        assert found | {"last_run_at": workflow.last_run_at} == dict(recount)
    return stats


async def various_workflows(bench: Bench) -> list[Workflow]:
    """One for each way in which a run can end."""
    movies = await bench.movies(ENTITIES)
    nothing = await bench.movies(0)

    def sometimes(**config: Any) -> dict[str, Any]:
        return {"id": "some", "type": "test_sometimes", "config": {"delay_ms": 3, **config}}

    return [
        await bench.workflow({"type": "test_counting"}, entity_type=movies),
        await bench.workflow(sometimes(fail_where=5), entity_type=movies),
        await bench.workflow(sometimes(fail_where=1), entity_type=movies),
        await bench.workflow({**sometimes(fail_where=7), "onFailure": "STOP_RUN"}, entity_type=movies),
        await bench.workflow(sometimes(delay_ms=40), entity_type=movies),
        await bench.workflow({"type": "test_counting"}, entity_type=nothing),
        await bench.workflow({"type": "test_raises"}),
    ]


async def start_one(bench: Bench, workflow: Workflow) -> Run:
    return await bench.start(workflow, **({} if workflow.entity_type_id else {"input": {}}))


async def start_many(bench: Bench, workflow: Workflow, count: int) -> None:
    """As events do."""
    cause = Cause(TriggerType.EVENT, "tests")
    async with bench.services.database.transaction() as connection:
        plan = await plan_of(connection, bench.services.plans, workflow)
        new = [SmallRun(new_id(), workflow, plan, cause, None, {}, {}) for _ in range(count)]
        await start_small_runs(connection, new, bench.services.clock())


@dataclass
class Callers:
    """Do anything to any run, several of them at once."""

    bench: Bench
    workflows: Sequence[Workflow]
    chance: random.Random
    begun: list[Run] = field(default_factory=list[Run])

    async def act(self) -> None:
        changes = (runs.cancel_run, runs.pause_run, runs.resume_run)
        actions = [self.start, self.start, self.start, self.retry, self.start_many]
        actions += [functools.partial(self.change, change) for change in changes]
        for _ in range(12):
            # What has ended by now cannot be changed, and what is under way not be retried.
            with contextlib.suppress(Conflict):
                await self.chance.choice(actions)()
            await asyncio.sleep(self.chance.uniform(0, 0.02))

    async def start(self) -> None:
        self.begun.append(await start_one(self.bench, self.chance.choice(self.workflows)))

    async def start_many(self) -> None:
        await start_many(self.bench, self.workflows[-1], self.chance.randrange(1, 5))

    async def change(self, change: Callable[..., Awaitable[Run]]) -> None:
        if self.begun:
            await change(self.bench.services, self.bench.viewer, self.chance.choice(self.begun).id)

    async def retry(self) -> None:
        if self.begun:
            wanted = RetryRun(self.chance.choice(self.begun).id, from_failed_step=self.chance.random() < 0.5)
            self.begun.append(await retry_run(self.bench.services, self.bench.viewer, wanted))

    async def retry_all(self) -> int:
        """All that failed; how many they were."""
        retried = 0
        for run in self.begun:
            with contextlib.suppress(Conflict):
                await retry_run(self.bench.services, self.bench.viewer, RetryRun(run.id))
                retried += 1
        return retried

    async def resume_all(self) -> None:
        for run in self.begun:
            with contextlib.suppress(Conflict):
                await runs.resume_run(self.bench.services, self.bench.viewer, run.id)


@pytest.mark.parametrize("seed", [1, 2])
async def test_statistics_equal_a_recount_whatever_the_runs_go_through(bench: Bench, seed: int) -> None:
    workflows = await various_workflows(bench)
    gone = await knowing_gone(bench).workflow({"type": "test_gone"})
    callers = Callers(bench, workflows, random.Random(seed))
    workers = [bench.new_worker(name, lease=timedelta(seconds=0.5)) for name in ("a", "b")]
    working = [asyncio.create_task(worker.run()) for worker in workers]
    losing = asyncio.create_task(lose_leases(bench))
    failing = [start_one(knowing_gone(bench), gone) for _ in range(3)]
    await asyncio.gather(*failing, *(callers.act() for _ in range(6)))
    await callers.resume_all()
    await all_ended(bench)
    retried = await callers.retry_all()
    await all_ended(bench)
    losing.cancel()
    for worker in workers:
        await worker.stop()
    await asyncio.gather(losing, *working, return_exceptions=True)
    stats = await check(bench, [*workflows, gone])
    assert stats[-1].runs_failed == 3
    assert sum(one.runs_total for one in stats) >= len(callers.begun) + retried + 3 > 20
    for ending in ("runs_successful", "runs_failed", "runs_cancelled"):
        assert sum(getattr(one, ending) for one in stats) > 0, ending


async def lose_leases(bench: Bench) -> None:
    """Until cancelled: what one worker holds is taken over by the other."""
    while True:
        await asyncio.sleep(0.05)
        async with bench.services.database.transaction() as connection:
            await connection.execute(text("UPDATE run_batch SET ready_at = now() WHERE holder = 'a'"))


def knowing_gone(bench: Bench) -> Bench:
    catalogue = Catalogue([*discover(), *TEST_TYPES, Gone])
    return replace(bench, services=replace(bench.services, catalogue=catalogue, plans=PlanCache(catalogue)))


async def all_ended(bench: Bench) -> None:
    async with asyncio.timeout(60):
        while await bench.rows("SELECT 1 FROM run_state WHERE finished_at IS NULL LIMIT 1"):
            await asyncio.sleep(0.05)


class TestKilledWorkers:
    @pytest.fixture
    def catalogue(self) -> Catalogue:
        return Catalogue([*discover(), *TEST_TYPES, *POISON_TYPES])

    async def test_statistics_equal_a_recount_where_workers_were_killed(
        self, bench: Bench, database_url: str, redis_url: str, tmp_path: Path
    ) -> None:
        movies = await bench.movies(ENTITIES)
        killing = {"id": "poison", "type": "poison_inline", "config": {"how": {"killed": [3]}}}
        workflows = [
            await bench.workflow(killing, entity_type=movies),
            await bench.workflow({"type": "poison_awaited", "config": {"how": {}, "wait_ms": 50}}, entity_type=movies),
        ]
        for workflow in workflows:
            await start_one(bench, workflow)
        async with worker_processes(tmp_path, database_url, redis_url, count=2) as workers:
            await all_ended(bench)
        assert workers.exits
        assert sum(one.runs_total for one in await check(bench, workflows)) == 2


async def test_a_workflow_that_never_ran_has_zeros_and_no_average(bench: Bench) -> None:
    workflow = await bench.workflow({"type": "echo"})
    (stats,) = await load_stats(bench.services, bench.viewer, [workflow.id])
    assert (stats.runs_total, stats.average_duration, stats.rating) == (0, None, None)


async def test_a_run_whose_items_are_no_longer_kept_is_not_retried_over_nothing(bench: Bench) -> None:
    failing = {"type": "test_sometimes", "config": {"fail_where": 1}}
    workflow = await bench.workflow(failing, entity_type=await bench.movies(2))
    run = await bench.start(workflow)
    await bench.finish(run)
    async with bench.services.database.transaction() as connection:
        await connection.execute(text("DELETE FROM run_item WHERE run_id = :id"), {"id": run.id})
    with pytest.raises(Conflict, match="no longer kept"):
        await retry_run(bench.services, bench.viewer, RetryRun(run.id))
    (stats,) = await check(bench, [workflow])
    assert (stats.runs_total, stats.runs_failed) == (1, 1)


async def test_statistics_stay_when_runs_are_deleted(bench: Bench) -> None:
    workflow = await bench.workflow({"type": "echo"})
    run = await bench.start(workflow, input={})
    await bench.finish(run)
    async with bench.services.database.transaction() as connection:
        await connection.execute(text("DELETE FROM run WHERE id = :id"), {"id": run.id})
    (stats,) = await load_stats(bench.services, bench.viewer, [workflow.id])
    assert (stats.runs_total, stats.runs_successful) == (1, 1)
