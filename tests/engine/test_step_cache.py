"""The cache of one worker by itself: who computes, who waits, and what is remembered."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from engine.conftest import Bench

from weft.domain.access import Viewer
from weft.domain.step import Output, Retry
from weft.engine.caching import StepCache
from weft.storage.step_cache import Wanted


def _key(bench: Bench) -> Wanted:
    return Wanted(bench.viewer.workspace_id, b"k" * 32, timedelta(hours=1))


async def test_workspaces_share_nothing(bench: Bench, stranger: Viewer) -> None:
    cache, calls = StepCache(bench.services.database), 0

    async def compute() -> Output:
        nonlocal calls
        calls += 1
        return Output("mine")

    key = Wanted(bench.viewer.workspace_id, b"k" * 32, timedelta(hours=1))
    theirs = replace(key, workspace_id=stranger.workspace_id)
    answers = [await cache.answer(one, compute) for one in (key, theirs, key, theirs)]
    assert [answer.from_cache for answer in answers if isinstance(answer, Output)] == [False, False, True, True]
    assert calls == 2


async def test_who_waits_for_a_call_that_fails_computes_for_himself(bench: Bench) -> None:
    cache, key = StepCache(bench.services.database), _key(bench)
    going, calls = asyncio.Event(), 0

    async def compute() -> Output | Retry:
        nonlocal calls
        calls += 1
        await going.wait()
        return Retry("busy") if calls == 1 else Output(calls)

    asked = [asyncio.create_task(cache.answer(key, compute)) for _ in range(3)]
    await asyncio.sleep(0.1)
    assert calls == 1
    going.set()
    first, *others = await asyncio.gather(*asked)
    assert isinstance(first, Retry)
    assert [other.from_cache for other in others if isinstance(other, Output)] == [False, False]


async def test_who_is_cancelled_leaves_the_others_alone(bench: Bench) -> None:
    cache, key, going = StepCache(bench.services.database), _key(bench), asyncio.Event()

    async def compute() -> Output:
        await going.wait()
        return Output({"list": [1]})

    leader, follower, another = [asyncio.create_task(cache.answer(key, compute)) for _ in range(3)]
    await asyncio.sleep(0.1)
    follower.cancel()
    await asyncio.wait([follower])
    going.set()
    mine, theirs = await asyncio.gather(leader, another)
    assert isinstance(mine, Output)
    assert isinstance(theirs, Output)
    assert (mine.value, theirs.value, theirs.from_cache) == ({"list": [1]}, {"list": [1]}, True)
    assert theirs.value is not mine.value


async def test_a_leader_that_is_cancelled_is_replaced(bench: Bench) -> None:
    cache, key, calls = StepCache(bench.services.database), _key(bench), 0

    async def compute() -> Output:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0.2 if calls == 1 else 0)
        return Output(calls)

    leader, follower = [asyncio.create_task(cache.answer(key, compute)) for _ in range(2)]
    await asyncio.sleep(0.1)
    leader.cancel()
    assert await follower == Output(2)


@pytest.mark.parametrize("value", ["x" * 2_000_000, "\0", {1: 2}, float, {"deep": object()}])
async def test_what_cannot_be_remembered_is_computed_each_time(bench: Bench, value: Any) -> None:
    cache, key, calls = StepCache(bench.services.database), _key(bench), 0

    async def compute() -> Output:
        nonlocal calls
        calls += 1
        return Output(value)

    for _ in range(2):
        assert await cache.answer(key, compute) == Output(value)
    assert calls == 2


async def test_without_the_table_steps_are_computed(bench: Bench) -> None:
    """As with any fault of the cache: it costs time, and no item."""
    cache, key = StepCache(bench.services.database), _key(bench)

    async def compute() -> Output:
        return Output(1)

    async with bench.services.database.transaction() as connection:
        await connection.exec_driver_sql("ALTER TABLE step_cache RENAME TO away")
    try:
        assert await cache.answer(key, compute) == Output(1)
    finally:
        async with bench.services.database.transaction() as connection:
            await connection.exec_driver_sql("ALTER TABLE away RENAME TO step_cache")
