"""The server process and its orderly end.

    a signal ─► no new connections ─► streams and websockets are told, each with a reason ─► what is left is closed ─► the end

Half of the time that a stopping process has is for the first two: clients connect again to others, which takes them a moment.
Requests that run may take all of it.
"""

import asyncio
import math
import socket
from collections.abc import Callable, Sized
from typing import Protocol

import uvicorn

from weft.http.sockets import GuardedProtocol

LOOK_SECONDS = 0.02
ANSWER_SECONDS = 1.0
"""For clients to answer the last message of their websockets: who hangs up on them may take it away again."""


class Held(Sized, Protocol):
    """What clients hold open."""

    def restart(self) -> None:
        """Tell them, all of them."""
        ...


class GracefulServer(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, held: Held, seconds: float) -> None:
        """The end is over in `seconds`."""
        super().__init__(config)
        self._held = held
        self._seconds = seconds

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        loop = asyncio.get_running_loop()
        ends = loop.time() + self._seconds
        for server in self.servers:
            server.close()
        self._held.restart()
        half = ends - self._seconds / 2
        await self._wait_while(lambda: len(self._held) > 0, half)
        await self._wait_while(self._has_websockets, min(half, loop.time() + ANSWER_SECONDS))
        self.config.timeout_graceful_shutdown = math.ceil(max(0.0, ends - loop.time()))
        await super().shutdown(sockets)

    async def _wait_while(self, condition: Callable[[], bool], end: float) -> None:
        loop = asyncio.get_running_loop()
        # uvicorn looks again and again as well: a connection tells nobody that it is gone.
        while condition() and loop.time() < end and not self.force_exit:  # noqa: ASYNC110 - there is no event to await
            await asyncio.sleep(LOOK_SECONDS)

    def _has_websockets(self) -> bool:
        return any(isinstance(connection, GuardedProtocol) for connection in self.server_state.connections)
