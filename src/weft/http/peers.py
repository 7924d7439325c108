"""Clients that are gone without a word, and connections that nobody reads: noticed by the system underneath.

A client whose machine or network vanished acknowledges nothing. What is sent to it is sent again for a quarter of an hour
before the system gives up, and a response that only says now and then that it is still there never fills a buffer. So a
response that stays open may ask for less patience; every other one keeps the patience of the system, since a download may
well pause.

`PatientHttp` offers this to applications as the ASGI extension `weft.peer`. Under another server there is none, and they do
without.
"""

import asyncio
import socket
from typing import Any

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

PEER = "weft.peer"
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
    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        extensions: dict[str, Any] = {PEER: Peer(self.transport)}
        self.scope["extensions"] = extensions
