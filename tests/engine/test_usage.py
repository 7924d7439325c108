"""What attempts cost, summed exactly on step, item, run and workflow."""

import asyncio
from typing import Any

import pytest
from engine.conftest import Bench
from engine.model_steps import FAILED_PRICE, PRICE, Ask
from engine.step_types import Gate

from weft.domain.progress import RunStatus
from weft.domain.usage import NO_USAGE, Usage
from weft.operations import run_lists, runs
from weft.operations.run_retries import RetryRun, retry_run


@pytest.fixture(autouse=True)
def _fresh_counters() -> None:
    Ask.calls.clear()
    Gate.waiting.clear()
    Gate.opened = asyncio.Event()


def times(count: int, usage: Usage) -> Usage:
    return Usage(*(count * figure for figure in usage.figures))


def ask(step_id: str = "ask", **config: Any) -> dict[str, Any]:
    return {"id": step_id, "type": "test_ask", "config": config}


async def test_attempts_that_failed_were_paid_too(bench: Bench) -> None:
    workflow = await bench.workflow(ask("one", fail_first=2), ask("two", text="x"), entity_type=await bench.movies(10))
    run = await bench.start(workflow)
    progress = await bench.finish(run)
    assert progress.steps[0].usage == times(10, FAILED_PRICE + FAILED_PRICE + PRICE)
    assert progress.steps[1].usage == times(10, PRICE)
    assert progress.usage == progress.steps[0].usage + progress.steps[1].usage
    steps = (await bench.items(run))[0]["steps"]
    assert steps[0]["u"] == [list(FAILED_PRICE.figures)] * 2 + [list(PRICE.figures)]
    assert steps[1]["u"] == [list(PRICE.figures)]


async def test_a_failed_item_was_paid_as_well(bench: Bench) -> None:
    workflow = await bench.workflow(ask(fail=True), entity_type=await bench.movies(3))
    progress = await bench.finish(await bench.start(workflow))
    assert (progress.failed, progress.usage) == (3, times(3, FAILED_PRICE))


async def test_a_run_without_models_keeps_no_figures(bench: Bench) -> None:
    run = await bench.start(
        await bench.workflow({"id": "c", "type": "test_counting"}, entity_type=await bench.movies(3))
    )
    assert (await bench.finish(run)).usage == NO_USAGE
    assert await bench.rows("SELECT step_usage FROM run_state WHERE run_id = :id", id=run.id) == [{"step_usage": []}]


async def test_what_was_paid_before_a_worker_stopped_is_counted_once(bench: Bench) -> None:
    workflow = await bench.workflow(ask(), {"id": "gate", "type": "test_gate"}, entity_type=await bench.movies(5))
    run = await bench.start(workflow)
    first = bench.new_worker("first")
    working = asyncio.create_task(first.run())
    # Live: the items are not finished, and what was paid for them shows.
    progress = await bench.until(run, lambda progress: progress.usage == times(5, PRICE))
    assert progress.finished == 0
    Gate.opened.set()
    await first.stop()
    await working
    progress = await bench.finish(run)
    assert (progress.status, progress.usage) == (RunStatus.COMPLETED, times(5, PRICE))
    assert Ask.calls.total() == 5


async def test_what_was_paid_for_items_of_a_cancelled_run_stays_counted(bench: Bench) -> None:
    workflow = await bench.workflow(ask(), {"id": "gate", "type": "test_gate"}, entity_type=await bench.movies(4))
    run = await bench.start(workflow)
    worker = bench.new_worker()
    working = asyncio.create_task(worker.run())
    await bench.until(run, lambda progress: progress.usage == times(4, PRICE))
    await runs.cancel_run(bench.services, bench.viewer, run.id)
    progress = await bench.until(run, lambda progress: progress.status.is_terminal)
    assert (progress.cancelled, progress.usage) == (4, times(4, PRICE))
    Gate.opened.set()
    await worker.stop()
    await working


