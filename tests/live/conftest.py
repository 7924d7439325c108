"""The endpoint on a socket of its own, with what it shares in sight."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from socket import socket
from typing import Any

import aiohttp
import pytest
import uvicorn
from progress import states
from progress.stored_runs import commit, store

from weft.domain.access import Role, Viewer
from weft.domain.progress import Progress
from weft.graphql.nodes import encode_id
from weft.graphql.schema import WeftSchema
from weft.graphql.view import GraphQLView
from weft.http.frames import FrameProtocol
from weft.operations.keys import CreatedKey, create_api_key
from weft.operations.services import Services

QUERY = "subscription ($runId: ID!) { runProgress(runId: $runId) { status revision } }"


@dataclass
class Page:
    """One websocket of a web page."""

    socket: aiohttp.ClientWebSocketResponse

    async def subscribe(self, operation_id: str, run: Progress, query: str = QUERY) -> None:
        payload = {"query": query, "variables": {"runId": encode_id("Run", run.run_id)}}
        await self.socket.send_json({"id": operation_id, "type": "subscribe", "payload": payload})

    async def complete(self, operation_id: str) -> None:
        await self.socket.send_json({"id": operation_id, "type": "complete"})

    async def next(self) -> dict[str, Any]:
        return await self.socket.receive_json(timeout=20)

    async def revision(self) -> tuple[str, int]:
        """Of the next state, and the operation that it is for."""
        message = await self.next()
        assert message["type"] == "next", message
        return message["id"], message["payload"]["data"]["runProgress"]["revision"]


@dataclass
class Endpoint:
    services: Services
    view: GraphQLView
    url: str
    session: aiohttp.ClientSession

    @asynccontextmanager
    async def page(self, key: str) -> AsyncGenerator[Page]:
        async with self.session.ws_connect(self.url, protocols=["graphql-transport-ws"]) as opened:
            await opened.send_json({"type": "connection_init", "payload": {"Authorization": f"Bearer {key}"}})
            assert await opened.receive_json(timeout=20) == {"type": "connection_ack"}
            yield Page(opened)

    async def key(self, viewer: Viewer, role: Role = Role.VIEWER) -> CreatedKey:
        return await create_api_key(self.services, viewer, name=f"a {role}", role=role, expires_at=None)

    async def tell(self, state: Progress) -> None:
        await commit(self.services.database, state)
        await self.services.channel.publish(state)

    async def nothing_left(self) -> None:
        async with asyncio.timeout(20):
            while self.view.shared.executions or self.services.progress.runs_watched:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(services: Services, protocol: Any) -> AsyncGenerator[Endpoint]:
    view = GraphQLView(WeftSchema(), services)
    server = uvicorn.Server(uvicorn.Config(view, ws=protocol, lifespan="off", log_level="warning"))
    with socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        running = asyncio.create_task(server.serve([listening]))
        async with aiohttp.ClientSession() as session:
            yield Endpoint(services, view, f"http://127.0.0.1:{listening.getsockname()[1]}/graphql", session)
        server.should_exit = True
        async with asyncio.timeout(20):
            await running


@pytest.fixture(params=[FrameProtocol, "websockets-sansio"], ids=["frames", "plain"])
async def endpoint(services: Services, request: pytest.FixtureRequest) -> AsyncIterator[Endpoint]:
    """On our own server, and on one that has no frames of its own."""
    async with serving(services, request.param) as endpoint:
        yield endpoint


@pytest.fixture
async def key(endpoint: Endpoint, viewer: Viewer) -> str:
    return (await endpoint.key(viewer)).text


@pytest.fixture
async def run(services: Services, viewer: Viewer) -> Progress:
    state = states.started()
    await store(services.database, viewer, state)
    return state
