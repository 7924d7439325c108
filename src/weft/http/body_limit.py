"""No request body larger than what is allowed, whether it says its length or not."""

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class _TooLargeError(Exception):
    """The body went on behind the limit."""


class BodyLimit:
    """Answers 413. Paths that begin with one of `streaming` are left alone: their routes read and limit by themselves."""

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
            await self._refuse(scope, receive, send)
            return
        received = 0
        answered = False

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise _TooLargeError
            return message

        async def send_noted(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            await self._app(scope, receive_limited, send_noted)
        except _TooLargeError:
            if not answered:
                await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = {
            "message": f"The request body is larger than {self._max_bytes:,} bytes, which is what is allowed here.",
            "extensions": {"code": "BODY_TOO_LARGE", "requestId": scope.get("request_id")},
        }
        await JSONResponse({"errors": [error]}, 413)(scope, receive, send)
