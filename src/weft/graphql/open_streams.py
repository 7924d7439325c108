"""A response that stays open while an operation goes on: written as fast as its client reads, and ended when it has to be.

Its parts come from a generator, one at a time: the next one is asked for when the one before was taken, so that a slow client
holds up nothing but its own stream, and takes no memory but the buffers of its connection.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Any, Protocol, cast

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from weft.graphql.connections import Connection
from weft.graphql.errors import UNAVAILABLE, coded
from weft.graphql.stream_formats import StreamFormat

STOPPED = coded(UNAVAILABLE, "This process stops. Subscribe again: another one goes on.").formatted

GOODBYE_SECONDS = 5.0
STUCK_SECONDS = 60.0
"""For a client to make room for the next part, where the server does not know earlier that it takes nothing."""

Join = Callable[[Callable[[Mapping[str, Any]], None]], Callable[[], None]]
"""Arranges that what it is given is called with an error when the client may watch no longer; what it returns undoes that."""


class Peer(Protocol):
    """Whom the response goes to; the ASGI extension `weft.peer` of servers that have it (`http.peers`)."""

    def give_up_after(self, seconds: float | None) -> None: ...

    def abort(self) -> None: ...


class _StuckError(Exception):
    """The client takes nothing any more."""


class OpenStream(Response):
    def __init__(
        self,
        form: StreamFormat,
        parts: AsyncGenerator[bytes],
        connection: Connection,
        join: Join,
        heartbeat_seconds: float,
    ) -> None:
        """Nothing of it begins before it is sent. A sign of life is sent every `heartbeat_seconds`, since proxies take a
        response for dead that says nothing for half a minute or more, and the client has as long to take it: one that is gone
        is noticed in twice that time.
        """
        super().__init__(headers=form.headers)
        del self.headers["Content-Length"]
        self._form = form
        self._parts = parts
        self._connection = connection
        self._join = join
        self._heartbeat_seconds = heartbeat_seconds
        self._turn = asyncio.Lock()
        self._ended: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        """The last words of a stream that is cut off."""

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        peer = cast("Peer | None", scope.get("extensions", {}).get("weft.peer"))
        try:
            with self._connection:
                if peer is not None:
                    peer.give_up_after(self._heartbeat_seconds)
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                await self._answer(receive, send)
        except _StuckError:
            if peer is not None:
                peer.abort()
                await _until_gone(receive)
        finally:
            if peer is not None:
                peer.give_up_after(None)

    async def _answer(self, receive: Receive, send: Send) -> None:
        leave = self._join(lambda error: self._end(self._form.refusal(error)))
        self._connection.on_restart(lambda: self._end(self._form.interruption(STOPPED)))
        tasks = [asyncio.create_task(work) for work in (self._write(send), self._beat(send), _until_gone(receive))]
        try:
            await asyncio.wait([*tasks, self._ended], return_when=asyncio.FIRST_COMPLETED)
        finally:
            leave()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        for task in tasks:
            if not task.cancelled():
                task.result()
        writing, _, leaving = tasks
        if writing.cancelled() and leaving.cancelled():
            await self._say(send, self._ended.result(), GOODBYE_SECONDS, is_last=True)

    def _end(self, last_words: bytes) -> None:
        if not self._ended.done():
            self._ended.set_result(last_words)

    async def _write(self, send: Send) -> None:
        async with aclosing(self._parts) as parts:
            await self._say(send, self._form.opening)
            async for part in parts:
                await self._say(send, part)
        await self._say(send, self._form.complete, is_last=True)

    async def _beat(self, send: Send) -> None:
        while True:
            await asyncio.sleep(self._heartbeat_seconds)
            await self._say(send, self._form.heartbeat)

    async def _say(self, send: Send, part: bytes, seconds: float = STUCK_SECONDS, *, is_last: bool = False) -> None:
        try:
            async with asyncio.timeout(seconds), self._turn:
                await send({"type": "http.response.body", "body": part, "more_body": not is_last})
        except TimeoutError as error:
            raise _StuckError from error


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
