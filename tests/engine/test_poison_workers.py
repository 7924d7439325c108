"""Steps that end their worker, in real processes: each costs its item, a few workers, and nobody else anything."""

import signal
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest
from engine.conftest import Bench
from engine.poisons import POISON_TYPES
from engine.step_types import TEST_TYPES
from engine.worker_processes import Workers, worker_processes

from weft.domain.catalogue import Catalogue
from weft.domain.progress import RunStatus
from weft.domain.run import Run
from weft.engine.watchdog import STALLED
from weft.steps import discover

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue([*discover(), *TEST_TYPES, *POISON_TYPES])


async def _poisoned_run(bench: Bench, kind: str, items: int, *before: dict[str, Any], **config: Any) -> Run:
    step = {"id": "poison", "type": kind, "config": config}
    return await bench.start(await bench.workflow(*before, step, entity_type=await bench.movies(items)))


def _logged(workers: Workers, event: str) -> list[dict[str, Any]]:
    told = [orjson.loads(line) for line in workers.log.splitlines() if line.startswith("{")]
    return [line for line in told if event in line["event"]]


async def test_items_that_end_their_workers_fail_by_name_and_their_neighbours_go_on(
    bench: Bench, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    shape = {"id": "shape", "type": "transform", "config": {"fields": {"label": "input.title"}}}
    run = await _poisoned_run(bench, "poison_inline", 30, shape, how={"killed": [3], "endless": [7]})
    beside = await _poisoned_run(bench, "poison_awaited", 20, how={}, wait_ms=300)
    # On a busy machine a worker may stand still for a second, and lose its lease, without any step to blame.
    async with worker_processes(
        tmp_path, database_url, redis_url, count=2, patience_seconds=2.0, lease_seconds=2.0
    ) as workers:
        progress = await bench.until(run, lambda progress: progress.status.is_terminal, within=70)
        innocent = await bench.until(beside, lambda progress: progress.status.is_terminal, within=20)
    assert (progress.status, progress.completed, progress.failed) == (RunStatus.COMPLETED_WITH_FAILURES, 28, 2)
    assert innocent.completed == 20
    third, seventh = [item for item in await bench.items(run) if item["status"] == "FAILED"]
    assert (third["ordinal"], seventh["ordinal"]) == (3, 7)
    for item in (third, seventh):
        assert (item["error"]["code"], item["error"]["step"]) == ("WORKER_LOST", "poison")
        assert "2 times in a row while step 'poison' was under way" in item["error"]["message"]
        # What was done before is kept: a retry begins behind it.
        assert [(step["id"], step["s"]) for step in item["steps"]] == [("shape", "C"), ("poison", "F")]
    told = await bench.rows("SELECT * FROM run_log WHERE run_id = :run ORDER BY revision, number", run=run.id)
    condemned = [(line["ordinal"], line["step_id"]) for line in told if line["level"] == "ERROR"]
    assert sorted(condemned) == [(3, "poison"), (7, "poison")]
    # What a worker says that then ends within a moment goes with it; from the third one on it is stored before a step begins.
    assert any("run one at a time now" in line["message"] for line in told if line["level"] == "WARNING")
    ended = _logged(workers, "stood still")[0]
    assert ended["step"] == f"{run.id}:7:poison"
    assert "_endless" in ended["stack"]
    exits = Counter(workers.exits)
    assert exits.keys() == {-signal.SIGKILL, STALLED}
    assert max(exits.values()) <= 4


async def test_a_step_that_computes_for_longer_than_the_lease_keeps_it(
    bench: Bench, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    run = await _poisoned_run(bench, "poison_inline", 3, how={"slow": [0]})
    async with worker_processes(tmp_path, database_url, redis_url, count=2, patience_seconds=4.0) as workers:
        progress = await bench.until(run, lambda progress: progress.status.is_terminal, within=40)
    assert (progress.status, progress.completed, workers.exits) == (RunStatus.COMPLETED, 3, [])
    assert await bench.rows("SELECT max(attempts) FROM run_batch WHERE run_id = :run", run=run.id) == [{"max": 1}]
