"""Frames below ASGI: as every websocket client reads them, to clients that are slow, stuck or gone."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from socket import SO_RCVBUF, SOL_SOCKET, socket
from typing import Any, cast

import aiohttp
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from weft.graphql.live import sockets
from weft.graphql.live.sockets import Frames, Outbox, SocketWatcher
from weft.http.frames import BUFFERED, EXTENSION, SYSTEM_BUFFERED, FrameProtocol

SIZES = [0, 1, 125, 126, 65_535, 65_536, 300_000]


@asynccontextmanager
async def served(use: Callable[[Any], Any], **options: Any) -> AsyncGenerator[int]:
    """A server that calls `use` with the frames of each connection, or with None where it has none; its port."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        use(scope["extensions"].get(EXTENSION))
        while (await receive())["type"] != "websocket.disconnect":
            pass

    config = uvicorn.Config(app, ws=FrameProtocol, lifespan="off", log_level="warning", **options)
    server = uvicorn.Server(config)
    with socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        running = asyncio.create_task(server.serve([listening]))
        yield listening.getsockname()[1]
        server.should_exit = True
        async with asyncio.timeout(20):
            await running


async def test_a_message_of_any_length_arrives_whole() -> None:
    def greet(frames: Frames) -> None:
        for size in SIZES:
            assert frames.send_now(b"<", b"x" * size, "ü>".encode())

    async with (
        served(greet, ws_per_message_deflate=False) as port,
        aiohttp.ClientSession() as session,
        session.ws_connect(f"http://127.0.0.1:{port}") as client,
    ):
        for size in SIZES:
            assert await client.receive_str(timeout=10) == "<" + "x" * size + "ü>"


async def test_a_connection_that_compresses_its_messages_has_no_frames_of_ours() -> None:
    offered: list[object] = []
    async with (
        served(offered.append) as port,
        aiohttp.ClientSession() as session,
        session.ws_connect(f"http://127.0.0.1:{port}", compress=15),
        session.ws_connect(f"http://127.0.0.1:{port}"),
    ):
        pass
    assert offered[0] is None
    assert isinstance(offered[1], FrameProtocol)


async def test_a_slow_client_holds_one_state_and_gets_the_newest_when_it_reads_again() -> None:
    found: asyncio.Future[FrameProtocol] = asyncio.get_running_loop().create_future()
    ended: list[None] = []
    async with served(found.set_result, ws_per_message_deflate=False) as port:
        reader, writer = await _connect(port)
        frames = await found
        watcher = SocketWatcher("a", Outbox(frames), on_end=lambda: ended.append(None), on_alone=lambda: None)
        states = 5_000
        for number in range(states):
            watcher.tell(b'{"data":{"number":%d,"padding":"%b"}}' % (number, b"x" * 1_000))
            assert frames.transport.get_write_buffer_size() < BUFFERED + 2_000
            if not number % 100:
                await asyncio.sleep(0)
        watcher.end(None)
        assert not frames.writable.is_set()
        cast("Any", writer.transport).resume_reading()
        async with asyncio.timeout(20):
            sent = await reader.readuntil(b'"type":"complete"}')
        writer.close()
    numbers = [int(part.partition(b",")[0]) for part in sent.split(b'"number":')[1:]]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == states - 1
    assert len(numbers) * 1_000 < BUFFERED + 4 * SYSTEM_BUFFERED
    assert ended == [None]


class Room:
    """Frames of a client that takes as many messages as it is given room for."""

    def __init__(self) -> None:
        self.when_writable: Callable[[], None] | None = None
        self.room = 0
        self.sent: list[bytes] = []

    def send_now(self, *parts: bytes) -> bool:
        if self.room == 0:
            return False
        self.room -= 1
        self.sent.append(b"".join(parts))
        return True

    def take(self, most: int) -> None:
        self.room = most
        if self.when_writable is not None:
            self.when_writable()

    def give_up(self, code: int, reason: str) -> None:
        raise AssertionError(code, reason)

    def forget_handshake(self) -> None:
        raise AssertionError


async def test_an_operation_is_under_way_until_its_end_has_been_sent() -> None:
    room, ended = Room(), list[None]()
    outbox = Outbox(room)
    watcher = SocketWatcher("a", outbox, on_end=lambda: ended.append(None), on_alone=lambda: None)
    watcher.tell(b"1")
    watcher.end(None)
    assert not ended
    room.take(1)
    assert (room.sent, ended) == ([b'{"id":"a","type":"next","payload":1}'], [])
    room.take(1)
    assert (room.sent[1:], ended) == ([b'{"id":"a","type":"complete"}'], [None])


async def test_nothing_comes_behind_the_back_of_an_operation_that_the_client_completed_or_that_goes_on_alone() -> None:
    room, alone = Room(), list[None]()
    outbox = Outbox(room)
    completed = SocketWatcher("a", outbox, on_end=lambda: None, on_alone=lambda: None)
    completed.tell(b"1")
    completed.end(None)
    completed.leave()
    going_alone = SocketWatcher("b", outbox, on_end=lambda: None, on_alone=lambda: alone.append(None))
    going_alone.tell(b"1")
    going_alone.go_alone()
    room.take(10)
    assert (room.sent, alone) == ([], [None])


async def test_a_client_that_stays_stuck_is_closed_with_a_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sockets, "STUCK_SECONDS", 0.2)
    found: asyncio.Future[FrameProtocol] = asyncio.get_running_loop().create_future()
    async with served(found.set_result, ws_per_message_deflate=False) as port:
        reader, writer = await _connect(port)
        frames = await found
        watcher = SocketWatcher("a", Outbox(frames), on_end=lambda: None, on_alone=lambda: None)
        async with asyncio.timeout(20):
            while not frames.disconnected:
                watcher.tell(b'{"data":"%b"}' % (b"x" * 10_000))
                await asyncio.sleep(0.001)
            cast("Any", writer.transport).resume_reading()
            told = await reader.read(-1)
        assert told.endswith((1013).to_bytes(2, "big") + sockets.STUCK.encode())
        writer.close()


async def _connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client that takes little, and nothing more until its transport resumes reading."""
    raw = socket()
    raw.setsockopt(SOL_SOCKET, SO_RCVBUF, 4_096)
    raw.connect(("127.0.0.1", port))
    raw.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=raw, limit=1 << 24)
    writer.write(
        b"GET / HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    cast("Any", writer.transport).pause_reading()
    return reader, writer
