"""graphql-transport-ws: the key in its first message and its end, messages that are none, and clients that leave."""

import asyncio
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Protocol, cast

from starlette.websockets import WebSocketDisconnect
from starlette.websockets import WebSocketDisconnected as AlreadyClosed
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import WebSocketDisconnected as ClientLeft
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.subscriptions.protocols.graphql_transport_ws.types import (
    ConnectionInitMessage,
    Message,
    SubscribeMessage,
)

from weft.auth.keys import bearer
from weft.domain.errors import RateLimited, Unauthenticated
from weft.graphql.context import Context
from weft.graphql.errors import of_exception
from weft.kit.json import dump_deep
from weft.operations.watched_keys import WatchedKeys

FORBIDDEN = 4403
TRY_AGAIN_LATER = 1013
"""The websocket's close code for it, from IANA's registry."""
LONGEST_REASON = 123
GOODBYE_SECONDS = 5.0


class TextAdapter(ASGIWebSocketAdapter):
    """Sends text frames: browsers hand out binary ones as blobs, which no GraphQL client reads."""

    async def send_json(self, message: Mapping[str, object]) -> None:
        with _leaving():
            await self.ws.send_text(dump_deep(message).decode())

    async def close(self, code: int, reason: str) -> None:
        with _leaving():
            await super().close(code, reason)


@contextmanager
def _leaving() -> Generator[None]:
    """The first message that finds the client gone, and those of its other operations after that."""
    try:
        yield
    except (WebSocketDisconnect, AlreadyClosed) as gone:
        raise ClientLeft from gone


class MessageHandler(BaseGraphQLTransportWSHandler[Context, None]):
    """Refuses malformed messages with close code 4400 and the reason. A socket lives as long as its key is good: when that
    is revoked or expires, each operation ends with the reason as its error, and the socket closes with 4403.
    """

    _leave: Callable[[], None] | None = None
    _ending: asyncio.Task[None] | None = None

    async def handle(self) -> None:
        try:
            await super().handle()
        finally:
            if self._leave is not None:
                self._leave()
            if self._ending is not None:
                await asyncio.wait({self._ending})

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        await super().handle_connection_init(message)
        if self.connection_acknowledged and self._leave is None:
            self._leave = self._keeper.watched_keys.join(self.context.viewer, self._end)

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        if self.connection_acknowledged:
            try:
                await self._keeper.count(self.context)
            except RateLimited as refused:
                errors = [of_exception(refused, self.context).formatted]
                await self.send_message({"id": message["id"], "type": "error", "payload": errors})
                return
        await super().handle_subscribe(message)

    @property
    def _keeper(self) -> "Keeper":
        return cast("Keeper", self.view)

    def _end(self, why: Exception) -> None:
        self._ending = asyncio.create_task(self._say_why(why))

    async def _say_why(self, why: Exception) -> None:
        self.connection_acknowledged = False  # nothing new begins
        ended = list(self.operations)
        for operation_id in ended:
            await self.cleanup_operation(operation_id)
        error = of_exception(why, self.context)
        code = FORBIDDEN if isinstance(why, Unauthenticated) else TRY_AGAIN_LATER
        # A client that does not read its messages must not keep what it watched.
        with suppress(ClientLeft, TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                for operation_id in ended:
                    await self.send_message({"id": operation_id, "type": "error", "payload": [error.formatted]})
                await self.websocket.close(code, _in_bytes(error.message))

    async def handle_message(self, message: Message) -> None:
        wrong = wrong_about(message)
        if wrong is None:
            await super().handle_message(message)
        else:
            await self.handle_invalid_message(wrong)

    async def handle_task_exception(self, error: Exception) -> None:
        """Clients leave in the middle of their subscriptions: that is how these end, and no fault."""
        if not isinstance(error, ClientLeft):
            await super().handle_task_exception(error)


class Keeper(Protocol):
    """What the view keeps for all sockets."""

    watched_keys: WatchedKeys

    async def count(self, context: Context) -> None: ...


def _in_bytes(reason: str) -> str:
    """As much of it as a close frame takes."""
    return reason.encode()[:LONGEST_REASON].decode(errors="ignore")


def wrong_about(message: object) -> str | None:
    """What is wrong with a message from a client, as far as its kind is known; None for a good one."""
    if not isinstance(message, dict):
        return "A message has to be a JSON object."
    fields = cast("dict[str, Any]", message)
    if not isinstance(fields.get("type"), str):
        return "A message needs a `type`."
    if fields["type"] in {"subscribe", "complete"} and not isinstance(fields.get("id"), str):
        return "This message needs an `id`, a string."
    return _wrong_about_operation(fields.get("payload")) if fields["type"] == "subscribe" else None


def _wrong_about_operation(payload: object) -> str | None:
    if not isinstance(payload, dict):
        return "The `payload` of subscribe has to be an object."
    operation = cast("dict[str, Any]", payload)
    if not isinstance(operation.get("query"), str):
        return "`payload.query` has to be a string."
    if not isinstance(operation.get("variables") or {}, dict):
        return "`payload.variables` has to be an object."
    if not isinstance(operation.get("operationName") or "", str):
        return "`payload.operationName` has to be a string."
    return None


def key_in(params: Mapping[str, Any] | None) -> str | None:
    """The key in a `connection_init` payload: `Authorization` as a bearer header, or `apiKey` alone. Case is ignored."""
    for name, value in (params or {}).items():
        if isinstance(value, str):
            match name.lower():
                case "authorization":
                    return bearer(value) or value
                case "apikey":
                    return value
                case _:
                    pass
    return None
