import asyncio
import time
from pathlib import Path
from typing import Any, cast

from progress.private_valkey import PrivateValkey
from redis.asyncio import Redis

from weft.domain.progress import Progress
from weft.progress.channel import ProgressChannel
from weft.progress.codec import ENDED, channel_of, decode
from weft.progress.feed import ProgressFeed


async def received(valkey: PrivateValkey, channel: ProgressChannel, state: Progress) -> Progress:
    """What a subscriber gets of one publish."""
    async with Redis.from_url(valkey.url) as redis, redis.pubsub() as subscriber:
        await subscriber.subscribe(channel_of(state.run_id))
        assert await subscriber.get_message(timeout=5)
        await channel.publish(state)
        message = cast("Any", await subscriber.get_message(timeout=5))
    return decode(message["data"])


async def test_what_is_published_arrives_on_the_channel_of_the_run(
    valkey: PrivateValkey, channel: ProgressChannel, started: Progress
) -> None:
    assert await received(valkey, channel, started) == started


async def test_the_end_of_a_run_is_told_to_those_who_watch_no_run_as_well(
    valkey: PrivateValkey, channel: ProgressChannel, feed: ProgressFeed, started: Progress, ended: Progress
) -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    others: asyncio.Queue[bytes] = asyncio.Queue()
    stop = feed.hear(ENDED, heard.put_nowait)
    stop_others = feed.hear(ENDED, others.put_nowait)
    await valkey.heard(ENDED)
    await channel.publish(started)
    assert await received(valkey, channel, ended) == ended
    async with asyncio.timeout(10):
        assert await heard.get() == await others.get() == ended.run_id.bytes
    assert heard.empty()
    stop_others()
    await channel.publish(ended)
    async with asyncio.timeout(10):
        assert await heard.get() == ended.run_id.bytes
    assert others.empty()
    stop()
    await valkey.quiet()


async def test_publishing_without_redis_fails_in_silence(tmp_path: Path, started: Progress) -> None:
    for url in (f"unix://{tmp_path}/nothing", "redis://127.0.0.1:1"):
        channel = ProgressChannel(url)
        await channel.publish(started)
        await channel.close()


async def test_a_redis_that_hangs_holds_up_the_first_publish_shortly_and_the_next_ones_not_at_all(
    tmp_path: Path, started: Progress
) -> None:
    connected = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        await reader.read(-1)
        writer.close()

    channel = ProgressChannel(f"unix://{tmp_path}/hanging")
    async with await asyncio.start_unix_server(hang, tmp_path / "hanging"):
        begin = time.monotonic()
        for _ in range(50):
            await channel.publish(started)
        assert connected.is_set()
        assert time.monotonic() - begin < 2
        await channel.close()


async def test_publishing_works_again_after_redis_was_restarted(
    valkey: PrivateValkey, channel: ProgressChannel, started: Progress
) -> None:
    await channel.publish(started)
    await valkey.stop()
    await valkey.start()
    assert await received(valkey, channel, started) == started
