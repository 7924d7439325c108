"""Runs through the real engine: what ends how, and what is stored of it."""

import asyncio
from typing import Any

import pytest
from engine.conftest import Bench
from engine.step_types import Counting, Crowd, Gate

from weft.domain.errors import Conflict, Invalid, NotFound
from weft.domain.progress import RunStatus
from weft.domain.run import Selection
from weft.operations import runs
from weft.operations.run_retries import RetryRun, retry_run
from weft.operations.run_starts import StartRun, start_run

SHAPE = {"id": "shape", "type": "transform", "config": {"fields": {"label": "input.title + '!'"}, "keep": False}}


@pytest.fixture(autouse=True)
def _fresh_counters() -> None:
    Counting.calls.clear()
    Crowd.sizes.clear()
    Gate.waiting.clear()
    Gate.opened = asyncio.Event()


async def test_a_run_over_entities_completes_with_one_result_per_item(bench: Bench) -> None:
    workflow = await bench.workflow(SHAPE, entity_type=await bench.movies(120))
    run = await bench.start(workflow)
    progress = await bench.finish(run)
    assert progress.status is RunStatus.COMPLETED
    assert (progress.total, progress.completed) == (120, 120)
    items = await bench.items(run)
    assert [item["ordinal"] for item in items] == list(range(120))
    assert items[7]["steps"][0]["o"] == {"label": "Movie 7!"}
    (step,) = progress.steps
    assert (step.step_id, step.completed, step.failed) == ("shape", 120, 0)


async def test_revisions_that_are_published_only_rise_and_every_sum_is_right(bench: Bench) -> None:
    workflow = await bench.workflow(
        {"id": "some", "type": "test_sometimes", "config": {"fail_where": 7}}, entity_type=await bench.movies(200)
    )
    run = await bench.start(workflow)
    await bench.finish(run, bench.new_worker("a"), bench.new_worker("b"))
    seen = sorted(bench.published.all, key=lambda progress: progress.revision)
    assert len({progress.revision for progress in seen}) == len(seen)
    assert all(progress.pending >= 0 for progress in seen)
    assert [progress.finished for progress in seen] == sorted(progress.finished for progress in seen)
    assert seen[-1].status is RunStatus.COMPLETED_WITH_FAILURES


async def test_a_run_without_entities_gives_the_output_of_its_last_step(bench: Bench) -> None:
    workflow = await bench.workflow(
        {"id": "hello", "type": "StaticTextInput", "config": {"value": "Hello, world!"}},
        {"id": "turn", "type": "TextOperation.Reverse"},
        {"id": "say", "type": "Echo"},
    )
    run = await bench.start(workflow)
    progress = await bench.finish(run)
    assert progress.status is RunStatus.COMPLETED
    (item,) = await bench.items(run)
    assert item["steps"][-1]["o"] == {"text": "!dlrow ,olleH"}


async def test_failed_items_have_a_named_reason_and_the_others_go_on(bench: Bench) -> None:
    workflow = await bench.workflow(
        {"id": "some", "type": "test_sometimes", "config": {"fail_where": 3}}, entity_type=await bench.movies(10)
    )
    run = await bench.start(workflow)
    progress = await bench.finish(run)
    assert progress.status is RunStatus.COMPLETED_WITH_FAILURES
    assert (progress.completed, progress.failed) == (6, 4)
    items = await bench.items(run)
    assert items[3]["error"] == {
        "step": "some",
        "code": "BROKEN",
        "message": "item 3 is broken",
        "details": {"ordinal": 3},
    }


async def test_a_run_in_which_every_item_failed_has_failed(bench: Bench) -> None:
    workflow = await bench.workflow({"id": "bug", "type": "test_raises"}, entity_type=await bench.movies(3))
    run = await bench.start(workflow)
    progress = await bench.finish(run)
    assert progress.status is RunStatus.FAILED
    assert (await bench.items(run))[0]["error"]["message"].startswith("ZeroDivisionError")


async def test_an_output_that_is_no_json_fails_its_item_and_names_the_step(bench: Bench) -> None:
    workflow = await bench.workflow({"id": "odd", "type": "test_unstorable"}, entity_type=await bench.movies(2))
    run = await bench.start(workflow)
    assert (await bench.finish(run)).failed == 2
    assert (await bench.items(run))[0]["error"]["code"] == "INVALID_OUTPUT"


