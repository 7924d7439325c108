"""Redis and the database come and go while somebody watches."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

from progress.private_valkey import PrivateValkey
from progress.truth import Truth
from redis.asyncio import Redis

from weft.domain.progress import Progress
from weft.progress.channel import ProgressChannel
from weft.progress.feed import ProgressFeed

Later = Callable[[int], Progress]


async def test_watchers_live_through_a_restart_of_redis(
    feed: ProgressFeed, valkey: PrivateValkey, truth: Truth, started: Progress, later: Later, ended: Progress
) -> None:
    async with asyncio.timeout(20), aclosing(feed.watch(started)) as states:
        await anext(states)
        await valkey.subscribed(started.run_id)
        await valkey.stop()
        truth.commit(later(2))
        assert await anext(states) == later(2), "Postgres tells while Redis is away"
        await valkey.start()
        await valkey.subscribed(started.run_id)
        fresh = ProgressChannel(valkey.url)
        await fresh.publish(ended)  # committed nowhere: only the renewed subscription can bring it
        await fresh.close()
        assert [state async for state in states] == [ended]


async def test_a_cut_connection_is_replaced(
    feed: ProgressFeed, valkey: PrivateValkey, channel: ProgressChannel, started: Progress, ended: Progress
) -> None:
    async with asyncio.timeout(20), aclosing(feed.watch(started)) as states:
        await anext(states)
        await valkey.subscribed(started.run_id)
        async with Redis.from_url(valkey.url) as redis:
            assert await redis.client_kill_filter(_type="pubsub") == 1
        await valkey.subscribed(started.run_id)
        await channel.publish(ended)
        assert [state async for state in states] == [ended]


async def test_without_redis_from_the_start_the_end_is_seen_all_the_same(
    truth: Truth, started: Progress, later: Later, ended: Progress
) -> None:
    async with (
        ProgressFeed("redis://127.0.0.1:1", truth.read_newer) as feed,
        asyncio.timeout(20),
        aclosing(feed.watch(started)) as states,
    ):
        await anext(states)
        truth.commit(later(2))
        assert await anext(states) == later(2)
        truth.commit(ended)
        assert [state async for state in states] == [ended]


async def test_a_database_that_fails_for_a_while_is_asked_again(
    feed: ProgressFeed, truth: Truth, started: Progress, ended: Progress
) -> None:
    truth.broken = True
    async with asyncio.timeout(20), aclosing(feed.watch(started)) as states:
        await anext(states)
        await truth.next_read()
        await truth.next_read()
        truth.broken = False
        truth.commit(ended)
        assert [state async for state in states] == [ended]
