"""Websockets of clients that are dead without a word, and of a process that is told to stop."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from acceptance.bad_input import PROTOCOL
from acceptance.system import System

from weft.cli.up import free_port
from weft.http.sockets import LAST_SECONDS
from weft.settings import Settings

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120)]

CLIENT = Path(__file__).parent / "socket_client.py"
RUNS = "subscription { runs { kind } }"
SOCKETS, STREAMS = 500, 20
GRACE_SECONDS = 10


@asynccontextmanager
async def another_api(system: System, **settings: str) -> AsyncGenerator[str]:
    """The URL of a process of its own beside the others, to be stopped."""
    port = free_port("127.0.0.1", 0)
    await system.start("another-api", "api", WEFT_PORT=str(port), **settings)
    try:
        async with asyncio.timeout(60):
            while True:
                with suppress(aiohttp.ClientError):
                    async with system.session.get(f"http://127.0.0.1:{port}/readyz") as reply:
                        if reply.status == 200:
                            break
                await asyncio.sleep(0.05)
        yield f"http://127.0.0.1:{port}/graphql"
    finally:
        await system.kill("another-api")


@asynccontextmanager
async def client_process(url: str, key: str, *how: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(CLIENT), url, key, *how, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            assert await process.stdout.readline() == b"open\n"
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def is_let_in(session: aiohttp.ClientSession, url: str, key: str) -> bool:
    async with session.ws_connect(url, protocols=[PROTOCOL]) as socket:
        await socket.send_json({"type": "connection_init", "payload": {"apiKey": key}})
        message = await socket.receive()
        assert message.type is aiohttp.WSMsgType.TEXT or message.data == 1013, message
        return message.type is aiohttp.WSMsgType.TEXT


def test_with_the_settings_as_they_are_a_dead_peer_is_found_within_half_a_minute() -> None:
    assert 2 * Settings.model_fields["heartbeat_seconds"].default + LAST_SECONDS <= 30


@pytest.mark.parametrize("how", ["frozen", "stuck"])
async def test_a_client_that_is_frozen_or_reads_nothing_makes_room_for_others(system: System, how: str) -> None:
    """Both still have a kernel that acknowledges what is sent to them."""
    settings = {"WEFT_HEARTBEAT_SECONDS": "1", "WEFT_MAX_CONNECTIONS_PER_KEY": "1"}
    async with (
        another_api(system, **settings) as url,
        client_process(url, system.key, *["stuck"][: how == "stuck"]) as dead,
    ):
        assert not await is_let_in(system.session, url, system.key)
        if how == "frozen":
            dead.send_signal(signal.SIGSTOP)
        async with asyncio.timeout(30):
            while not await is_let_in(system.session, url, system.key):
                await asyncio.sleep(0.1)
        if how == "frozen":
            dead.send_signal(signal.SIGCONT)
            async with asyncio.timeout(30):
                printed, _ = await dead.communicate()
            assert printed in {b"1013\n", b"1006\n"}  # what it finds when it wakes: both tell it to come back


async def test_a_process_that_is_stopped_tells_everybody_and_ends_in_time(system: System) -> None:
    async with (
        asyncio.timeout(100),
        another_api(system, WEFT_SHUTDOWN_SECONDS=str(GRACE_SECONDS)) as url,
        client_process(url, system.key) as frozen,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
        AsyncExitStack() as stack,
    ):
        sockets = await asyncio.gather(*(watching(stack, session, url, system.key) for _ in range(SOCKETS)))
        headers = {"Authorization": f"Bearer {system.key}", "Accept": "text/event-stream"}
        streams = [
            await stack.enter_async_context(session.post(url, json={"query": RUNS}, headers=headers))
            for _ in range(STREAMS)
        ]
        frozen.send_signal(signal.SIGSTOP)
        api = system.processes["another-api"]
        closed = asyncio.gather(*(socket.receive() for socket in sockets))
        ends = asyncio.gather(*(stream.content.read() for stream in streams))
        began = time.monotonic()
        stopping = asyncio.create_task(api.stop(60))
        for message in await closed:
            assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1012), message
            assert message.extra == "This process is stopping. Connect again, after a random pause."
        for end in await ends:
            assert end.rstrip().rpartition(b"\n")[2].startswith(b"retry: "), end
        await stopping
        assert time.monotonic() - began < GRACE_SECONDS + 5
        with pytest.raises(aiohttp.ClientError):
            await session.get(url)


async def watching(stack: AsyncExitStack, session: aiohttp.ClientSession, url: str, key: str) -> Any:
    socket = await stack.enter_async_context(session.ws_connect(url, protocols=[PROTOCOL]))
    await socket.send_json({"type": "connection_init", "payload": {"apiKey": key}})
    assert (await socket.receive_json())["type"] == "connection_ack"
    await socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": RUNS}})
    return socket
