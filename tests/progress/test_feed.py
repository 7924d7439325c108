"""What a watcher sees, whatever happens on the way."""

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace

from progress.private_valkey import PrivateValkey
from progress.truth import Truth
from redis.asyncio import Redis

from weft.domain.ids import UUID
from weft.domain.progress import Progress, RunStatus
from weft.progress.channel import ProgressChannel
from weft.progress.codec import channel_of
from weft.progress.feed import ProgressFeed

Later = Callable[[int], Progress]


async def everything(feed: ProgressFeed, state: Progress) -> list[Progress]:
    async with asyncio.timeout(20):
        return [seen async for seen in feed.watch(state)]


async def test_a_watcher_sees_the_state_it_came_with_then_newer_ones_and_the_terminal_one_last(
    feed: ProgressFeed, truth: Truth, channel: ProgressChannel, started: Progress, later: Later, ended: Progress
) -> None:
    async with asyncio.timeout(10), aclosing(feed.watch(started)) as states:
        assert await anext(states) == started
        await truth.next_read()
        await channel.publish(later(2))
        assert await anext(states) == later(2)
        await channel.publish(ended)
        assert [state async for state in states] == [ended]


async def test_a_watcher_that_comes_after_the_end_gets_one_state_and_costs_nothing(
    feed: ProgressFeed, ended: Progress
) -> None:
    assert await everything(feed, ended) == [ended]
    assert feed.runs_watched == 0


async def test_a_second_watcher_begins_with_the_newest_state_known_here(
    feed: ProgressFeed, truth: Truth, channel: ProgressChannel, started: Progress, later: Later
) -> None:
    async with asyncio.timeout(10), aclosing(feed.watch(started)) as first, aclosing(feed.watch(started)) as second:
        await anext(first)
        await truth.next_read()
        await channel.publish(later(7))
        assert await anext(first) == later(7)
        assert await anext(second) == later(7)


async def test_states_that_arrive_out_of_order_never_go_back(
    feed: ProgressFeed, truth: Truth, channel: ProgressChannel, started: Progress, later: Later, ended: Progress
) -> None:
    watching = asyncio.create_task(everything(feed, started))
    await truth.next_read()
    for revision in (5, 3, 9, 9, 2, 8):
        await channel.publish(later(revision))
    await channel.publish(ended)
    await channel.publish(later(10))
    revisions = [state.revision for state in await watching]
    assert revisions == sorted(set(revisions))
    assert revisions[-1] == ended.revision


async def test_updates_come_at_most_20_times_a_second(
    feed: ProgressFeed, truth: Truth, channel: ProgressChannel, started: Progress, later: Later, ended: Progress
) -> None:
    watching = asyncio.create_task(everything(feed, started))
    await truth.next_read()
    begin = time.monotonic()
    for revision in range(2, 800):
        await channel.publish(later(revision))
    await channel.publish(ended)
    states = await watching
    assert 2 < len(states) <= 4 + 20 * (time.monotonic() - begin)
    assert states[-1] == ended


async def test_the_end_does_not_wait_for_the_turn_of_the_next_update(
    feed: ProgressFeed, truth: Truth, channel: ProgressChannel, started: Progress, later: Later, ended: Progress
) -> None:
    delays: list[float] = []
    for _ in range(5):
        async with asyncio.timeout(10), aclosing(feed.watch(started)) as states:
            await anext(states)
            await truth.next_read()
            await channel.publish(later(2))
            assert await anext(states) == later(2)
            sent = time.monotonic()
            await channel.publish(ended)
            assert await anext(states) == ended
            delays.append(time.monotonic() - sent)
    assert min(delays) < 0.03


async def test_a_slow_watcher_finds_only_the_newest_state(
    feed: ProgressFeed, truth: Truth, channel: ProgressChannel, started: Progress, later: Later, ended: Progress
) -> None:
    async with asyncio.timeout(10), aclosing(feed.watch(started)) as slow:
        await anext(slow)
        quick = asyncio.create_task(everything(feed, started))
        await truth.next_read()
        for revision in range(2, 100):
            await channel.publish(later(revision))
        await channel.publish(ended)
        assert (await quick)[-1] == ended
        assert [state async for state in slow] == [ended]


async def test_a_run_has_one_subscription_however_many_watch(
    feed: ProgressFeed,
    valkey: PrivateValkey,
    truth: Truth,
    channel: ProgressChannel,
    started: Progress,
    ended: Progress,
) -> None:
    watching = [asyncio.create_task(everything(feed, started)) for _ in range(100)]
    await truth.next_read()
    assert await valkey.subscribers(started.run_id) == 1
    assert (feed.runs_watched, feed.watchers) == (1, 100)
    await channel.publish(ended)
    assert await asyncio.gather(*watching) == [[started, ended]] * 100
    assert (feed.runs_watched, feed.watchers) == (0, 0)


async def test_what_was_committed_before_the_subscription_stood_is_seen_at_once(
    feed: ProgressFeed, truth: Truth, started: Progress, ended: Progress
) -> None:
    truth.commit(ended)  # after the watcher read its state, and published when nobody listened yet
    begin = time.monotonic()
    assert (await everything(feed, started))[-1] == ended
    assert time.monotonic() - begin < 0.9, "only the safety net found it"


async def test_a_lost_message_delays_and_never_hides(
    feed: ProgressFeed, truth: Truth, started: Progress, later: Later, ended: Progress
) -> None:
    async with asyncio.timeout(10), aclosing(feed.watch(started)) as states:
        await anext(states)
        await truth.next_read()
        truth.commit(later(2))
        assert await anext(states) == later(2)
        truth.commit(ended)
        assert [state async for state in states] == [ended]


async def test_one_read_asks_for_all_watched_runs(feed: ProgressFeed, truth: Truth, started: Progress) -> None:
    runs = [replace(started, run_id=UUID(int=number)) for number in range(50)]
    truth.commit(*runs)
    watching = [asyncio.create_task(everything(feed, run)) for run in runs]
    async with asyncio.timeout(20):
        while truth.asked[-1:] != [{run.run_id for run in runs}]:
            await truth.next_read()
    truth.commit(*(replace(run, status=RunStatus.CANCELLED, revision=2) for run in runs))
    await asyncio.gather(*watching)
    assert len(truth.asked) < 10


async def test_watchers_of_a_deleted_run_are_let_go(feed: ProgressFeed, truth: Truth, started: Progress) -> None:
    truth.states.clear()
    assert await everything(feed, started) == [started]


async def test_a_message_that_cannot_be_read_is_passed_over(
    feed: ProgressFeed,
    valkey: PrivateValkey,
    truth: Truth,
    channel: ProgressChannel,
    started: Progress,
    ended: Progress,
) -> None:
    watching = asyncio.create_task(everything(feed, started))
    await truth.next_read()
    async with Redis.from_url(valkey.url) as redis:
        await redis.publish(channel_of(started.run_id), b"\xff nonsense")
    await channel.publish(ended)
    assert await watching == [started, ended]


async def test_leaving_the_feed_lets_its_watchers_go(valkey: PrivateValkey, truth: Truth, started: Progress) -> None:
    async with ProgressFeed(valkey.url, truth.read_newer) as feed:
        watching = asyncio.create_task(everything(feed, started))
        await truth.next_read()
    assert await watching == [started]
