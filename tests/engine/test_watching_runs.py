"""Who watches the runs of a workflow is told of every start and every end, each once."""

import asyncio
from collections import Counter

import pytest
from engine.conftest import Bench
from engine.run_watchers import ENDED, PROGRESS, STARTED, small, watching

from weft.domain.access import Viewer
from weft.domain.errors import NotFound
from weft.domain.ids import UUID
from weft.domain.workflow import Workflow
from weft.engine.starting import start_small_runs
from weft.operations import run_watching, runs
from weft.operations.run_watching import watch_runs
from weft.storage.run_lists import RunFilter

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_watching, "WATCH_SECONDS", 0.02)


async def test_of_many_runs_every_start_and_end_is_told_once(bench: Bench) -> None:
    step = {"id": "some", "type": "test_sometimes", "config": {"delay_ms": 3}}
    workflow, other = await bench.workflow(step), await bench.workflow(step)
    working = [asyncio.create_task(bench.new_worker(name).run()) for name in ("one", "two")]
    async with watching(bench, workflow) as one, watching(bench, None) as both:
        started: dict[UUID, Workflow] = {}
        for _ in range(60):
            new = [await small(workflow, bench), await small(workflow, bench), await small(other, bench)]
            async with bench.services.database.transaction() as connection:
                await start_small_runs(connection, new, bench.services.clock())
            started |= {run.id: run.workflow for run in new}
        await one.until({run_id for run_id, of in started.items() if of is workflow}, ENDED)
        await both.until(set(started), ENDED)
        await asyncio.sleep(0.1)
    for task in working:
        task.cancel()
    await asyncio.gather(*working, return_exceptions=True)
    assert Counter(tuple(both.kinds(run_id)) for run_id in started) == {(STARTED, ENDED): 180}
    assert Counter(tuple(one.kinds(run_id)) for run_id in started) == {(STARTED, ENDED): 120, (): 60}
    assert all(run.status.is_terminal for _, kind, run in both.told if kind is ENDED)


async def test_a_run_that_is_committed_late_is_told_though_younger_ones_came_before_it(bench: Bench) -> None:
    workflow = await bench.workflow({"type": "test_counting"})
    async with watching(bench, workflow) as watcher:
        late, early, before = await small(workflow, bench), await small(workflow, bench), await small(workflow, bench)
        async with bench.services.database.transaction() as slow:
            await start_small_runs(slow, [late], bench.services.clock())
            for one in (early, before):
                async with bench.services.database.transaction() as connection:
                    await start_small_runs(connection, [one], bench.services.clock())
                await watcher.until({one.id}, STARTED)
            assert watcher.kinds(late.id) == []
            async with bench.services.database.engine.connect() as connection, connection.begin() as aborted:
                await start_small_runs(connection, [await small(workflow, bench)], bench.services.clock())
                await aborted.rollback()
        await watcher.until({late.id}, STARTED)
        await asyncio.sleep(0.1)
        assert [run_id for run_id, _, _ in watcher.told] == [early.id, before.id, late.id]


async def test_runs_that_are_under_way_come_first_and_their_ends_are_told(bench: Bench) -> None:
    workflow = await bench.workflow({"type": "test_counting"})
    over, waiting, paused = [await bench.start(workflow, input=None) for _ in range(3)]
    await runs.cancel_run(bench.services, bench.viewer, over.id)
    await runs.pause_run(bench.services, bench.viewer, paused.id)
    async with watching(bench, workflow) as watcher:
        await watcher.until({waiting.id, paused.id}, PROGRESS)
        assert [(run_id, kind) for run_id, kind, _ in watcher.told] == [(waiting.id, PROGRESS), (paused.id, PROGRESS)]
        await runs.resume_run(bench.services, bench.viewer, paused.id)
        await runs.cancel_run(bench.services, bench.viewer, waiting.id)
        await watcher.until({waiting.id}, ENDED)
        await runs.cancel_run(bench.services, bench.viewer, paused.id)
        await watcher.until({paused.id}, ENDED)
    kinds = [kind for run_id, kind, _ in watcher.told if run_id == paused.id]
    assert kinds == [PROGRESS, PROGRESS, ENDED]
    assert over.id not in {run_id for run_id, _, _ in watcher.told}


async def test_runs_of_another_workspace_are_not_told(bench: Bench, stranger: Viewer) -> None:
    workflow = await bench.workflow({"type": "test_counting"})
    with pytest.raises(NotFound):
        await watch_runs(bench.services, stranger, RunFilter(workflow_id=workflow.id))
    theirs = await watch_runs(bench.services, stranger, RunFilter())
    first = asyncio.create_task(anext(theirs))
    await asyncio.sleep(0.1)
    await bench.start(workflow, input=None)
    await asyncio.sleep(0.2)
    assert not first.done()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
