"""graphql-transport-ws: the key in its first message, messages that are none, and clients that leave."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from starlette.websockets import WebSocketDisconnect
from starlette.websockets import WebSocketDisconnected as AlreadyClosed
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import WebSocketDisconnected as ClientLeft
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.subscriptions.protocols.graphql_transport_ws.types import Message

from weft.auth.keys import bearer
from weft.graphql.context import Context
from weft.kit.json import dumps


class TextAdapter(ASGIWebSocketAdapter):
    """Sends text frames: browsers hand out binary ones as blobs, which no GraphQL client reads."""

    async def send_json(self, message: Mapping[str, object]) -> None:
        with _leaving():
            await self.ws.send_text(dumps(message))

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
    """Refuses malformed messages with close code 4400 and the reason."""

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
