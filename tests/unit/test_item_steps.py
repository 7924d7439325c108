"""What is shown of an item's steps is what the engine did: both read the graph by the same rules."""

from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from weft.domain.ids import new_id
from weft.domain.run import Item, ItemStatus, StepStatus
from weft.domain.spelling import read_definition, write_definition
from weft.domain.step import Fail
from weft.engine.compiling.compiler import compile_plan
from weft.engine.item import OPEN, ItemWay
from weft.engine.step_graph import StepGraph, output_of
from weft.operations.item_steps import input_of, steps_of
from weft.steps import discover
from weft.storage.step_codec import decode_step

ENTITY = {"title": "Ran"}
STARTED_US = int(datetime(2026, 1, 31, tzinfo=UTC).timestamp()) * 1_000_000


def some_definition(random: Random) -> dict[str, Any]:
    """Two conditions, then steps that wait for some of those before them, or for a branch."""
    branches = {"config": {"branches": {"x": "true", "y": "true"}}, "type": "condition"}
    steps: list[dict[str, Any]] = [{"id": f"s{number}", "dependsOn": [], **branches} for number in range(2)]
    places = ["s0", "s0:x", "s0:y", "s1", "s1:x", "s1:y"]
    for number in range(2, 9):
        chosen = random.sample(places, random.randint(0, 3))
        steps.append({"id": f"s{number}", "type": "echo", "dependsOn": chosen})
        places.append(f"s{number}")
    return write_definition(read_definition({"steps": steps}).definition)


def item_of(way: ItemWay, status: ItemStatus) -> Item:
    steps = tuple(decode_step(record) for record in way.recorded())
    return Item(new_id(), 0, new_id(), status, None, None, steps, None, None)


@pytest.mark.parametrize("seed", range(40))
def test_inputs_and_outputs_are_those_that_the_engine_gave(seed: int) -> None:
    random = Random(seed)
    definition = some_definition(random)
    plan, graph = compile_plan(definition, discover(), None), StepGraph.of(definition)
    way = ItemWay(plan, 0, None, None, {"input": ENTITY, "steps": {}}, STARTED_US)
    given: dict[str, Any] = {}
    for step in plan.steps:
        if not way.due(step):
            way.skipped(step, way.why_not(step), explicit=False)
            continue
        given[step.id] = way.input_of(step)
        match random.choice("CCCCCSF"):
            case "C":
                taken = tuple(random.sample(["x", "y"], random.randint(0, 2))) if step.kind == "condition" else None
                way.completed(step, random.choice([step.id, {step.id: seed}, {"same": step.id}]), 0, 1, taken)
            case "S":
                way.skipped(step, "no", explicit=True)
            case _:
                way.failed(step, Fail("no"), 0, 1)
    item = item_of(way, ItemStatus.COMPLETED)
    assert {step.step.id: input_of(step, ENTITY) for step in steps_of(graph, item) if step.step.id in given} == given
    assert output_of(graph, item) == way.leaf_output()


def test_steps_that_nothing_is_known_of_wait_or_were_cancelled() -> None:
    definition = some_definition(Random(1))
    plan, graph = compile_plan(definition, discover(), None), StepGraph.of(definition)
    way = ItemWay(plan, 0, None, None, {"input": ENTITY, "steps": {}}, STARTED_US)
    way.retry_at(plan.steps[0], 1, 5_000_000, Fail("busy"))
    assert way.states[0] == OPEN
    for status, expected in (
        (ItemStatus.RUNNING, StepStatus.PENDING),
        (ItemStatus.PENDING, StepStatus.PENDING),
        (ItemStatus.CANCELLED, StepStatus.CANCELLED),
        (ItemStatus.FAILED, StepStatus.CANCELLED),
    ):
        steps = steps_of(graph, item_of(way, status))
        assert [step.step.id for step in steps] == [step.id for step in plan.steps]
        assert {step.result.status for step in steps} == {expected}
        first = steps[0].result
        assert (first.attempt, first.error and first.error.message) == (1, "busy")
