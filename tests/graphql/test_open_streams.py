"""Responses that stay open, from a server on a real socket: signs of life, slow clients, clients that are gone, and the end."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from weft.graphql.connections import ConnectionLimits, Connections
from weft.graphql.open_streams import OpenStream
from weft.graphql.stream_formats import EVENT_STREAM, PARTS, RETURN_SECONDS, StreamFormat
from weft.http.peers import PatientHttp

EVENT = EVENT_STREAM.event(b'{"data":null}', "here")
REFUSED = {"message": "no longer"}
ASKING = b"GET / HTTP/1.1\r\nHost: weft\r\n\r\n"


@dataclass
class Streams:
    """Each request is answered with a stream of the same source."""

    form: StreamFormat
    source: Callable[[], AsyncGenerator[bytes]]
    heartbeat_seconds: float
    connections: Connections = field(default_factory=lambda: Connections(ConnectionLimits()))
    ends: list[Callable[[Mapping[str, Any]], None]] = field(default_factory=list[Any])
    port: int = 0
    told: int = 0
    """Parts that the source was asked for."""
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    async def answer(self, _request: Request) -> Response:
        return OpenStream(self.form, self._parts(), self.connections.open(None), self._join, self.heartbeat_seconds)

    def _join(self, end: Callable[[Mapping[str, Any]], None]) -> Callable[[], None]:
        self.ends.append(end)
        return lambda: self.ends.remove(end)

    async def _parts(self) -> AsyncGenerator[bytes]:
        try:
            async for part in self.source():
                self.told += 1
                yield part
        finally:
            await asyncio.sleep(0)  # as a source does that has to let go of something
            self.closed.set()

    async def over(self) -> None:
        """Nothing is left of the stream."""
        async with asyncio.timeout(20):
            await self.closed.wait()
            while len(self.connections) or self.ends:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(
    source: Callable[[], AsyncGenerator[bytes]], *, form: StreamFormat = EVENT_STREAM, heartbeat_seconds: float = 30
) -> AsyncGenerator[Streams]:
    streams = Streams(form, source, heartbeat_seconds)
    app = Starlette(routes=[Route("/", streams.answer)])
    server = uvicorn.Server(uvicorn.Config(app, http=PatientHttp, log_level="warning"))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        streams.port = listening.getsockname()[1]
        running = asyncio.create_task(server.serve([listening]))
        try:
            yield streams
        finally:
            server.should_exit = True
            async with asyncio.timeout(20):
                await running


async def three() -> AsyncGenerator[bytes]:
    for _ in range(3):
        yield EVENT


async def one_and_no_more() -> AsyncGenerator[bytes]:
    yield EVENT
    await asyncio.Event().wait()


async def without_end() -> AsyncGenerator[bytes]:
    large = EVENT_STREAM.event(b"x" * 10_000, None)
    while True:
        yield large


async def test_a_stream_tells_each_event_with_its_place_and_then_that_it_is_over() -> None:
    async with serving(three) as streams, aiohttp.ClientSession() as session, session.get(streams.url) as reply:
        body = await reply.read()
        assert reply.content_type == "text/event-stream"
        assert reply.headers["Cache-Control"] == "no-cache, no-transform"
        assert reply.headers["X-Accel-Buffering"] == "no"
        opening, *events, complete, nothing = body.split(b"\n\n")
        assert opening.strip() == b":"
        assert events == [b'event: next\nid: here\ndata: {"data":null}'] * 3
        assert (complete, nothing) == (b"event: complete\ndata:", b"")
        await streams.over()


async def test_signs_of_life_come_while_nothing_happens() -> None:
    async with (
        serving(one_and_no_more, heartbeat_seconds=0.05) as streams,
        aiohttp.ClientSession() as session,
        asyncio.timeout(20),
        session.get(streams.url) as reply,
    ):
        for _ in range(3):
            await reply.content.readuntil(b"\n:\n\n")
    await streams.over()


async def test_a_client_that_leaves_is_noticed_at_once() -> None:
    async with serving(one_and_no_more) as streams, aiohttp.ClientSession() as session:
        async with asyncio.timeout(20), session.get(streams.url) as reply:
            await reply.content.readuntil(b"event: next")
            assert len(streams.connections) == 1
        await streams.over()


async def test_a_client_that_reads_nothing_takes_the_memory_of_buffers_and_is_let_go() -> None:
    async with serving(without_end, heartbeat_seconds=1) as streams:
        with socket.create_connection(("127.0.0.1", streams.port)) as client:
            await asyncio.get_running_loop().sock_sendall(client, ASKING)
            await streams.over()
            assert streams.told < 2_000


async def test_a_client_that_reads_slowly_gets_everything_at_its_pace() -> None:
    async def many() -> AsyncGenerator[bytes]:
        for number in range(2_000):
            yield EVENT_STREAM.event(b"x" * 10_000, str(number))

    async with (
        serving(many, heartbeat_seconds=5) as streams,
        aiohttp.ClientSession(read_bufsize=1_000) as session,
        asyncio.timeout(60),
        session.get(streams.url) as reply,
    ):
        body = await reply.content.read(100_000)
        await asyncio.sleep(0.2)
        assert streams.told < 2_000
        while piece := await reply.content.read(100_000):
            body += piece
            await asyncio.sleep(0.001)
        assert body.count(b"id: ") == 2_000
        assert body.endswith(EVENT_STREAM.complete)
        await streams.over()


async def test_a_stream_whose_client_may_watch_no_longer_ends_with_why() -> None:
    for form, expected in (
        (
            EVENT_STREAM,
            EVENT_STREAM.event(b'{"data":null,"errors":[{"message":"no longer"}]}', None) + b"event: complete",
        ),
        (PARTS, b'{"payload":null,"errors":[{"message":"no longer"}]}\r\n--graphql--'),
    ):
        async with (
            serving(one_and_no_more, form=form) as streams,
            aiohttp.ClientSession() as session,
            asyncio.timeout(20),
            session.get(streams.url) as reply,
        ):
            await reply.content.readuntil(b"event: next")
            streams.ends[0](REFUSED)
            assert expected in await reply.content.read()
            await streams.over()


async def test_clients_of_a_process_that_stops_come_back_spread_out() -> None:
    pauses = set[int]()
    async with serving(one_and_no_more) as streams, aiohttp.ClientSession() as session, asyncio.timeout(20):
        replies = [await session.get(streams.url) for _ in range(20)]
        for reply in replies:
            await reply.content.readuntil(b"event: next")
        streams.connections.restart()
        for reply in replies:
            last = (await reply.content.read()).decode()
            assert "event: complete" not in last
            pauses.add(int(last.rpartition("retry: ")[2]))
        await streams.over()
    shortest, longest = (seconds * 1_000 for seconds in RETURN_SECONDS)
    assert len(pauses) > 10
    assert all(shortest <= pause <= longest for pause in pauses)


async def test_parts_are_whole_when_they_come_and_say_that_the_process_stops() -> None:
    async def told() -> AsyncGenerator[bytes]:
        yield PARTS.event(b'{"data":1}', None)
        await asyncio.Event().wait()

    async with (
        serving(told, form=PARTS, heartbeat_seconds=0.05) as streams,
        aiohttp.ClientSession() as session,
        asyncio.timeout(20),
        session.get(streams.url) as reply,
    ):
        parts = aiohttp.MultipartReader.from_response(reply)
        heard: list[Any] = []
        while (part := await parts.next()) is not None:
            assert isinstance(part, aiohttp.BodyPartReader)
            heard.append(json.loads(await part.text()))
            if len(heard) == 4:
                streams.connections.restart()
    assert heard[:4] == [{}, {"payload": {"data": 1}}, {}, {}]
    assert heard[-1]["payload"] is None
    assert heard[-1]["errors"][0]["extensions"]["code"] == "UNAVAILABLE"


async def test_a_source_that_breaks_ends_the_stream_without_saying_that_it_is_complete(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def broken() -> AsyncGenerator[bytes]:
        yield EVENT
        raise ZeroDivisionError

    async with serving(broken) as streams, aiohttp.ClientSession() as session, session.get(streams.url) as reply:
        with pytest.raises(aiohttp.ClientPayloadError):
            await reply.read()
        await streams.over()
    assert "ZeroDivisionError" in capsys.readouterr().err
