"""Requests that never come to an end, or never begin: bounded in time and memory before anything else counts them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from socket import socket

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from weft.http import peers
from weft.http.peers import MOST_UNUSED, PatientHttp

GET = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


async def slow(_scope: Scope, receive: Receive, send: Send) -> None:
    """Takes three times as long as a head may, and answers with the size of the body."""
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    await asyncio.sleep(3 * peers.HEAD_SECONDS)
    answer = b"%d bytes" % size
    headers = [(b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[int]:
    monkeypatch.setattr(peers, "HEAD_SECONDS", 0.3)
    async with serving() as port:
        yield port


@asynccontextmanager
async def serving() -> AsyncGenerator[int]:
    server = uvicorn.Server(uvicorn.Config(slow, http=PatientHttp, lifespan="off", log_level="error"))
    with socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        running = asyncio.create_task(server.serve([listening]))
        yield listening.getsockname()[1]
        server.should_exit = True
        async with asyncio.timeout(20):
            await running


async def answered(port: int, *parts: bytes) -> bytes:
    """What comes until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(20):
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0)
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.transport.abort()


async def test_a_connection_on_which_no_request_begins_or_none_comes_to_an_end_is_closed(port: int) -> None:
    for parts in ((), (b"GET / HT",), (GET[:-2],), (GET[:-2], b"X: y\r\n")):
        assert await answered(port, *parts) == b""


async def test_line_ends_after_an_answer_keep_no_connection_open(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(20):
        writer.write(GET)
        await reader.readuntil(b"0 bytes")
        writer.write(b"\r\n")
        assert await reader.read() == b""
    writer.close()


async def test_an_answer_may_take_longer_than_a_head_and_the_connection_serves_the_next_request(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(20):
        for _ in range(2):
            for part in (b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 300000\r\n\r\n", *[b"x" * 100_000] * 3):
                writer.write(part)
                await writer.drain()
            await reader.readuntil(b"300000 bytes")
    writer.close()


@pytest.mark.parametrize("endless", ["path", "one header", "many headers", "a trailer"])
async def test_a_head_without_end_is_refused(port: int, endless: str) -> None:
    begin, more = {
        "path": (b"GET /", b"x"),
        "one header": (GET[:-2] + b"X: ", b"x"),
        "many headers": (GET[:-2], b"X: y\r\n"),
        "a trailer": (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX: ", b"x"),
    }[endless]
    many = more * (2 * MOST_UNUSED // len(more))
    answer = await answered(port, begin, *[many] * 20)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