async def test_an_attempt_that_failed_for_now_is_tried_again_and_counted(bench: Bench) -> None:
    workflow = await bench.workflow(
        {"id": "some", "type": "test_sometimes", "config": {"fail_first": 2}}, entity_type=await bench.movies(4)
    )
    run = await bench.start(workflow)
    progress = await bench.finish(run)
    assert progress.status is RunStatus.COMPLETED
    assert progress.steps[0].retried == 8
    assert (await bench.items(run))[0]["steps"][0]["a"] == 3


async def test_after_the_last_attempt_the_item_has_failed(bench: Bench) -> None:
    retry = {"maxAttempts": 2, "initialDelay": "PT0.01S"}
    workflow = await bench.workflow(
        {"id": "some", "type": "test_sometimes", "config": {"fail_first": 5}, "retry": retry},
        entity_type=await bench.movies(1),
    )
    run = await bench.start(workflow)
    assert (await bench.finish(run)).failed == 1
    assert (await bench.items(run))[0]["error"]["message"] == "come back later"


async def test_a_step_that_is_too_slow_is_tried_again_and_then_fails(bench: Bench) -> None:
    workflow = await bench.workflow(
        {
            "id": "slow",
            "type": "test_sometimes",
            "config": {"delay_ms": 5_000},
            "timeout": "PT0.02S",
            "retry": {"maxAttempts": 2, "initialDelay": "PT0.01S"},
        },
        entity_type=await bench.movies(1),
    )
    run = await bench.start(workflow)
    assert (await bench.finish(run)).failed == 1
    assert (await bench.items(run))[0]["error"]["code"] == "TIMEOUT"


async def test_a_batch_that_only_waits_for_a_far_retry_is_given_back(bench: Bench) -> None:
    workflow = await bench.workflow(
        {
            "id": "some",
            "type": "test_sometimes",
            "config": {"fail_first": 1},
            "retry": {"maxAttempts": 2, "initialDelay": "PT60S", "jitter": 0},
        },
        entity_type=await bench.movies(2),
    )
    run = await bench.start(workflow)
    worker = bench.new_worker()
    task = asyncio.create_task(worker.run())
    query = "SELECT *, ready_at - now() AS wait FROM run_batch WHERE run_id = :id"
    async with asyncio.timeout(10):
        while True:
            (batch,) = await bench.rows(query, id=run.id)
            if batch["attempts"] and batch["holder"] is None:
                break
            await asyncio.sleep(0.02)
    assert batch["wait"].total_seconds() > 50
    assert len(await bench.rows("SELECT * FROM run_checkpoint WHERE run_id = :id", id=run.id)) == 2
    await worker.stop()
    task.cancel()


async def test_items_branch_and_steps_off_the_branch_are_skipped(bench: Bench) -> None:
    workflow = await bench.workflow(
        {"id": "age", "type": "condition", "config": {"branches": {"old": "input.year < 2005", "new": "true"}}},
        {**SHAPE, "id": "old", "dependsOn": ["age:old"]},
        {"id": "new", "type": "echo", "dependsOn": ["age:new"]},
        entity_type=await bench.movies(10),
    )
    run = await bench.start(workflow)
    progress = await bench.finish(run)
    assert progress.completed == 10
    by_step = {step.step_id: step for step in progress.steps}
    assert (by_step["old"].completed, by_step["old"].skipped) == (5, 5)
    assert (by_step["new"].completed, by_step["new"].skipped) == (5, 5)


async def test_an_item_whose_every_way_was_declined_is_skipped(bench: Bench) -> None:
    workflow = await bench.workflow(
        {"id": "some", "type": "test_sometimes", "config": {"skip_where": 2}}, entity_type=await bench.movies(4)
    )
    run = await bench.start(workflow)
    progress = await bench.finish(run)
    assert progress.status is RunStatus.COMPLETED
    assert (progress.completed, progress.skipped) == (2, 2)


async def test_a_step_runs_only_when_its_condition_holds(bench: Bench) -> None:
    workflow = await bench.workflow(
        SHAPE,
        {"id": "later", "type": "echo", "when": "entity.year >= 2002"},
        entity_type=await bench.movies(4),
    )
    run = await bench.start(workflow)
    progress = await bench.finish(run)
    assert (progress.completed, progress.skipped) == (2, 2)
    assert progress.steps[1].completed == 2


async def test_continue_goes_on_without_the_failed_step(bench: Bench) -> None:
    workflow = await bench.workflow(
        SHAPE,
        {"id": "maybe", "type": "test_raises", "onFailure": "CONTINUE", "dependsOn": ["shape"]},
        {"id": "after", "type": "echo", "dependsOn": ["maybe"]},
        {"id": "beside", "type": "echo", "dependsOn": ["shape"]},
        entity_type=await bench.movies(3),
    )
    run = await bench.start(workflow)
    progress = await bench.finish(run)
    assert progress.status is RunStatus.COMPLETED
    by_step = {step.step_id: step for step in progress.steps}
    assert by_step["maybe"].failed == 3
    assert by_step["after"].skipped == 3
    assert by_step["beside"].completed == 3


