"""What a step raises to end its process ends its item, and nothing else."""

import pytest
from engine.conftest import Bench
from engine.poisons import POISON_TYPES
from engine.step_types import TEST_TYPES

from weft.domain.catalogue import Catalogue
from weft.steps import discover

pytestmark = pytest.mark.timeout(30)

RAISED = {
    "exits": "STEP_EXITED",
    "interrupts": "STEP_EXITED",
    "cancels": "CANCELLED",
    "closes": "STEP_ERROR",
    "recurses": "STEP_ERROR",
    "allocates": "STEP_OUT_OF_MEMORY",
}


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue([*discover(), *TEST_TYPES, *POISON_TYPES])


@pytest.mark.parametrize("kind", ["poison_inline", "poison_awaited"])
async def test_what_would_end_the_process_fails_its_item_by_name(bench: Bench, kind: str) -> None:
    step = {"id": "poison", "type": kind, "config": {"how": {name: [place] for place, name in enumerate(RAISED)}}}
    run = await bench.start(await bench.workflow(step, entity_type=await bench.movies(len(RAISED) + 4)))
    progress = await bench.finish(run, within=10)
    assert (progress.completed, progress.failed) == (4, len(RAISED))
    failed = [item for item in await bench.items(run) if item["status"] == "FAILED"]
    assert [item["error"]["code"] for item in failed] == list(RAISED.values())
    assert "sys.exit(3)" in failed[0]["error"]["message"]


@pytest.mark.parametrize(("poison", "code"), [("exits", "STEP_EXITED"), ("closes", "STEP_ERROR")])
async def test_it_fails_all_that_were_served_together(bench: Bench, poison: str, code: str) -> None:
    step = {"id": "poison", "type": "poison_many", "config": {"how": {poison: [1]}}}
    run = await bench.start(await bench.workflow(step, entity_type=await bench.movies(3)))
    assert (await bench.finish(run, within=10)).failed == 3
    assert {item["error"]["code"] for item in await bench.items(run)} == {code}
