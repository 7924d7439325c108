"""A name for every request: `X-Request-ID`, the caller's own where it sends one."""

import re
import time

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from weft.domain.ids import new_id

HEADER = "X-Request-ID"

_LINK = re.compile(r"(/hooks|/files/[^/]+/[^/]+)/.+")

_ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{1,64}")

_WITH_HEADERS = {"http.response.start", "websocket.accept", "websocket.http.response.start"}

logger = structlog.stdlib.get_logger(__name__)


class RequestIds:
    """Puts the id into `scope["request_id"]`, the log's context and the response, and notes how the request went."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        request_id = given if _ACCEPTABLE.fullmatch(given) else new_id().hex
        scope["request_id"] = request_id
        started = time.perf_counter()
        status = 0

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] in _WITH_HEADERS:
                status = message.get("status", 101)
                message.setdefault("headers", ())
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self._app(scope, receive, send_named)
            elapsed = round((time.perf_counter() - started) * 1000, 1)
            logger.debug("Request served.", path=without_link(scope["path"]), status=status, milliseconds=elapsed)


def without_link(path: str) -> str:
    """For the log: in the paths of files and webhooks stands what whoever knows it may use."""
    return _LINK.sub(r"\1/…", path)