async def test_stop_run_ends_the_run_and_cancels_what_is_not_finished(bench: Bench) -> None:
    workflow = await bench.workflow(
        {
            "id": "some",
            "type": "test_sometimes",
            "config": {"fail_where": 100, "delay_ms": 20},
            "onFailure": "STOP_RUN",
        },
        entity_type=await bench.movies(300),
    )
    # A few at a time: the others shall not all be finished before the failure is written down.
    run = await bench.start(workflow, concurrency=5)
    progress = await bench.finish(run)
    assert progress.status is RunStatus.FAILED
    assert progress.failed >= 1
    assert progress.pending == 0
    assert progress.cancelled > 0
    assert len(await bench.items(run)) == progress.completed + progress.failed
    found = await runs.get_run(bench.services, bench.viewer, run.id)
    assert found is not None
    assert "item 0 is broken" in (found.error or "")


async def test_cancel_ends_the_run_at_once_and_late_results_are_dropped(bench: Bench) -> None:
    workflow = await bench.workflow({"id": "gate", "type": "test_gate"}, entity_type=await bench.movies(30))
    run = await bench.start(workflow)
    worker = bench.new_worker()
    task = asyncio.create_task(worker.run())
    await bench.until(run, lambda progress: progress.status is RunStatus.RUNNING)
    while not Gate.waiting:
        await asyncio.sleep(0.01)
    cancelled = await runs.cancel_run(bench.services, bench.viewer, run.id)
    assert cancelled.status is RunStatus.CANCELLED
    assert cancelled.progress.cancelled == 30
    Gate.opened.set()
    await worker.stop()
    task.cancel()
    assert await bench.items(run) == []
    with pytest.raises(Conflict):
        await runs.cancel_run(bench.services, bench.viewer, run.id)


async def test_pause_lets_steps_finish_and_resume_repeats_none_of_them(bench: Bench) -> None:
    workflow = await bench.workflow(
        {"id": "count", "type": "test_counting"},
        {"id": "gate", "type": "test_gate"},
        {"id": "again", "type": "test_counting"},
        entity_type=await bench.movies(60),
    )
    run = await bench.start(workflow)
    worker = bench.new_worker()
    task = asyncio.create_task(worker.run())
    while len(Gate.waiting) < 60:
        await asyncio.sleep(0.01)
    paused = await runs.pause_run(bench.services, bench.viewer, run.id)
    assert paused.status is RunStatus.PAUSED
    await worker.keep_leases_once()
    Gate.opened.set()
    await worker.stop()
    task.cancel()
    await runs.resume_run(bench.services, bench.viewer, run.id)
    progress = await bench.finish(run)
    assert progress.completed == 60
    assert len(Counting.calls) == 120
    assert set(Counting.calls.values()) == {1}


async def test_a_worker_that_stops_gives_its_batches_back_with_what_they_recorded(bench: Bench) -> None:
    workflow = await bench.workflow(
        {"id": "count", "type": "test_counting"},
        {"id": "gate", "type": "test_gate", "timeout": "PT30S"},
        entity_type=await bench.movies(20),
    )
    run = await bench.start(workflow)
    worker = bench.new_worker()
    task = asyncio.create_task(worker.run())
    while len(Gate.waiting) < 20:
        await asyncio.sleep(0.01)
    stopping = asyncio.create_task(worker.stop())
    await asyncio.sleep(0)
    Gate.opened.set()
    await stopping
    task.cancel()
    progress = await bench.finish(run)
    assert progress.completed == 20
    assert set(Counting.calls.values()) == {1}


