"""An item of a computing plan comes to the same on the straight way and on the general, and no step runs twice in between."""

import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any, ClassVar, cast

import pytest
from engine.conftest import Bench
from engine.step_types import NoConfig

from weft.domain.catalogue import Catalogue
from weft.domain.definition import RetryPolicy
from weft.domain.run import LogLevel, Run
from weft.domain.step import Fail, Output, PublishEntity, Retry, Skip, StepCategory, StepContext, StepType
from weft.engine import recorder
from weft.kit.json import dumps
from weft.steps import discover
from weft.storage import driver

pytestmark = pytest.mark.timeout(30)

ANSWERS: tuple[Callable[[int], Any], ...] = (
    lambda _: Fail("for good", code="BROKEN", details={"a": 1}),
    lambda _: Skip("not this one"),
    lambda _: Retry("always"),
    lambda attempt: Retry("the first time") if attempt == 1 else "then it works",
    lambda _: Output({"wrapped": True}),
    lambda _: Output({"published": True}, effects=(PublishEntity({"year": 1}),)),
    lambda _: {"no JSON": object()},
    lambda _: {"NUL": "\0"},
    lambda _: {"too large": "x" * 9_000_000},
    lambda _: None,
    lambda attempt: {"attempt": attempt},
)
"""By attempt. The first half of the items returns them, the second raises them where it can."""


class Counted(StepType[NoConfig]):
    kind = "test_counted"
    title = "Counted"
    description = "Computes, and counts its calls."
    category = StepCategory.PROCESSING
    Config = NoConfig
    calls: ClassVar[Counter[str]] = Counter()

    def run(self, ctx: StepContext, input: Any) -> Any:
        self.calls[ctx.idempotency_key] += 1
        ctx.log(LogLevel.INFO, "counted")
        return {**input, "place": ctx.values["item"]["ordinal"]}


class Everything(StepType[NoConfig]):
    """Comes to something else with every item."""

    kind = "test_everything"
    title = "Everything"
    description = "Ends in every manner."
    category = StepCategory.PROCESSING
    Config = NoConfig
    default_retry = RetryPolicy(max_attempts=2, initial_delay=timedelta(milliseconds=1))

    def run(self, ctx: StepContext, input: Any) -> Any:
        place: int = input["place"]
        answer = ANSWERS[place % len(ANSWERS)](ctx.attempt)
        if isinstance(answer, Exception) and place >= len(ANSWERS):
            raise answer
        return answer


class Spoils(StepType[NoConfig]):
    """Breaks what it was lent, and fails."""

    kind = "test_spoils"
    title = "Spoils"
    description = "Clears the names in scope."
    category = StepCategory.PROCESSING
    Config = NoConfig

    def run(self, ctx: StepContext, input: Any) -> Any:
        if ctx.values["item"]["ordinal"] == 1:
            cast("dict[str, Any]", ctx.values).clear()
            return Fail("spoilt", code="SPOILT")
        return input


class Large(StepType[NoConfig]):
    kind = "test_large"
    title = "Large"
    description = "Gives 300 kB."
    category = StepCategory.PROCESSING
    Config = NoConfig

    def run(self, ctx: StepContext, input: Any) -> Any:  # noqa: ARG002 - the words of the contract
        return {"text": "x" * 300_000}


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue([*discover(), Counted, Everything, Spoils, Large])


def told(item: Any) -> str:
    """What is stored of an item, but for its times and the size that follows from them."""
    steps = [{name: value for name, value in step.items() if name not in "td"} for step in item["steps"]]
    return re.sub(
        r"[\d,]+ bytes, more", "n bytes, more", dumps([item["ordinal"], item["status"], item["error"], steps])
    )


async def _carried_out(bench: Bench, **general: Any) -> Run:
    Counted.calls.clear()
    workflow = await bench.workflow(
        {"id": "count", "type": "test_counted", **general},
        {"id": "end", "type": "test_everything"},
        {"id": "last", "type": "echo"},
        entity_type=await bench.movies(2 * len(ANSWERS)),
    )
    run = await bench.start(workflow)
    await bench.finish(run)
    return run


async def test_both_ways_come_to_the_same(bench: Bench) -> None:
    straight = await _carried_out(bench)
    assert set(Counted.calls.values()) == {1}
    general = await _carried_out(bench, when="true")
    items, others = await bench.items(straight), await bench.items(general)
    assert [told(item) for item in items] == [told(item) for item in others]
    assert Counter(item["status"] for item in items) == {"COMPLETED": 10, "FAILED": 10, "SKIPPED": 2}
    logs = "SELECT count(*) FROM run_log WHERE run_id = :run"
    assert (await bench.rows(logs, run=straight.id)) == (await bench.rows(logs, run=general.id))


async def test_both_ways_count_the_same(bench: Bench) -> None:
    columns = "completed, failed, skipped, step_completed, step_failed, step_skipped, step_retried"
    counters = f"SELECT {columns} FROM run_state WHERE run_id = :run"
    straight, general = await _carried_out(bench), await _carried_out(bench, when="true")
    assert await bench.rows(counters, run=straight.id) == await bench.rows(counters, run=general.id)


async def test_times_follow_each_other(bench: Bench) -> None:
    run = await _carried_out(bench)
    for item in await bench.items(run):
        starts = [step["t"] for step in item["steps"] if "t" in step]
        assert starts == sorted(starts)
        assert item["started_at"] <= item["finished_at"]
        assert int(item["started_at"].timestamp() * 1e6) <= starts[0] + 1


async def test_a_step_that_spoils_what_it_was_lent_costs_its_item(bench: Bench) -> None:
    steps = [{"id": "one", "type": "echo"}, {"id": "two", "type": "test_spoils"}, {"id": "three", "type": "echo"}]
    run = await bench.start(await bench.workflow(*steps, entity_type=await bench.movies(3)))
    progress = await bench.finish(run)
    assert (progress.completed, progress.failed) == (2, 1)
    assert (await bench.items(run))[1]["error"]["code"] == "SPOILT"


async def test_large_results_are_written_in_parts_and_not_gathered_without_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "FLUSH_BYTES", 1_000_000)
    monkeypatch.setattr(driver, "LARGEST_PIECE", 100_000)
    run = await bench.start(
        await bench.workflow({"id": "large", "type": "test_large"}, entity_type=await bench.movies(40))
    )
    progress = await bench.finish(run)
    assert progress.completed == 40
    told = sorted({state.completed for state in bench.published.all})
    # A slice is begun as a whole, whatever its items come to.
    assert max(later - sooner for sooner, later in pairwise([0, *told])) <= 20
