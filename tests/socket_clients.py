"""A process as `weft api` runs it, with limits of its own, and clients that see how their websockets are closed."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from socket import socket
from typing import Any

import aiohttp
import orjson

from weft.app import server
from weft.graphql.connections import Connections
from weft.http.server import GracefulServer
from weft.settings import Settings

PROTOCOL = ("graphql-transport-ws",)
Socket = aiohttp.ClientWebSocketResponse


@dataclass
class Serving:
    origin: str
    session: aiohttp.ClientSession
    server: GracefulServer
    running: asyncio.Task[None]

    @property
    def url(self) -> str:
        return f"{self.origin}/graphql"

    @property
    def connections(self) -> Connections:
        return vars(self.server)["_held"]

    def connect(self, address: str = "192.0.2.1", **options: Any) -> AbstractAsyncContextManager[Socket]:
        """From that address: the test is a proxy that is trusted."""
        connect: Any = self.session.ws_connect
        return connect(self.url, protocols=PROTOCOL, headers={"X-Forwarded-For": address}, **options)

    @asynccontextmanager
    async def opened(self, key: str, address: str = "192.0.2.1", **options: Any) -> AsyncGenerator[Socket]:
        async with asyncio.timeout(30), self.connect(address, **options) as opened:
            await opened.send_json({"type": "connection_init", "payload": {"apiKey": key}})
            message = await opened.receive()
            assert message.type is aiohttp.WSMsgType.TEXT, closing(message)
            assert orjson.loads(message.data)["type"] == "connection_ack"
            yield opened

    async def refused(self, key: str, address: str = "192.0.2.1") -> tuple[int, str]:
        async with asyncio.timeout(30), self.connect(address) as opened:
            await opened.send_json({"type": "connection_init", "payload": {"apiKey": key}})
            return closing(await opened.receive())

    async def nobody_is_left(self) -> None:
        async with asyncio.timeout(20):
            while len(self.connections):
                await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(settings: Settings, **changed: Any) -> AsyncGenerator[Serving]:
    own = server(settings.model_copy(update=changed))
    with socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(1_000)
        running = asyncio.create_task(own.serve([listening]))
        try:
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
                yield Serving(f"http://127.0.0.1:{listening.getsockname()[1]}", session, own, running)
        finally:
            own.should_exit = True
            async with asyncio.timeout(30):
                await running


def operation(query: str, id: str = "1", **variables: Any) -> dict[str, Any]:
    return {"id": id, "type": "subscribe", "payload": {"query": query, "variables": variables}}


def closing(message: aiohttp.WSMessage) -> tuple[int, str]:
    """The code and the reason."""
    assert message.type is aiohttp.WSMsgType.CLOSE, message
    return message.data, str(message.extra)


async def close_of(opened: Socket) -> tuple[int, str]:
    """How it is closed, whatever comes before."""
    async with asyncio.timeout(30):
        while (message := await opened.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
    return closing(message)
