"""A Valkey that a test may stop, empty and start again."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from redis.asyncio import Redis

from weft.domain.ids import UUID
from weft.embedded.binaries import find_binaries
from weft.kit.process import ChildProcess, Command, spawn
from weft.progress.codec import channel_of


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await condition():
            await asyncio.sleep(0.01)


class PrivateValkey:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder / "v.sock"
        self._process: ChildProcess | None = None
        self.url = f"unix://{self._socket}"

    async def start(self) -> None:
        server = str(find_binaries().valkey_server)
        options = {"port": "0", "unixsocket": str(self._socket), "dir": str(self._folder), "save": ""}
        flags = [word for name, value in options.items() for word in (f"--{name}", value)]
        with (self._folder / "log").open("ab") as log:
            self._process = spawn(Command((server, *flags)), log)
        await until(self._answers)

    async def stop(self) -> None:
        if self._process is not None:
            await self._process.stop(10)

    async def subscribers(self, run_id: UUID) -> int:
        return await self._subscribers(channel_of(run_id))

    async def subscribed(self, run_id: UUID) -> None:
        """Returns when somebody listens to the run."""
        await self.heard(channel_of(run_id))

    async def heard(self, channel: bytes) -> None:
        """Returns when somebody listens to the channel."""

        async def has_subscribers() -> bool:
            return await self._subscribers(channel) > 0

        await until(has_subscribers)

    async def _subscribers(self, channel: bytes) -> int:
        async with Redis.from_url(self.url) as redis:
            return (await redis.pubsub_numsub(channel))[0][1]

    async def quiet(self) -> None:
        """Returns when nobody listens to anything."""

        async def has_no_channels() -> bool:
            async with Redis.from_url(self.url) as redis:
                return not await redis.pubsub_channels()

        await until(has_no_channels)

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_unix_connection(self._socket)
        except OSError:
            return False
        writer.close()
        return True
