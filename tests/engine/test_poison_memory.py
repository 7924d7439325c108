"""More than there is room for: memory, and output. In real processes."""

from pathlib import Path
from typing import Any

import pytest
from engine.conftest import Bench
from engine.poisons import GIGABYTE, POISON_TYPES
from engine.step_types import TEST_TYPES
from engine.worker_processes import worker_processes

from weft.domain.catalogue import Catalogue
from weft.domain.run import Run
from weft.steps import discover

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue([*discover(), *TEST_TYPES, *POISON_TYPES])


async def _run(bench: Bench, kind: str, how: dict[str, list[int]], **step: Any) -> Run:
    poison = {"id": "poison", "type": kind, "config": {"how": how}, **step}
    return await bench.start(await bench.workflow(poison, entity_type=await bench.movies(6)))


async def _codes(bench: Bench, run: Run) -> dict[int, str]:
    """Of the items that failed, when the run has ended."""
    progress = await bench.until(run, lambda progress: progress.status.is_terminal, within=30)
    codes = {item["ordinal"]: item["error"]["code"] for item in await bench.items(run) if item["status"] == "FAILED"}
    assert (progress.completed, progress.failed) == (6 - len(codes), len(codes))
    return codes


async def test_a_step_that_takes_more_memory_than_there_is_fails_and_its_worker_goes_on(
    bench: Bench, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    how = {"allocates": [1], "gigabyte": [2]}
    inline, awaited = [await _run(bench, kind, how) for kind in ("poison_inline", "poison_awaited")]
    async with worker_processes(tmp_path, database_url, redis_url, memory_bytes=GIGABYTE // 2) as workers:
        for run in (inline, awaited):
            assert await _codes(bench, run) == {1: "STEP_OUT_OF_MEMORY", 2: "STEP_OUT_OF_MEMORY"}
    assert workers.exits == []


async def test_a_result_for_which_there_is_no_memory_costs_its_item_though_it_ends_the_worker(
    bench: Bench, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    # The step itself succeeds; the native code that makes JSON of its output crashes where memory ends.
    run = await _run(bench, "poison_inline", {"large": [4]})
    async with worker_processes(tmp_path, database_url, redis_url, memory_bytes=GIGABYTE // 2) as workers:
        assert await _codes(bench, run) in ({4: "WORKER_LOST"}, {4: "INTERNAL_ERROR"}, {4: "OUTPUT_TOO_LARGE"})
    assert len(workers.exits) <= 4


async def test_output_without_measure_is_not_stored_and_says_so(
    bench: Bench, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    run = await _run(bench, "poison_inline", {"large": [2]})
    async with worker_processes(tmp_path, database_url, redis_url, patience_seconds=20) as workers:
        assert await _codes(bench, run) == {2: "OUTPUT_TOO_LARGE"}
    assert workers.exits == []


async def test_what_poisons_a_sandbox_fails_its_item_by_name_and_touches_nothing_else(
    bench: Bench, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    how = {"segfault": [0], "gone": [1], "exits": [2], "endless": [3], "gigabyte": [4]}
    run = await _run(bench, "poison_heavy", how, timeout="PT1S")
    async with worker_processes(tmp_path, database_url, redis_url) as workers:
        codes = await _codes(bench, run)
    assert codes == dict(
        enumerate(["STEP_CRASHED", "STEP_CRASHED", "STEP_CRASHED", "STEP_TIMEOUT", "STEP_OUT_OF_MEMORY"])
    )
    assert workers.exits == []
