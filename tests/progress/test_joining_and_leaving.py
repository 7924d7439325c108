"""Watchers come and go without a trace."""

import asyncio
import gc
from contextlib import aclosing
from dataclasses import replace

from progress.private_valkey import PrivateValkey
from progress.truth import Truth

from weft.domain.ids import new_id
from weft.domain.progress import Progress
from weft.kit.conflate import Latest
from weft.progress.channel import ProgressChannel
from weft.progress.feed import ProgressFeed


def slots() -> int:
    gc.collect()
    return sum(isinstance(thing, Latest) for thing in gc.get_objects())


async def test_2000_joins_and_leaves_leave_no_task_channel_or_watcher_behind(
    feed: ProgressFeed, valkey: PrivateValkey, truth: Truth, started: Progress
) -> None:
    runs = [replace(started, run_id=new_id()) for _ in range(40)]
    truth.commit(*runs)
    async with aclosing(feed.watch(runs[0])) as states:
        await anext(states)
        await truth.next_read()  # the connection stands, and so do its tasks
    tasks, before = asyncio.all_tasks(), slots()

    async def look_and_leave(number: int) -> None:
        async with aclosing(feed.watch(runs[number % len(runs)])) as states:
            await anext(states)
            if number % 3 == 0:
                await asyncio.sleep(0)
            if number % 3 == 1:
                await anext(states)  # waits until it is cancelled

    async def come_and_go(wave: int) -> None:
        watching = [asyncio.create_task(look_and_leave(100 * wave + number)) for number in range(100)]
        await (truth.next_read() if wave % 2 else asyncio.sleep(0))
        for task in watching:
            task.cancel()
        await asyncio.wait(watching)

    for wave in range(20):
        await come_and_go(wave)
    await valkey.quiet()
    assert (feed.runs_watched, feed.watchers) == (0, 0)
    assert asyncio.all_tasks() == tasks
    assert not feed._hub._listener.channels
    assert not feed._hub._listener._live | feed._hub._listener._subscribed | feed._hub._unread
    assert slots() == before


async def test_a_run_that_is_left_and_watched_again_at_once_is_followed(
    feed: ProgressFeed,
    valkey: PrivateValkey,
    truth: Truth,
    channel: ProgressChannel,
    started: Progress,
    ended: Progress,
) -> None:
    for _ in range(5):
        async with aclosing(feed.watch(started)) as states:
            await anext(states)
            await truth.next_read()
    async with asyncio.timeout(10), aclosing(feed.watch(started)) as states:
        await anext(states)
        await truth.next_read()
        await valkey.subscribed(started.run_id)
        await channel.publish(ended)
        assert [state async for state in states] == [ended]
