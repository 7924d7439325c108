"""A proxy between clients and the API that does what proxies do: it holds back what is little, and loses connections."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress

BUFFER_BYTES = 4_096
BUFFER_SECONDS = 0.1

Lose = Callable[[], Awaitable[None]]


async def _just_so() -> None:
    pass


class Proxy:
    def __init__(self, target: int, allowances: Iterator[int], lose: Lose) -> None:
        self.lost = 0
        self._target = target
        self._allowances = allowances
        self._lose = lose

    async def connect(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        try:
            api, to_api = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            to_client.transport.abort()
            return
        forth = asyncio.create_task(_pass_on(client, to_api))
        back = asyncio.create_task(self._bring(api, to_client))
        try:
            await asyncio.wait({forth, back}, return_when=asyncio.FIRST_COMPLETED)
            if back.done() and not back.exception() and back.result():
                self.lost += 1
                await self._lose()
        finally:
            for way in (forth, back):
                way.cancel()
            await asyncio.gather(forth, back, return_exceptions=True)
            for end in (to_client, to_api):
                end.transport.abort()

    async def _bring(self, api: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> bool:
        """Whether it ended because it may bring no more."""
        left = next(self._allowances, None)
        while data := await _gathered(api):
            to_client.write(data if left is None else data[:left])
            await to_client.drain()
            if left is not None and (left := left - len(data)) <= 0:
                return True
        return False


async def _gathered(reader: asyncio.StreamReader) -> bytes:
    """As much as fills the buffer, or comes in a moment."""
    data = await reader.read(BUFFER_BYTES)
    with suppress(TimeoutError):
        async with asyncio.timeout(BUFFER_SECONDS):
            while 0 < len(data) < BUFFER_BYTES and (more := await reader.read(BUFFER_BYTES - len(data))):
                data += more
    return data


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(BUFFER_BYTES):
        writer.write(data)
        await writer.drain()


@asynccontextmanager
async def proxy_to(port: int, allowances: Iterator[int], lose: Lose = _just_so) -> AsyncGenerator[tuple[Proxy, str]]:
    """The proxy and its URL. Each connection brings its client as many bytes as the next of `allowances` says, and is lost when
    `lose` is over. When there are no more of them, connections stay.
    """
    proxy = Proxy(port, allowances, lose)
    server = await asyncio.start_server(proxy.connect, "127.0.0.1", 0)
    try:
        yield proxy, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/graphql"
    finally:
        server.close()
