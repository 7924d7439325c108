"""A process of its own, told to stop while clients watch."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from socket import socket
from typing import Any

import aiohttp
import pytest
from progress import states
from progress.stored_runs import store

from weft.domain.access import Role, Viewer
from weft.graphql.nodes import encode_id
from weft.operations.keys import create_first_key
from weft.settings import Settings
from weft.storage.database import Database

SERVE = "from weft.app import serve; from weft.settings import Settings; serve(Settings())"
WATCH = "subscription ($id: ID!) { runProgress(runId: $id) { revision } }"


@pytest.fixture
async def process(settings: Settings) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert settings.secret_key
    environment = os.environ | {
        "WEFT_DATABASE_URL": str(settings.database_url),
        "WEFT_REDIS_URL": str(settings.redis_url),
        "WEFT_SECRET_KEY": settings.secret_key.get_secret_value(),
        "WEFT_PORT": str(port),
        "WEFT_LOG_FORMAT": "json",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVE, env=environment, stderr=asyncio.subprocess.PIPE
    )
    yield process, f"http://127.0.0.1:{port}"
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.communicate()


async def ready(session: aiohttp.ClientSession, origin: str) -> None:
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(aiohttp.ClientConnectionError):
                async with session.get(f"{origin}/readyz") as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(0.05)


async def test_a_stopping_process_lets_go_of_its_watchers_and_ends_well(
    process: tuple[asyncio.subprocess.Process, str], database: Database, viewer: Viewer, settings: Settings
) -> None:
    child, origin = process
    assert settings.secret_key
    key = await create_first_key(
        database,
        settings.secret_key.get_secret_value().encode(),
        workspace="tests",
        name="page",
        role=Role.VIEWER,
        actor="tests",
    )
    state = states.started()
    await store(database, viewer, state)
    body: dict[str, Any] = {"query": WATCH, "variables": {"id": encode_id("Run", state.run_id)}}
    headers = {"Authorization": f"Bearer {key.text}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        await ready(session, origin)
        async with (
            asyncio.timeout(20),
            session.post(f"{origin}/graphql", json=body, headers={"Accept": "text/event-stream"}) as stream,
            session.ws_connect(f"{origin}/graphql".replace("http", "ws"), protocols=("graphql-transport-ws",)) as ws,
        ):
            await ws.send_json({"type": "connection_init"})
            await ws.send_json({"type": "subscribe", "id": "1", "payload": body})
            assert [(await ws.receive_json())["type"] for _ in range(2)] == ["connection_ack", "next"]
            assert await stream.content.readuntil(b"event: next")
            child.send_signal(signal.SIGTERM)
            assert b"retry: " in await stream.content.read()
            closing = await ws.receive()
            assert (closing.type, closing.data) == (aiohttp.WSMsgType.CLOSE, 1012)
            async with asyncio.timeout(5):
                _, logged = await child.communicate()
    assert child.returncode in {0, -signal.SIGTERM}
    for line in logged.decode().splitlines():
        assert json.loads(line)["level"] in {"info", "debug"}, line
