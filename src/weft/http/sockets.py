"""What holds for every websocket below its messages: signs of life, control frames, and the end of the process.

    uvicorn pings each peer every `ws_ping_interval` and gives it `ws_ping_timeout` to answer

What uvicorn leaves open is closed here:

- A peer that is silent is closed with 1013. uvicorn's 1011 tells GraphQL clients to give up for good, and a computer that
  was asleep finds the code when it wakes.
- A process that was busy for long finds the answers late; it looks for them before it counts a peer as dead.
- Pings of the peer, whose answers pile up here when it reads none, and fragments of nothing, which no limit of size would
  end, are bounded by their number.
- Until a peer has shown a key, its messages may have `FIRST_BYTES` only, and few of them may wait: strangers hold little memory.
  The application says when it knows the peer, through the ASGI extension `weft.trust`.
- A handshake that cannot be read is refused: uvicorn leaves it open for ever, and stumbles over it on shutdown.
- On shutdown every peer is told why, and one that does not read is cut off.
"""

from typing import Any, cast

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request

from weft.kit.even_rate import EvenRate

TRUST = "weft.trust"
TRY_AGAIN_LATER, RESTARTING, TOO_LARGE, TOO_MANY = 1013, 1012, 1009, 4429
SILENT = "No ping was answered in time. Connect again."
STOPPING = "This process is stopping. Connect again, after a random pause."
LATE_SECONDS = 1.0
FIRST_BYTES = 32 * 1024
MOST_FRAGMENTS = 4_096
FIRST_WAITING, MOST_WAITING = 100, 4_096
"""Messages that have come and wait to be read. What comes in one read of the socket may be forty thousand of them."""
CONTROL_FRAMES = EvenRate.per_minute(600, burst=100)
"""Pings and pongs of a peer. A good one answers ours, and may send some of its own."""
LAST_SECONDS = 2.0
"""For a peer that is cut off to take what is on its way to it."""


class GuardedProtocol(WebSocketsSansIOProtocol):
    _fragments = 0
    _control_till = 0
    _most_waiting = FIRST_WAITING

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.close_sent:
            self.handshake_complete = self.close_sent = True
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:  # noqa: PLR2004 - Switching Protocols
            self.close_timeout = LAST_SECONDS
            extensions = cast("dict[str, Any]", self.scope.get("extensions"))
            extensions[TRUST] = self._trust
            self._most_bytes, self.conn.max_message_size = self.conn.max_message_size, FIRST_BYTES

    def _trust(self) -> None:
        self.conn.max_message_size, self._most_waiting = self._most_bytes, MOST_WAITING

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            self.handshake_complete = True  # it was refused, which is no fault to be logged

    def handle_ping(self) -> None:
        answer = b"".join(self.conn.data_to_send())
        if self._control_frames_keep_pace():
            self.transport.write(answer)

    def handle_pong(self, event: Frame) -> None:
        if self._control_frames_keep_pace():
            super().handle_pong(event)

    def _control_frames_keep_pace(self) -> bool:
        now = int(self.loop.time() * 1_000_000)
        if CONTROL_FRAMES.wait(self._control_till, now):
            self._close(TOO_MANY, "Too many pings and pongs came on this connection in too short a time.")
            return False
        self._control_till = CONTROL_FRAMES.after(self._control_till, now)
        return True

    def handle_text(self, event: Frame) -> None:
        self._fragments = 0
        super().handle_text(event)

    def handle_bytes(self, event: Frame) -> None:
        self._fragments = 0
        super().handle_bytes(event)

    def handle_cont(self, event: Frame) -> None:
        self._fragments += 1
        if self._fragments > MOST_FRAGMENTS:
            self._close(TOO_LARGE, f"A message may have {MOST_FRAGMENTS:,} fragments.")
        if not self.close_sent:
            super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        if self.queue.qsize() >= self._most_waiting:
            self._close(TOO_MANY, "Too many messages came on this connection at once.")
        super().send_receive_event_to_app()

    def keepalive_timeout(self) -> None:
        late = self.loop.time() - self.ping_sent_at - (self.ping_timeout or 0)
        if late > LATE_SECONDS:
            self.ping_sent_at += late + LATE_SECONDS
            self.pong_timer = self.loop.call_later(LATE_SECONDS, self.keepalive_timeout)
        else:
            self._close(TRY_AGAIN_LATER, SILENT)

    def shutdown(self) -> None:
        if self.handshake_complete and not self.close_sent:
            self._close(RESTARTING, STOPPING)
        else:
            super().shutdown()
        self.loop.call_later(LAST_SECONDS, self.transport.abort)

    def _close(self, code: int, reason: str) -> None:
        """From below: the application learns of it as if the peer had closed. The peer has a moment to answer: who closes
        while something is still coming in may take the code away from it.
        """
        if self.close_sent or self.transport.is_closing():
            return
        self.stop_keepalive()
        self.frames = []
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = self.disconnected = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(LAST_SECONDS, self.transport.abort)
