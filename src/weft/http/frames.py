"""Websocket frames written at once, below ASGI: half of what a message costs there is on its way to the socket.

    app.py: uvicorn.Config(ws=FrameProtocol, ws_per_message_deflate=False)

A connection offers itself to the application as the ASGI extension `weft.frames`; who sends the same to thousands puts the frame
together from parts and writes it without waiting. Where messages are compressed there is no such extension: each
connection has a dictionary of its own then, and what is sent goes through uvicorn. TLS makes no difference, since
frames are written to the transport that does it.

What a client does not take in time stays small: the transport's buffer, `BUFFERED` bytes, and the system's. Beyond that
`send_now` refuses.
"""

import socket
from collections.abc import Callable
from typing import Any, cast

from websockets.http11 import Request

from weft.http.sockets import GuardedProtocol

EXTENSION = "weft.frames"
BUFFERED = 16 * 1024
"""Bytes that wait in this process before a client counts as slow."""
SYSTEM_BUFFERED = 64 * 1024
"""Bytes that the system keeps for one client. Left to itself it keeps megabytes: minutes of states that nobody wants any more."""

_SHORT, _MEDIUM = 126, 1 << 16
"""Payloads from here on have their length in two and in eight more bytes (RFC 6455, section 5.2)."""


def header_of(length: int) -> bytes:
    """Of an unfragmented text message to a client."""
    if length < _SHORT:
        return bytes((0x81, length))
    if length < _MEDIUM:
        return b"\x81\x7e" + length.to_bytes(2, "big")
    return b"\x81\x7f" + length.to_bytes(8, "big")


class FrameProtocol(GuardedProtocol):
    when_writable: Callable[[], None] | None = None

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101 and not self.conn.extensions:  # noqa: PLR2004 - Switching Protocols
            extensions = cast("dict[str, Any]", self.scope.get("extensions"))
            extensions[EXTENSION] = self
            self.transport.set_write_buffer_limits(BUFFERED)
            own_socket = cast("socket.socket | None", self.transport.get_extra_info("socket"))
            if own_socket is not None:
                own_socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SYSTEM_BUFFERED)

    def send_now(self, *parts: bytes) -> bool:
        """A text message of these parts. False when the client does not keep up: nothing was sent, and `when_writable` is
        called when there is room again. To a client that has left it goes nowhere.
        """
        if not self.writable.is_set():
            return False
        if not self.close_sent and not self.transport.is_closing():
            self.transport.write(b"".join((header_of(sum(map(len, parts))), *parts)))
        return True

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.when_writable is not None:
            self.when_writable()

    def give_up(self, code: int, reason: str) -> None:
        """Close with what is on its way to the client, or without it when the client does not take it."""
        self._close(code, reason)

    def forget_handshake(self) -> None:
        """What a client said to begin with is of no use later, and takes as much memory as all else about it."""
        cast("list[Any]", self.scope["headers"]).clear()
        self.request.headers.clear()
        self.response.headers.clear()