async def test_a_lost_lease_never_writes_and_a_recorded_step_is_not_repeated(bench: Bench) -> None:
    workflow = await bench.workflow(
        {"id": "count", "type": "test_counting"},
        {"id": "gate", "type": "test_gate"},
        entity_type=await bench.movies(10),
    )
    run = await bench.start(workflow)
    first = bench.new_worker("first")
    task = asyncio.create_task(first.run())
    async with asyncio.timeout(10):
        while len(await bench.rows("SELECT 1 FROM run_checkpoint WHERE run_id = :id", id=run.id)) < 10:
            await asyncio.sleep(0.02)
    # The lease runs out while the first worker still waits: another takes the batches over.
    async with bench.services.database.transaction() as connection:
        await connection.exec_driver_sql("UPDATE run_batch SET ready_at = now() - interval '1 second'")
    second = bench.new_worker("second")
    other = asyncio.create_task(second.run())
    async with asyncio.timeout(10):
        while {row["holder"] for row in await bench.rows("SELECT holder FROM run_batch")} != {"second"}:
            await asyncio.sleep(0.02)
    Gate.opened.set()
    progress = await bench.until(run, lambda progress: progress.status.is_terminal)
    await first.stop()
    await second.stop()
    task.cancel()
    other.cancel()
    assert progress.completed == 10
    assert len(await bench.items(run)) == 10
    assert set(Counting.calls.values()) == {1}
    assert await bench.rows("SELECT 1 FROM run_checkpoint WHERE run_id = :id", id=run.id) == []


async def test_calls_that_arrive_together_are_served_as_one(bench: Bench) -> None:
    workflow = await bench.workflow({"id": "crowd", "type": "test_crowd"}, entity_type=await bench.movies(20))
    run = await bench.start(workflow)
    progress = await bench.finish(run)
    assert (progress.completed, progress.failed) == (19, 1)
    assert max(Crowd.sizes) > 1


async def test_publish_writes_the_entity_in_the_transaction_of_its_result(bench: Bench) -> None:
    type_id = await bench.movies(5)
    workflow = await bench.workflow(
        {"id": "publish", "type": "publish", "config": {"fields": {"gross": "1.5"}}}, entity_type=type_id
    )
    run = await bench.start(workflow)
    progress = await bench.finish(run)
    assert progress.completed == 5
    rows = await bench.rows("SELECT * FROM entity WHERE entity_type_id = :id", id=type_id)
    assert {(row["version"], row["data"]["gross"], row["published_at"] is not None) for row in rows} == {(2, 1.5, True)}


async def test_a_retry_runs_only_the_failed_items_from_their_failed_step(bench: Bench) -> None:
    workflow = await bench.workflow(
        {"id": "count", "type": "test_counting"},
        {"id": "some", "type": "test_sometimes", "config": {"fail_where": 3}},
        entity_type=await bench.movies(9),
    )
    run = await bench.start(workflow)
    await bench.finish(run)
    assert sum(Counting.calls.values()) == 9
    again = await retry_run(bench.services, bench.viewer, RetryRun(run.id))
    assert again.retry_of == run.id
    progress = await bench.finish(again)
    # The new ordinals 0 to 2: only 0 divides by three.
    assert (progress.total, progress.completed, progress.failed) == (3, 2, 1)
    assert sum(Counting.calls.values()) == 9
    assert [item["status"] for item in await bench.items(run)].count("FAILED") == 3


async def test_a_retry_does_not_trust_results_of_another_version_of_the_entity(bench: Bench) -> None:
    workflow = await bench.workflow(
        {"id": "count", "type": "test_counting"},
        {"id": "some", "type": "test_sometimes", "config": {"fail_where": 1}},
        entity_type=await bench.movies(1),
    )
    run = await bench.start(workflow)
    await bench.finish(run)
    async with bench.services.database.transaction() as connection:
        await connection.exec_driver_sql("UPDATE entity SET version = version + 1")
    again = await retry_run(bench.services, bench.viewer, RetryRun(run.id))
    await bench.finish(again)
    assert sum(Counting.calls.values()) == 2


async def test_a_retry_needs_a_run_that_has_ended_with_failures(bench: Bench) -> None:
    workflow = await bench.workflow(SHAPE, entity_type=await bench.movies(1))
    run = await bench.start(workflow)
    with pytest.raises(Conflict):
        await retry_run(bench.services, bench.viewer, RetryRun(run.id))
    await bench.finish(run)
    with pytest.raises(Conflict):
        await retry_run(bench.services, bench.viewer, RetryRun(run.id))


async def test_an_entity_that_was_deleted_fails_its_item_with_that_reason(bench: Bench) -> None:
    type_id = await bench.movies(3)
    workflow = await bench.workflow(SHAPE, entity_type=type_id)
    run = await bench.start(workflow)
    async with bench.services.database.transaction() as connection:
        await connection.exec_driver_sql("DELETE FROM entity WHERE data ->> 'title' = 'Movie 1'")
    progress = await bench.finish(run)
    assert (progress.completed, progress.failed) == (2, 1)
    assert (await bench.items(run))[1]["error"]["code"] == "ENTITY_DELETED"


