"""Clients that are gone without a word, connections that nobody reads, and requests that never come.

A client whose machine or network vanished acknowledges nothing. What is sent to it is sent again for a quarter of an hour
before the system gives up, and a response that only says now and then that it is still there never fills a buffer. So a
response that stays open may ask for less patience; every other one keeps the patience of the system, since a download may
well pause.

A request has to begin and its head to come to an end within `HEAD_SECONDS`, in `MOST_UNUSED` bytes: else strangers would keep
files open and memory taken, before anything counts or limits them. Bodies have limits of their own (`http.body_limit`).

`PatientHttp` offers the first of this to applications as the ASGI extension `weft.peer`. Under another server there is none, and they do
without.
"""

import asyncio
import socket
from typing import Any

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

PEER = "weft.peer"
HEAD_SECONDS = 20.0
"""Browsers open connections ahead, and may use them some seconds later."""
MOST_UNUSED = 128 * 1024
"""Bytes that have brought neither a whole head nor anything of a body."""
_USER_TIMEOUT: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)
"""Milliseconds that what was sent may stay unacknowledged. Linux has it."""


class Peer:
    """Whom a response goes to."""

    __slots__ = ("_transport",)

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def give_up_after(self, seconds: float | None) -> None:
        """End the connection when nothing of what is sent to it is taken for so long; None: as the system thinks best."""
        connection = self._transport.get_extra_info("socket")
        if _USER_TIMEOUT is None or connection is None or self._transport.is_closing():
            return
        if connection.family in {socket.AF_INET, socket.AF_INET6}:
            connection.setsockopt(socket.IPPROTO_TCP, _USER_TIMEOUT, round((seconds or 0) * 1000))

    def abort(self) -> None:
        """Now, with what is still to be sent."""
        self._transport.abort()


class PatientHttp(HttpToolsProtocol):
    _unused = 0
    _awaits_head = True
    _patience: asyncio.TimerHandle | None = None

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._expect_head()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_expecting()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        self._unused += len(data)
        super().data_received(data)
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            return  # it became a websocket
        if self._unused > MOST_UNUSED:
            self.send_400_response(f"The head of a request may have {MOST_UNUSED:,} bytes.")
        elif self._awaits_head and self._unused:  # line ends between requests, which begin none
            self._expect_head()

    @override
    def on_headers_complete(self) -> None:
        self._stop_expecting()
        self._awaits_head, self._unused = False, 0
        super().on_headers_complete()

    @override
    def on_body(self, body: bytes) -> None:
        self._unused = 0
        super().on_body(body)

    @override
    def on_message_complete(self) -> None:
        self._awaits_head, self._unused = True, 0
        super().on_message_complete()

    def _expect_head(self) -> None:
        if self._patience is None:
            self._patience = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _stop_expecting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._expect_head()
        extensions: dict[str, Any] = {PEER: Peer(self.transport)}
        self.scope["extensions"] = extensions
