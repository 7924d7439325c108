"""What holds for every request: that its body comes to an end, and what the log says of its path."""

import asyncio
from collections.abc import AsyncIterator
from socket import socket

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from structlog.testing import capture_logs

from weft.http import body_limit
from weft.http.body_limit import BodyLimit
from weft.http.faults import internal_fault
from weft.http.request_id import RequestIds

LINKS = ("/hooks/s3cret", "/hooks/s3/cret/", "/files/uploads/1/s3cret", "/files/imports/1/s3cret")


async def _length(request: Request) -> Response:
    return Response(str(len(await request.body())))


async def _long(request: Request) -> Response:
    await request.body()

    async def pieces() -> AsyncIterator[str]:
        for _ in range(4):
            await asyncio.sleep(0.1)
            yield "piece"

    return StreamingResponse(pieces())


async def _fails(_request: Request) -> Response:
    raise ZeroDivisionError


@pytest.fixture
async def port() -> AsyncIterator[int]:
    app = Starlette(
        routes=[
            Route("/length", _length, methods=["POST"]),
            Route("/long", _long, methods=["POST"]),
            Route("/{path:path}", _fails),
        ],
        middleware=[Middleware(RequestIds), Middleware(BodyLimit, max_bytes=1_000)],
        exception_handlers={Exception: internal_fault},
    )
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", http="httptools"))
    with socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        running = asyncio.create_task(server.serve([listening]))
        yield listening.getsockname()[1]
        server.should_exit = True
        async with asyncio.timeout(20):
            await running


async def said(port: int, *sent: bytes, pause: float = 0.1) -> bytes:
    """All that is answered until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(20):
        for piece in sent:
            writer.write(piece)
            await asyncio.sleep(pause)
        answered = await reader.read()
    writer.close()
    return answered


async def test_a_body_that_does_not_come_to_its_end_is_not_waited_for(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_limit, "SECONDS", 0.3)
    for headers, pieces in (
        (b"Content-Length: 100", [b"a"]),
        (b"Content-Length: 100", [b"a"] * 2),
        (b"Transfer-Encoding: chunked", [b"1\r\na\r\n"]),
    ):
        answered = await said(port, b"POST /length HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n\r\n", *pieces)
        assert answered.startswith(b"HTTP/1.1 408 ")
        assert b"BODY_TOO_SLOW" in answered


async def test_an_answer_may_take_longer_than_the_body_that_it_is_for(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_limit, "SECONDS", 0.3)
    head = b"POST /%b HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n"
    assert (await said(port, head % b"length", b"a", b"b")).endswith(b"\r\n\r\n2")
    assert (await said(port, head % b"long", b"ab")).count(b"piece") == 4


@pytest.mark.parametrize("path", LINKS)
async def test_the_log_holds_no_links(port: int, path: str) -> None:
    with capture_logs() as logs:
        answered = await said(port, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert answered.startswith(b"HTTP/1.1 500 ")
    paths = [line["path"] for line in logs if "path" in line]
    assert paths
    for shown in paths:
        assert shown.endswith("/…")
        assert "cret" not in shown