async def test_attempts_before_a_wait_are_kept_with_the_checkpoint(bench: Bench) -> None:
    retry = {"maxAttempts": 2, "initialDelay": "PT3S", "jitter": 0}
    workflow = await bench.workflow(ask(fail_first=1) | {"retry": retry}, entity_type=await bench.movies(2))
    run = await bench.start(workflow)
    first = bench.new_worker("first")
    working = asyncio.create_task(first.run())
    await bench.until(run, lambda progress: progress.usage == times(2, FAILED_PRICE))
    await first.stop()
    await working
    progress = await bench.finish(run, bench.new_worker("second"))
    assert progress.usage == times(2, FAILED_PRICE + PRICE)
    assert (await bench.items(run))[1]["steps"][0]["u"] == [list(FAILED_PRICE.figures), list(PRICE.figures)]


async def test_a_step_that_is_cancelled_beside_a_failure_keeps_what_it_cost(bench: Bench) -> None:
    slow: dict[str, Any] = ask("slow", fail_first=1) | {
        "dependsOn": [],
        "retry": {"maxAttempts": 2, "initialDelay": "PT1H"},
    }
    broken: dict[str, Any] = {
        "id": "broken",
        "type": "test_sometimes",
        "dependsOn": [],
        "config": {"fail_where": 1, "delay_ms": 100},
    }
    workflow = await bench.workflow(slow, broken, entity_type=await bench.movies(1))
    run = await bench.start(workflow)
    progress = await bench.finish(run)
    assert (progress.failed, progress.usage) == (1, FAILED_PRICE)
    steps = {step["id"]: step for step in (await bench.items(run))[0]["steps"]}
    assert steps["slow"] == {"id": "slow", "s": "X", "u": [list(FAILED_PRICE.figures)]}


async def test_an_item_whose_output_cannot_be_stored_was_paid(bench: Bench) -> None:
    output = {"text": "input.answer + '\\u0000'"}
    workflow = await bench.workflow(ask(), entity_type=await bench.movies(2), output=output)
    progress = await bench.finish(await bench.start(workflow))
    assert (progress.failed, progress.usage) == (2, times(2, PRICE))


async def test_a_run_that_tries_again_pays_only_what_is_new(bench: Bench) -> None:
    steps = ask(), {"id": "some", "type": "test_sometimes", "config": {"fail_where": 2}}
    workflow = await bench.workflow(*steps, entity_type=await bench.movies(4))
    old = await bench.start(workflow)
    assert (await bench.finish(old)).failed == 2
    new = await retry_run(bench.services, bench.viewer, RetryRun(old.id))
    progress = await bench.finish(new)
    assert (progress.usage, Ask.calls.total()) == (NO_USAGE, 4)
    (item, *_) = await bench.items(new)
    assert "u" not in item["steps"][0]
    assert item["steps"][0]["o"] == {"answer": "MOVIE 0"}
    (of_both,) = await run_lists.load_usages(bench.services, bench.viewer, [workflow.id])
    assert of_both == times(4, PRICE)


async def test_messages_of_a_completed_step_are_sent_even_if_the_item_fails_later(bench: Bench) -> None:
    steps = {"id": "tell", "type": "test_tell"}, {"id": "raise", "type": "test_raises"}
    movies = await bench.movies(2)
    run = await bench.start(await bench.workflow(*steps, entity_type=movies))
    assert (await bench.finish(run)).failed == 2
    deliveries = await bench.rows(
        "SELECT ordinal, step_id, message FROM delivery WHERE run_id = :id ORDER BY ordinal", id=run.id
    )
    assert [(row["ordinal"], row["step_id"], row["message"]) for row in deliveries] == [
        (ordinal, "tell", {"text": f"{run.id}:{ordinal}:tell"}) for ordinal in range(2)
    ]
    published = await bench.rows("SELECT data ->> 'gross' AS gross FROM entity WHERE entity_type_id = :id", id=movies)
    assert [row["gross"] for row in published] == ["1.5", "1.5"]
