"""Steps with `cache`, in the real engine: what is computed once, and what a hit is."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from engine.conftest import Bench
from engine.model_steps import PRICE, Ask, Shout
from engine.step_types import Counting, Gate

from weft.domain.errors import ErrorCode, Invalid
from weft.domain.progress import RunStatus
from weft.domain.run import Run
from weft.domain.usage import NO_USAGE, Usage
from weft.engine.caching import StepCache


@pytest.fixture(autouse=True)
def _fresh_counters() -> None:
    Ask.calls.clear()
    Shout.calls.clear()
    Counting.calls.clear()


def ask(**config: Any) -> dict[str, Any]:
    return {"id": "ask", "type": "test_ask", "cache": True, "config": config}


async def steps_of(bench: Bench, run: Run) -> list[list[dict[str, Any]]]:
    return [item["steps"] for item in await bench.items(run)]


async def test_the_same_run_again_makes_no_call_and_costs_nothing(bench: Bench) -> None:
    workflow = await bench.workflow(ask(), entity_type=await bench.movies(50))
    first = await bench.finish(await bench.start(workflow))
    assert Ask.calls.total() == 50
    assert first.usage == Usage(*(50 * figure for figure in PRICE.figures))

    again = await bench.start(workflow)
    second = await bench.finish(again, bench.new_worker("another"))
    assert (second.status, second.completed) == (RunStatus.COMPLETED, 50)
    assert Ask.calls.total() == 50
    assert second.usage == NO_USAGE
    (step,) = (await steps_of(bench, again))[7]
    assert step["o"] == {"answer": "MOVIE 7"}
    assert (step["h"], step["d"], "u" in step, "a" in step) == (list(PRICE.figures), 0, False, False)
    assert second.steps[0].busy == timedelta(0)


async def test_a_thousand_items_with_the_same_content_make_one_call(bench: Bench) -> None:
    workflow = await bench.workflow(
        ask(text="same", delay_ms=20), entity_type=await bench.movies(1_000, title="same", year=2000)
    )
    run = await bench.start(workflow)
    progress = await bench.finish(run)
    assert progress.completed == 1_000
    assert Ask.calls == {"same": 1}
    assert progress.usage == PRICE
    hits = [step["h"] for (step,) in await steps_of(bench, run) if "h" in step]
    assert hits == [list(PRICE.figures)] * 999


async def test_a_step_that_only_computes_can_be_cached_too(bench: Bench) -> None:
    shout = {"id": "shout", "type": "test_shout", "cache": {"maxAge": "PT1H"}}
    workflow = await bench.workflow(shout, entity_type=await bench.movies(20))
    await bench.finish(await bench.start(workflow))
    run = await bench.start(workflow)
    progress = await bench.finish(run)
    assert (progress.completed, Shout.calls.total()) == (20, 20)
    assert (await steps_of(bench, run))[3][0]["o"] == {"said": "MOVIE 3"}


async def test_a_condition_from_the_cache_takes_its_branches(bench: Bench) -> None:
    check = {"id": "check", "type": "condition", "cache": True, "config": {"branches": {"old": "input.year < 2005"}}}
    then = {"id": "then", "type": "test_counting", "dependsOn": ["check:old"]}
    workflow = await bench.workflow(check, then, entity_type=await bench.movies(10))
    await bench.finish(await bench.start(workflow))
    run = await bench.start(workflow)
    await bench.finish(run)
    assert [steps[1]["s"] for steps in await steps_of(bench, run)] == ["C"] * 5 + ["S"] * 5
    assert all("h" in steps[0] for steps in await steps_of(bench, run))


@pytest.mark.parametrize(
    ("config", "parameters", "calls"),
    [
        ({"text": "{{ title }} {{ params.tone }}"}, {"tone": "warm"}, 2),
        ({"text": "{{ title }} {{ run.id }}"}, {}, 2),
        ({"text": "{{ title }}", "looks_at": None}, {"tone": "warm"}, 1),
        ({"text": "{{ title }}"}, {"tone": "cold"}, 1),
    ],
)
async def test_what_a_step_reads_besides_its_input_is_part_of_the_content(
    bench: Bench, config: dict[str, Any], parameters: dict[str, Any], calls: int
) -> None:
    workflow = await bench.workflow(ask(**config), entity_type=await bench.movies(1))
    await bench.finish(await bench.start(workflow, parameters={"tone": "cold"}))
    await bench.finish(await bench.start(workflow, parameters=parameters))
    assert Ask.calls.total() == calls


async def test_of_other_steps_only_what_is_read_counts(bench: Bench) -> None:
    steps = (
        {"id": "first", "type": "transform", "config": {"fields": {"a": "input.year", "b": "run.id"}, "keep": False}},
        {"id": "second", "type": "transform", "config": {"fields": {"c": "1"}, "keep": False}},
        ask(text="{{ steps.first.a }}"),
    )
    workflow = await bench.workflow(*steps, entity_type=await bench.movies(3))
    for _ in range(2):
        await bench.finish(await bench.start(workflow))
    assert Ask.calls == {"2000": 1, "2001": 1, "2002": 1}


async def test_another_config_is_other_content(bench: Bench) -> None:
    movies = await bench.movies(1)
    for text in ("{{ title }}", "{{ title }}!", "{{ title }}"):
        await bench.finish(await bench.start(await bench.workflow(ask(text=text), entity_type=movies)))
    assert Ask.calls == {"Movie 0": 1, "Movie 0!": 1}


async def test_a_cached_step_is_shown_only_what_is_part_of_the_content(bench: Bench) -> None:
    workflow = await bench.workflow(ask(looks_at="all"), entity_type=await bench.movies(1))
    run = await bench.start(workflow)
    await bench.finish(run)
    assert (await steps_of(bench, run))[0][0]["o"] == {"saw": ["input"]}


async def test_an_output_that_is_too_old_is_computed_again(bench: Bench) -> None:
    step = ask() | {"cache": {"maxAge": "PT1H"}}
    workflow = await bench.workflow(step, entity_type=await bench.movies(1))
    await bench.finish(await bench.start(workflow))
    await _age(bench, "50 minutes")
    await bench.finish(await bench.start(workflow))
    assert Ask.calls.total() == 1
    await _age(bench, "11 minutes")
    await bench.finish(await bench.start(workflow))
    assert Ask.calls.total() == 2
    await bench.finish(await bench.start(workflow))
    assert Ask.calls.total() == 2


async def test_a_shorter_age_does_not_take_what_a_longer_one_kept(bench: Bench) -> None:
    movies = await bench.movies(1)
    await bench.finish(await bench.start(await bench.workflow(ask(), entity_type=movies)))
    await _age(bench, "2 hours")
    short = await bench.workflow(ask() | {"cache": {"maxAge": 3600}}, entity_type=movies)
    await bench.finish(await bench.start(short))
    assert Ask.calls.total() == 2


async def test_failures_are_not_remembered(bench: Bench) -> None:
    workflow = await bench.workflow(ask(fail=True, text="same"), entity_type=await bench.movies(5))
    for _ in range(2):
        progress = await bench.finish(await bench.start(workflow))
        assert progress.failed == 5
    assert Ask.calls.total() == 10
    assert await bench.rows("SELECT key FROM step_cache") == []


async def test_an_output_after_failed_attempts_is_remembered_and_what_they_cost_is_not_lost(bench: Bench) -> None:
    workflow = await bench.workflow(ask(fail_first=2), entity_type=await bench.movies(1))
    first = await bench.finish(await bench.start(workflow))
    assert first.usage.calls == 3
    run = await bench.start(workflow)
    assert (await bench.finish(run)).usage == NO_USAGE
    assert (await steps_of(bench, run))[0][0]["h"] == list(PRICE.figures)


async def test_a_step_with_effects_is_refused_when_it_is_saved(bench: Bench) -> None:
    steps = [{"id": "out", "type": "publish", "cache": True}]
    with pytest.raises(Invalid) as refused:
        await bench.workflow(*steps, entity_type=await bench.movies(1))
    (problem,) = refused.value.problems
    assert (problem.code, problem.path) == (ErrorCode.INVALID, ("definition", "steps", "0", "cache"))
    assert "publish" in problem.message


async def test_effects_of_a_step_that_did_not_say_so_are_never_lost(bench: Bench) -> None:
    tell = {"id": "tell", "type": "test_tell", "cache": True}
    movies = await bench.movies(3)
    workflow = await bench.workflow(tell, entity_type=movies)
    for _ in range(2):
        await bench.finish(await bench.start(workflow))
    versions = await bench.rows("SELECT version FROM entity WHERE entity_type_id = :id", id=movies)
    assert [row["version"] for row in versions] == [3, 3, 3]


async def test_a_batch_that_is_carried_with_care_uses_the_cache(bench: Bench) -> None:
    workflow = await bench.workflow(ask(), {"id": "out", "type": "echo"}, entity_type=await bench.movies(4))
    await bench.finish(await bench.start(workflow))
    run = await bench.start(workflow)
    async with bench.services.database.transaction() as connection:
        await connection.exec_driver_sql("UPDATE run_batch SET holders_lost = 2")
    progress = await bench.finish(run)
    assert (progress.completed, Ask.calls.total()) == (4, 4)
    assert all("h" in steps[0] and "h" not in steps[1] for steps in await steps_of(bench, run))
    noted = await bench.rows("SELECT suspect_step FROM run_batch WHERE run_id = :id", id=run.id)
    assert {row["suspect_step"] for row in noted} == {"out"}


async def test_hits_behind_which_an_item_waits_leave_a_checkpoint(bench: Bench) -> None:
    """So what was found stays, even if it expires meanwhile."""
    movies = await bench.movies(2)
    await bench.finish(await bench.start(await bench.workflow(ask(), entity_type=movies)))
    Gate.opened = asyncio.Event()
    run = await bench.start(await bench.workflow(ask(), {"id": "gate", "type": "test_gate"}, entity_type=movies))
    first = bench.new_worker("first")
    working = asyncio.create_task(first.run())
    async with asyncio.timeout(10):
        while len(await bench.rows("SELECT ordinal FROM run_checkpoint WHERE run_id = :id", id=run.id)) < 2:
            await asyncio.sleep(0.02)
    await _age(bench, "31 days")
    Gate.opened.set()
    await first.stop()
    await working
    progress = await bench.finish(run, bench.new_worker("second"))
    assert (progress.completed, Ask.calls.total()) == (2, 2)
    assert all("h" in steps[0] for steps in await steps_of(bench, run))


async def test_what_has_expired_is_deleted(bench: Bench) -> None:
    workflow = await bench.workflow(ask(), entity_type=await bench.movies(4))
    await bench.finish(await bench.start(workflow))
    cache = StepCache(bench.services.database)
    assert await cache.drop_expired() == 0
    await _age(bench, "31 days")
    assert await cache.drop_expired() == 4
    assert await bench.rows("SELECT key FROM step_cache") == []


async def _age(bench: Bench, by: str) -> None:
    async with bench.services.database.transaction() as connection:
        await connection.exec_driver_sql(
            f"UPDATE step_cache SET created_at = created_at - interval '{by}', expires_at = expires_at - interval '{by}'"
        )
