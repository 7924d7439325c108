"""No request body larger than what is allowed, whether it says its length or not, and none that takes for ever to come."""

import asyncio
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECONDS = 60.0
"""For a whole body. What came of it so far is held in memory, whoever sends it."""


class _RefusedError(Exception):
    """The body is not read to its end."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(slots=True)
class _Body:
    """A body that comes in, in the place of the server's `receive`."""

    receive: Receive
    most: int
    until: float
    """By the clock of the event loop."""
    received: int = 0
    whole: bool = False

    async def __call__(self) -> Message:
        try:
            async with asyncio.timeout_at(None if self.whole else self.until):
                message = await self.receive()
        except TimeoutError as error:
            why = f"The request body did not come within {SECONDS:g} seconds."
            raise _RefusedError(408, "BODY_TOO_SLOW", why) from error
        self.whole = not message.get("more_body", False)
        self.received += len(message.get("body", b""))
        if self.received > self.most:
            raise _too_large(self.most)
        return message


class BodyLimit:
    """Answers 413 and 408. Paths that begin with one of `streaming` are left alone: their routes read and limit by themselves."""

    def __init__(self, app: ASGIApp, max_bytes: int, streaming: tuple[str, ...] = ()) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._streaming = streaming

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(self._streaming):
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "")
        if length.isdigit() and int(length) > self._max_bytes:
            await _refuse(scope, receive, send, _too_large(self._max_bytes))
            return
        answered = False

        async def send_noted(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        body = _Body(receive, self._max_bytes, asyncio.get_running_loop().time() + SECONDS)
        try:
            await self._app(scope, body, send_noted)
        except _RefusedError as refused:
            if not answered:
                await _refuse(scope, receive, send, refused)


def _too_large(most: int) -> _RefusedError:
    message = f"The request body is larger than {most:,} bytes, which is what is allowed here."
    return _RefusedError(413, "BODY_TOO_LARGE", message)


async def _refuse(scope: Scope, receive: Receive, send: Send, refused: _RefusedError) -> None:
    error = {
        "message": str(refused),
        "extensions": {"code": refused.code, "requestId": scope.get("request_id")},
    }
    # Nobody waits for the rest of a body that does not come.
    headers = {"Connection": "close"} if refused.status == 408 else None  # noqa: PLR2004 - Request Timeout
    await JSONResponse({"errors": [error]}, refused.status, headers)(scope, receive, send)
