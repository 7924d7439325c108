"""An item of a computing plan comes to the same on the straight way and on the general, and no step runs twice in between."""

import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from engine.conftest import Bench
from engine.step_types import NoConfig

from weft.domain.definition import RetryPolicy
from weft.domain.run import LogLevel, Run
from weft.domain.step import Catalogue, Fail, Output, PublishEntity, Retry, Skip, StepCategory, StepContext, StepType
from weft.kit.json import dumps
from weft.steps import discover

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


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue([*discover(), Counted, Everything])


def _told(item: Any) -> str:
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
    assert [_told(item) for item in items] == [_told(item) for item in others]
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
