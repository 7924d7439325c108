"""`runProgress` as clients get it: over a websocket and as an event stream, from a real server on a real socket."""

import asyncio
import json
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from socket import socket
from typing import Any

import aiohttp
import pytest
import uvicorn
from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport
from progress import states
from progress.private_valkey import PrivateValkey
from progress.stored_runs import commit, store

from weft.domain.access import Role, Viewer
from weft.domain.progress import Progress
from weft.graphql.nodes import encode_id
from weft.graphql.schema import WeftSchema
from weft.graphql.view import GraphQLView
from weft.operations.keys import create_api_key
from weft.operations.progress import reader_of
from weft.operations.services import Services
from weft.progress.channel import ProgressChannel
from weft.progress.feed import ProgressFeed

QUERY = "subscription ($runId: ID!) { runProgress(runId: $runId) { status revision finished total } }"


@dataclass(frozen=True)
class Server:
    services: Services
    url: str
    key: str

    async def tell(self, state: Progress) -> None:
        await commit(self.services.database, state)
        await self.services.channel.publish(state)

    async def over_websocket(self, state: Progress) -> AsyncGenerator[int]:
        transport = WebsocketsTransport(
            f"ws://{self.url}",
            init_payload={"Authorization": f"Bearer {self.key}"},
            subprotocols=["graphql-transport-ws"],
        )
        async with Client(transport=transport) as session:
            request = gql(QUERY)
            request.variable_values = _variables(state)
            async for result in session.subscribe(request):
                yield result["runProgress"]["revision"]

    async def over_sse(self, state: Progress) -> AsyncGenerator[int]:
        headers = {"Authorization": f"Bearer {self.key}", "Accept": "text/event-stream"}
        body = {"query": QUERY, "variables": _variables(state)}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(f"http://{self.url}", json=body) as response,
        ):
            assert response.status == 200
            event = b""
            async for line in response.content:
                field, _, value = line.strip().partition(b": ")
                if field == b"event":
                    event = value
                elif field == b"data" and event == b"next":
                    yield json.loads(value)["data"]["runProgress"]["revision"]
            assert event == b"complete"


def _variables(state: Progress) -> dict[str, str]:
    return {"runId": encode_id("Run", state.run_id)}


@asynccontextmanager
async def serving(services: Services, viewer: Viewer) -> AsyncGenerator[Server]:
    created = await create_api_key(services, viewer, name="page", role=Role.VIEWER, expires_at=None)
    view = GraphQLView(WeftSchema(), services)
    config = uvicorn.Config(view, ws="websockets-sansio", lifespan="off", log_level="warning")
    server = uvicorn.Server(config)
    with socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        running = asyncio.create_task(server.serve([listening]))
        yield Server(services, f"127.0.0.1:{listening.getsockname()[1]}/graphql", created.text)
        server.should_exit = True
        await running


@pytest.fixture
async def server(services: Services, viewer: Viewer) -> AsyncIterator[Server]:
    async with serving(services, viewer) as server:
        yield server


@pytest.fixture
async def run(server: Server, viewer: Viewer) -> Progress:
    state = states.started()
    await store(server.services.database, viewer, state)
    return state


transports = pytest.mark.parametrize("watch", [Server.over_websocket, Server.over_sse], ids=["websocket", "sse"])
Watch = Any


@transports
async def test_a_page_sees_the_run_from_where_it_is_to_its_end(server: Server, run: Progress, watch: Watch) -> None:
    seen: list[int] = []
    async with asyncio.timeout(20), aclosing(watch(server, run)) as revisions:
        async for revision in revisions:
            seen.append(revision)
            await server.tell(states.later(run, 2) if revision == 1 else states.ended(run))
    assert seen == [1, 2, 1_000]


@transports
async def test_a_page_that_comes_after_the_end_gets_one_state_and_is_done(
    server: Server, run: Progress, watch: Watch
) -> None:
    await server.tell(states.ended(run))
    async with asyncio.timeout(20):
        assert [revision async for revision in watch(server, run)] == [1_000]


@transports
async def test_a_page_that_goes_away_leaves_nothing_behind_and_may_come_back(
    server: Server, run: Progress, watch: Watch
) -> None:
    async with asyncio.timeout(20):
        async with aclosing(watch(server, run)) as revisions:
            assert await anext(revisions) == 1
            assert server.services.progress.watchers == 1
        while server.services.progress.watchers:
            await asyncio.sleep(0.01)
        await server.tell(states.later(run, 5))
        async with aclosing(watch(server, run)) as revisions:
            assert await anext(revisions) == 5
            await server.tell(states.ended(run))
            assert [revision async for revision in revisions] == [1_000]


@transports
async def test_a_page_lives_through_a_restart_of_redis(services: Services, viewer: Viewer, watch: Watch) -> None:
    run = states.started()
    await store(services.database, viewer, run)
    with tempfile.TemporaryDirectory(prefix="weft-valkey-") as folder:
        valkey = PrivateValkey(Path(folder))
        await valkey.start()
        channel = ProgressChannel(valkey.url)
        async with (
            asyncio.timeout(20),
            ProgressFeed(valkey.url, reader_of(services.database)) as feed,
            serving(replace(services, progress=feed, channel=channel), viewer) as server,
            aclosing(watch(server, run)) as revisions,
        ):
            assert await anext(revisions) == 1
            await valkey.subscribed(run.run_id)
            await valkey.stop()
            await server.tell(states.later(run, 2))
            assert await anext(revisions) == 2
            await valkey.start()
            await server.tell(states.ended(run))
            assert [revision async for revision in revisions] == [1_000]
        await channel.close()
        await valkey.stop()
