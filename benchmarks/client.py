"""The client: GraphQL over a kept HTTP connection, and one graphql-transport-ws connection for all subscriptions."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

from benchmarks.process import BenchmarkError

PROTOCOL = "graphql-transport-ws"


@dataclass(slots=True)
class Client:
    url: str
    key: str
    session: aiohttp.ClientSession
    socket: aiohttp.ClientWebSocketResponse
    _begun: int = 0
    """How many subscriptions were begun: the number of the newest."""
    _operations: dict[str, asyncio.Queue[dict[str, Any]]] = field(
        default_factory=dict[str, asyncio.Queue[dict[str, Any]]]
    )

    async def post(self, document: str, **variables: Any) -> bytes:
        """The answer as it came."""
        body = orjson.dumps({"query": document, "variables": variables})
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        async with self.session.post(f"{self.url}/graphql", data=body, headers=headers) as reply:
            return await reply.read()

    async def ask(self, document: str, **variables: Any) -> dict[str, Any]:
        answer = orjson.loads(await self.post(document, **variables))
        if answer.get("errors"):
            raise BenchmarkError(f"The API refused a query: {answer['errors']}")
        return answer["data"]

    async def change(self, document: str, **given: Any) -> dict[str, Any]:
        """The payload of a document's one mutation, which takes `$input`."""
        (payload,) = (await self.ask(document, input=given)).values()
        if payload["errors"]:
            raise BenchmarkError(f"The API refused a mutation: {payload['errors']}")
        return payload

    async def watch(self, document: str, **variables: Any) -> AsyncGenerator[dict[str, Any]]:
        """What a subscription of one field pushes, until it completes."""
        self._begun += 1
        number, messages = str(self._begun), asyncio.Queue[dict[str, Any]]()
        self._operations[number] = messages
        ended = False
        try:
            await self._send("subscribe", id=number, payload={"query": document, "variables": variables})
            while True:
                message = await messages.get()
                if message["type"] == "complete":
                    ended = True
                    return
                if message["type"] != "next" or message["payload"].get("errors"):
                    raise BenchmarkError(f"A subscription failed: {message}")
                (state,) = message["payload"]["data"].values()
                yield state
        finally:
            del self._operations[number]
            if not ended and not self.socket.closed:
                await self._send("complete", id=number)

    async def upload(self, url: str, body: AsyncIterator[bytes]) -> dict[str, Any]:
        async with self.session.put(url, data=body) as reply:
            answer = orjson.loads(await reply.read())
        if reply.status != 200:
            raise BenchmarkError(f"An upload failed: {answer}")
        return answer["import"]

    async def receive(self) -> None:
        """Hands messages to their operations, until it is cancelled or the connection ends."""
        async for frame in self.socket:
            if frame.type is not aiohttp.WSMsgType.TEXT:
                break
            message = orjson.loads(frame.data)
            if message["type"] == "ping":
                await self._send("pong")
            elif (messages := self._operations.get(message.get("id", ""))) is not None:
                messages.put_nowait(message)
        for messages in self._operations.values():
            messages.put_nowait({"type": "closed"})

    async def _send(self, kind: str, **more: Any) -> None:
        await self.socket.send_str(orjson.dumps({"type": kind, **more}).decode())


@asynccontextmanager
async def connected(url: str, key: str) -> AsyncGenerator[Client]:
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=600)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        address = f"{url}/graphql".replace("http", "ws", 1)
        async with session.ws_connect(address, protocols=[PROTOCOL], max_msg_size=0) as socket:
            await socket.send_json({"type": "connection_init", "payload": {"Authorization": f"Bearer {key}"}})
            if (answer := await socket.receive_json())["type"] != "connection_ack":
                raise BenchmarkError(f"The API does not take the websocket: {answer}")
            client = Client(url, key, session, socket)
            receiving = asyncio.create_task(client.receive())
            try:
                yield client
            finally:
                receiving.cancel()
                await asyncio.gather(receiving, return_exceptions=True)
