"""Limits of a provider hold for all workers together, and never for ever."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_servers import Hangs, Says
from models.conftest import Shop
from redis.asyncio import Redis

from weft.domain.outside import ModelRequest
from weft.domain.providers import ProviderLimits
from weft.engine.outside import World
from weft.integrations.models import gate
from weft.integrations.models.rates import Costs, LocalRates
from weft.kit.even_rate import MINUTE_US


@asynccontextmanager
async def two_workers(shop: Shop) -> AsyncGenerator[list[World]]:
    options = shop.services.world._options
    async with World(shop.services.database, options) as other:
        yield [shop.services.world, other]


async def call(shop: Shop, worlds: list[World], times: int) -> float:
    """Seconds that so many calls took, dealt out to the workers."""
    started = time.monotonic()
    models = [world.of(shop.viewer.workspace_id).models for world in worlds]
    request = ModelRequest("local", "gpt-4o-mini", "Hi")
    async with asyncio.timeout(20):
        await asyncio.gather(*(models[number % len(models)].generate(request) for number in range(times)))
    return time.monotonic() - started


async def test_two_workers_never_have_more_calls_under_way_than_allowed(shop: Shop) -> None:
    await shop.provider(concurrency=3)
    shop.server.usual = Says(after=0.05)
    async with two_workers(shop) as worlds:
        took = await call(shop, worlds, 24)
    assert shop.server.most_at_once == 3
    assert len(shop.server.asked) == 24
    assert took < 24 / 3 * 0.05 * 4, "places that are free are taken soon"


async def test_one_call_of_a_worker_does_not_wait_for_the_many_of_another(shop: Shop) -> None:
    await shop.provider(concurrency=2)
    shop.server.usual = Says(after=0.05)
    async with two_workers(shop) as worlds:
        many = asyncio.create_task(call(shop, worlds[:1], 100))
        while len(shop.server.asked) < 10:
            await asyncio.sleep(0.01)
        await call(shop, worlds[1:], 1)
        begun_before_it_ended = len(shop.server.asked)
        await many
    assert begun_before_it_ended < 60
    assert shop.server.most_at_once == 2


async def test_two_workers_share_the_requests_of_a_minute(shop: Shop) -> None:
    await shop.provider(requests_per_minute=600)
    async with two_workers(shop) as worlds:
        took = await call(shop, worlds, 50)
    # A burst of 30, then one every 105 ms.
    assert 1.9 < took < 5


async def test_tokens_of_a_minute_are_counted_as_they_were_used(shop: Shop) -> None:
    await shop.provider(tokens_per_minute=60_000)
    shop.server.usual = Says(input_tokens=4_000, output_tokens=0)
    async with two_workers(shop) as worlds:
        await call(shop, worlds, 1)
        started = time.monotonic()
        await call(shop, worlds, 2)
    # 4,000 tokens are 4.2 s of the limit, of which 3 s are a burst.
    assert 0.8 < time.monotonic() - started < 8


async def test_calls_of_one_worker_begin_in_the_order_they_came(shop: Shop) -> None:
    await shop.provider(concurrency=1)
    shop.server.usual = Says(after=0.01)
    await shop.generate("the first, which looks the provider up")
    await asyncio.gather(*(shop.generate(f"number {number}") for number in range(10)))
    asked = [body["messages"][0]["content"] for body in shop.server.asked[1:]]
    assert asked == [f"number {number}" for number in range(10)]


async def test_without_redis_each_worker_keeps_the_limits_on_its_own(shop: Shop) -> None:
    await shop.provider(concurrency=2, requests_per_minute=6_000)
    clients = shop.services.world._model_clients
    clients._shared = type(clients._shared).connect("redis://127.0.0.1:1/0")
    shop.server.usual = Says(after=0.05)
    took = await call(shop, [shop.services.world], 10)
    assert shop.server.most_at_once == 2
    assert took < 3


async def test_redis_that_is_emptied_on_the_way_stops_nothing(shop: Shop, redis_url: str) -> None:
    await shop.provider(concurrency=2, requests_per_minute=6_000, tokens_per_minute=10_000_000)
    shop.server.usual = Says(after=0.05)
    redis = Redis.from_url(redis_url)
    calling = asyncio.create_task(call(shop, [shop.services.world], 20))
    while not calling.done():
        await redis.flushall()
        await asyncio.sleep(0.02)
    await redis.aclose()
    await calling
    assert len(shop.server.asked) == 20


async def test_a_call_that_waits_gives_up_its_turn_when_it_is_cancelled(shop: Shop) -> None:
    await shop.provider(concurrency=1)
    shop.server.script = [Hangs()]
    first = asyncio.create_task(shop.generate())
    while not shop.server.under_way:
        await asyncio.sleep(0.01)
    second = asyncio.create_task(shop.generate())
    await asyncio.sleep(0.1)
    for call_under_way in (second, first):
        call_under_way.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    async with asyncio.timeout(5):
        assert (await shop.generate()).value == "Hello"


async def test_places_of_a_worker_that_died_run_out(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weft.integrations.models.shared.SLOT_SECONDS", 1)
    await shop.provider(concurrency=1)
    async with two_workers(shop) as worlds:
        clients = worlds[1]._model_clients
        shop.server.script = [Hangs()]
        dying = asyncio.create_task(call(shop, [worlds[1]], 1))
        while not shop.server.under_way:
            await asyncio.sleep(0.01)
        for opened in clients._open.values():
            await opened.gate.close()  # nothing renews or gives back its place any more
        await call(shop, worlds[:1], 1)
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)


async def test_a_turn_that_does_not_come_is_tried_again_later(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "LONGEST_WAIT", gate.LONGEST_WAIT / 18_000)  # 0.1 s
    await shop.provider(requests_per_minute=1)
    await shop.generate()
    with pytest.raises(gate.Retry) as raised:
        await shop.generate()
    assert raised.value.code == "RATE_LIMITED"


@given(st.integers(1, 200), st.lists(st.integers(0, 5_000_000), max_size=300))
def test_no_minute_sees_more_requests_than_allowed(limit: int, pauses: list[int]) -> None:
    rates = LocalRates(Costs.of(ProviderLimits(requests_per_minute=limit)))
    now, let_in = 0, list[int]()
    for pause in pauses:
        now += pause
        wait = rates.admit(now, 0, "")
        assert wait is not None
        if wait:
            now += wait
            assert rates.admit(now, 0, "") == 0, "what it says to wait is enough"
        let_in.append(now)
    for index, first in enumerate(let_in):
        assert sum(first <= moment < first + MINUTE_US for moment in let_in[index:]) <= limit