async def test_a_run_over_nothing_has_completed_at_once(bench: Bench) -> None:
    workflow = await bench.workflow(SHAPE, entity_type=await bench.movies(0))
    run = await bench.start(workflow)
    assert run.status is RunStatus.COMPLETED
    assert run.progress.percent == 100.0


async def test_the_output_mapping_shapes_the_item(bench: Bench) -> None:
    workflow = await bench.workflow(
        SHAPE, entity_type=await bench.movies(1), output={"name": "steps.shape.label", "year": "entity.year"}
    )
    run = await bench.start(workflow)
    await bench.finish(run)
    assert (await bench.items(run))[0]["output"] == {"name": "Movie 0!", "year": 2000}


async def test_no_more_batches_are_held_than_the_concurrency_allows(bench: Bench) -> None:
    workflow = await bench.workflow({"id": "gate", "type": "test_gate"}, entity_type=await bench.movies(40))
    run = await bench.start(workflow, concurrency=6)
    workers = [bench.new_worker("a"), bench.new_worker("b")]
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    while len(Gate.waiting) < 5:
        await asyncio.sleep(0.01)
    for _ in range(10):
        await asyncio.gather(*(worker.run_once() for worker in workers))
    assert len(Gate.waiting) <= 6
    Gate.opened.set()
    assert (await bench.until(run, lambda progress: progress.status.is_terminal)).completed == 40
    for worker, task in zip(workers, tasks, strict=True):
        await worker.stop()
        task.cancel()


async def test_a_small_run_is_served_beside_a_large_one(bench: Bench) -> None:
    large = await bench.start(
        await bench.workflow({"id": "gate", "type": "test_gate"}, entity_type=await bench.movies(500))
    )
    worker = bench.new_worker()
    task = asyncio.create_task(worker.run())
    while len(Gate.waiting) < 100:
        await asyncio.sleep(0.01)
    small = await bench.start(await bench.workflow(SHAPE, entity_type=await bench.movies(10)))
    worker.wake()
    await bench.until(small, lambda progress: progress.status.is_terminal, within=3)
    assert not (await bench.until(large, lambda _: True)).status.is_terminal
    Gate.opened.set()
    await bench.until(large, lambda progress: progress.status.is_terminal)
    await worker.stop()
    task.cancel()


async def test_the_same_idempotency_key_starts_one_run(bench: Bench) -> None:
    workflow = await bench.workflow(SHAPE, entity_type=await bench.movies(1))
    both = await asyncio.gather(
        bench.start(workflow, idempotency_key="k1"), bench.start(workflow, idempotency_key="k1")
    )
    assert both[0].id == both[1].id
    with pytest.raises(Conflict):
        await bench.start(workflow, idempotency_key="k1", priority=3)


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"selection": Selection()}, ("entities",)),
        ({"input": {"a": 1}}, ("input",)),
        ({"concurrency": 0}, ("concurrency",)),
        ({"priority": 1000}, ("priority",)),
    ],
)
async def test_a_run_that_cannot_be_is_refused_with_its_path(
    bench: Bench, options: dict[str, Any], path: tuple[str, ...]
) -> None:
    workflow = await bench.workflow(SHAPE, entity_type=await bench.movies(1))
    with pytest.raises(Invalid) as raised:
        await bench.start(workflow, **options)
    assert raised.value.problems[0].path == path
    assert await bench.rows("SELECT 1 FROM run") == []


async def test_entities_of_another_type_or_workspace_are_refused_and_named(bench: Bench) -> None:
    workflow = await bench.workflow(SHAPE, entity_type=await bench.movies(2))
    await bench.movies(1)
    ids = [row["id"] for row in await bench.rows("SELECT id FROM entity ORDER BY id")]
    with pytest.raises(Invalid) as raised:
        await bench.start(workflow, selection=Selection(ids=tuple(ids)))
    assert [problem.path for problem in raised.value.problems] == [("entities", "ids", "2")]


async def test_input_that_breaks_the_schema_starts_nothing(bench: Bench) -> None:
    schema = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    workflow = await bench.workflow({"id": "say", "type": "echo"}, inputSchema=schema)
    with pytest.raises(Invalid) as raised:
        await bench.start(workflow, input={"text": 5})
    assert raised.value.problems[0].path == ("input", "text")


async def test_a_workflow_of_another_workspace_does_not_exist(bench: Bench, stranger: Any) -> None:
    workflow = await bench.workflow(SHAPE, entity_type=await bench.movies(1))
    with pytest.raises(NotFound):
        await start_run(bench.services, stranger, StartRun(workflow.id, Selection(all=True)))
