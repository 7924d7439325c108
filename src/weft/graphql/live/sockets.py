"""Websocket watchers: each frame is the shared payload with the watcher's own operation id around it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected

STUCK_SECONDS = 20.0
"""How long a client may take nothing of what is sent to it."""
TRY_AGAIN_LATER = 1013
"""The websocket's close code for it, from IANA's registry."""
STUCK = "Nothing was read from this connection for too long. Connect again."


class Frames(Protocol):
    """How the messages of one connection are sent without waiting; `http.frames` where the server is ours."""

    when_writable: Callable[[], None] | None
    """Called when there is room again, after a message was not taken."""

    def send_now(self, *parts: bytes) -> bool:
        """A text message, of these parts together. False when the client does not keep up: nothing was sent."""
        ...

    def give_up(self, code: int, reason: str) -> None:
        """Close, whatever the client does."""
        ...

    def forget_handshake(self) -> None:
        """Nobody asks for its headers any more."""
        ...


class AwaitedFrames:
    """Over plain ASGI, for servers that offer nothing else: one message at a time, in a task that waits for it."""

    def __init__(self, websocket: WebSocket) -> None:
        self.when_writable: Callable[[], None] | None = None
        self._websocket = websocket
        self._task: asyncio.Task[None] | None = None

    def send_now(self, *parts: bytes) -> bool:
        if self._task is not None:
            return False
        self._task = asyncio.create_task(self._send(b"".join(parts).decode()))
        return True

    async def _send(self, text: str) -> None:
        with suppress(WebSocketDisconnect, WebSocketDisconnected, RuntimeError):  # the client has left
            await self._websocket.send_text(text)
        self._task = None
        if self.when_writable is not None:
            self.when_writable()

    def give_up(self, code: int, reason: str) -> None:
        if self._task is not None:
            self._task.cancel()
        self._task = asyncio.create_task(self._close(code, reason))

    def forget_handshake(self) -> None:
        pass  # another server keeps what it keeps

    async def _close(self, code: int, reason: str) -> None:
        with suppress(WebSocketDisconnect, WebSocketDisconnected, RuntimeError):
            await self._websocket.close(code, reason)


class Outbox:
    """What the watchers of one connection send, and those of them that wait for room."""

    __slots__ = ("_frames", "_timer", "_waiting")

    def __init__(self, frames: Frames) -> None:
        self._frames = frames
        self._waiting: dict[SocketWatcher, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def send(self, watcher: "SocketWatcher", *parts: bytes) -> bool:
        """False: there is no room, and the watcher is asked to `go_on` as soon as there is."""
        if self._frames.send_now(*parts):
            return True
        if not self._waiting:
            self._frames.when_writable = self._go_on
            self._timer = asyncio.get_running_loop().call_later(STUCK_SECONDS, self._give_up)
        self._waiting[watcher] = None
        return False

    def forget(self, watcher: "SocketWatcher") -> None:
        self._waiting.pop(watcher, None)
        if not self._waiting:
            self._rest()

    def _go_on(self) -> None:
        """There is room: who waits longest sends first."""
        waiting, self._waiting = list(self._waiting), {}
        self._rest()
        for watcher in waiting:
            watcher.go_on()

    def _rest(self) -> None:
        self._frames.when_writable = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._waiting.clear()
        self._rest()
        self._frames.give_up(TRY_AGAIN_LATER, STUCK)


class SocketWatcher:
    """One operation of one connection. Holds at most one payload, the newest, and only while there is no room for it."""

    __slots__ = ("_head", "_on_alone", "_on_end", "_outbox", "_over", "_pending", "told")

    def __init__(
        self, operation_id: str, outbox: Outbox, on_end: Callable[[], None], on_alone: Callable[[], None]
    ) -> None:
        """`on_end` is called as its last message is sent, after which the id may be used again. Until there is room for that, it
        counts as an operation under way: a client that reads nothing cannot pile up ends.
        """
        self.told: bytes | None = None
        self._head = b'{"id":%b,"type":' % orjson.dumps(operation_id)
        self._outbox = outbox
        self._on_end = on_end
        self._on_alone = on_alone
        self._pending: bytes | None = None
        self._over: bytes | None = None
        """Its last message, once there is one."""

    def tell(self, payload: bytes) -> None:
        if self._pending is not None or not self._outbox.send(self, self._head, b'"next","payload":', payload, b"}"):
            self._pending = payload

    def end(self, errors: bytes | None) -> None:
        self._over = b'"complete"}' if errors is None else b'"error","payload":%b}' % errors
        if self._pending is None:
            self._finish(self._over)

    def go_on(self) -> None:
        """With what waits."""
        payload, self._pending = self._pending, None
        if payload is not None:
            self.tell(payload)
        if self._pending is None and self._over is not None:
            self._finish(self._over)

    def _finish(self, over: bytes) -> None:
        if self._outbox.send(self, self._head, over):
            self._on_end()

    def go_alone(self) -> None:
        self.leave()  # what waits would come after what is newer
        self._on_alone()

    def leave(self) -> None:
        self._outbox.forget(self)
