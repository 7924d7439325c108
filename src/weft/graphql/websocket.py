"""graphql-transport-ws: its rules and limits, the key in its first message and its end, and clients that leave.

A socket that has to end is closed with a code that makes clients do the right thing (graphql-ws connects again after a pause
that grows, or gives up at once and reports the reason) and with a reason for people:

| why | code | clients |
|---|---|---|
| the process stops | 1012 | connect again |
| too many connections, the key cannot be checked now, nothing is read, no ping answered | 1013 | connect again |
| no `connection_init` in time | 4408 | connect again |
| no good key, or no longer one | 4403 | connect again in vain, unless they are told that it is fatal |
| messages that are none, an operation before `connection_init`, an id twice | 4400, 4401, 4409 | give up |
| too many messages, a second `connection_init` | 4429 | give up: it is their program that has to change |
| a message that is too large | 1009 | give up |

One operation too many, or of a key that has used up its rate, is refused by an error of its own, and the socket goes on.
A flood of handshakes from one address is refused before it costs much, by HTTP status 429.
"""

import asyncio
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from typing import Protocol, cast

from graphql import GraphQLError, OperationType
from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from starlette.websockets import WebSocketDisconnected as AlreadyClosed
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import WebSocketDisconnected as ClientLeft
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import Operation
from strawberry.subscriptions.protocols.graphql_transport_ws.types import (
    ConnectionInitMessage,
    Message,
    SubscribeMessage,
)

from weft.domain.errors import LimitExceeded, RateLimited, Unauthenticated
from weft.graphql.connections import Connection, Floods
from weft.graphql.context import Context
from weft.graphql.errors import of_exception
from weft.graphql.live.handler import SharingHandler
from weft.graphql.requests import Parameters, parameters_of
from weft.graphql.schema import WeftSchema
from weft.graphql.socket_messages import wrong_about
from weft.kit.even_rate import EvenRate
from weft.kit.json import dump_deep
from weft.operations.watched_keys import WatchedKeys

FORBIDDEN = 4403
TOO_MANY = 4429
TRY_AGAIN_LATER = 1013
RESTARTING = 1012
"""The websocket's close codes for these, from IANA's registry."""
LONGEST_REASON = 123
TRUST = "weft.trust"
"""The ASGI extension of `http.sockets`, where the server is ours: a function."""
GOODBYE_SECONDS = 5.0


class TextAdapter(ASGIWebSocketAdapter):
    """Sends text frames: browsers hand out binary ones as blobs, which no GraphQL client reads."""

    @property
    def connection(self) -> Connection:
        return cast("Connection", self.ws.state.connection)

    def trust(self) -> None:
        """Who has shown a good key may send messages as large as the settings allow."""
        if (trust := self.ws.scope.get("extensions", {}).get(TRUST)) is not None:
            trust()

    async def send_json(self, message: Mapping[str, object]) -> None:
        with _leaving():
            await self.ws.send_text(dump_deep(message).decode())

    async def close(self, code: int, reason: str) -> None:
        with _leaving():
            await super().close(code, _in_bytes(reason))


@contextmanager
def _leaving() -> Generator[None]:
    """The first message that finds the client gone, and those of its other operations after that."""
    try:
        yield
    except (WebSocketDisconnect, AlreadyClosed) as gone:
        raise ClientLeft from gone


class MessageHandler(SharingHandler):
    """A socket lives as long as its key is good: when that is revoked or expires, each operation ends with the reason as
    its error. When the process stops, queries and mutations under way are answered first: asked again after the
    restart, a mutation could be done twice.
    """

    _leave: Callable[[], None] | None = None
    _ending: asyncio.Task[None] | None = None
    """While it is there, whatever comes from the client comes too late."""
    _till = 0
    """Its messages, as `EvenRate` counts."""

    async def handle(self) -> None:
        cast("TextAdapter", self.websocket).connection.on_restart(self._restart)
        try:
            await super().handle()
        finally:
            if self._leave is not None:
                self._leave()
            if self._ending is not None:
                await asyncio.wait({self._ending})

    async def handle_message(self, message: Message) -> None:
        if self._ending is not None:
            return
        if not self._keeps_pace():
            await self.websocket.close(TOO_MANY, "Too many messages came on this connection in too short a time.")
        elif (wrong := wrong_about(message)) is not None:
            await self.handle_invalid_message(wrong)
        else:
            await super().handle_message(message)

    def _keeps_pace(self) -> bool:
        rate = self._keeper.message_rate
        if rate is None:
            return True
        now = time.monotonic_ns() // 1_000
        if rate.wait(self._till, now):
            return False
        self._till = rate.after(self._till, now)
        return True

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        await super().handle_connection_init(message)
        if self.connection_acknowledged and self._leave is None:
            self._leave = self._keeper.watched_keys.join(self.context.viewer, self._end)
            self.context.connection_params = None  # it has the key in it, and may be as large as a message
            cast("TextAdapter", self.websocket).trust()

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        if self.connection_acknowledged and (refused := await self._refusal(message)) is not None:
            errors = [of_exception(refused, self.context).formatted]
            await self.send_message({"id": message["id"], "type": "error", "payload": errors})
        elif self._ending is None:  # asking for the refusal took a moment
            await super().handle_subscribe(message)

    async def _refusal(self, message: SubscribeMessage) -> Exception | None:
        operation_id = message["id"]
        most = self.max_subscriptions_per_connection
        if most is not None and operation_id not in self.operations and len(self.operations) >= most:
            return LimitExceeded(f"This connection has {most:,} operations under way, as many as it may.")
        try:
            await self._keeper.count(self.context)
            asked = parameters_of(message["payload"])
            message["payload"] |= {"query": self._keeper.query_in(asked), "operationName": asked.operation_name}
        except (RateLimited, GraphQLError) as refused:
            return refused
        return None

    @property
    def _keeper(self) -> "Keeper":
        return cast("Keeper", self.view)

    def _end(self, why: Exception) -> None:
        if self._ending is None:
            self._ending = asyncio.create_task(self._say_why(why))

    async def _say_why(self, why: Exception) -> None:
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
                await self.websocket.close(code, error.message)

    def _restart(self) -> None:
        if self._ending is None:
            self._ending = asyncio.create_task(self._close_for_restart())

    async def _close_for_restart(self) -> None:
        answers = [task for operation in self.operations.values() if (task := self._answering(operation)) is not None]
        if answers:
            await asyncio.wait(answers)
        with suppress(ClientLeft, TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self.websocket.close(RESTARTING, "This process is stopping. Connect again, after a random pause.")

    def _answering(self, operation: Operation[Context, None]) -> asyncio.Task[None] | None:
        """What answers a query or a mutation; None for a subscription."""
        schema = cast("WeftSchema", self.schema)
        kind = schema.documents.type_of(operation.query, operation.operation_name)
        return None if kind is OperationType.SUBSCRIPTION else cast("asyncio.Task[None] | None", operation.task)

    async def handle_task_exception(self, error: Exception) -> None:
        """Clients leave in the middle of their subscriptions: that is how these end, and no fault."""
        if not isinstance(error, ClientLeft):
            await super().handle_task_exception(error)


class Keeper(Protocol):
    """What the view keeps for all sockets."""

    watched_keys: WatchedKeys
    message_rate: EvenRate | None

    async def count(self, context: Context) -> None: ...

    def query_in(self, asked: Parameters) -> str: ...


async def refuse(websocket: WebSocket, why: Exception) -> None:
    """Not now. A handshake that fails tells a browser nothing, so it is completed for the code and the reason; but not for
    a flood.
    """
    begun = websocket.application_state is not WebSocketState.CONNECTING
    with suppress(WebSocketDisconnect, AlreadyClosed):
        if isinstance(why, Floods) and not begun and "websocket.http.response" in websocket.scope.get("extensions", {}):
            headers = {"Retry-After": str(round(why.retry_after_seconds) + 1)}
            await websocket.send_denial_response(PlainTextResponse(str(why), 429, headers))
            return
        if not begun:
            offered = GRAPHQL_TRANSPORT_WS_PROTOCOL in websocket.scope["subprotocols"]
            await websocket.accept(GRAPHQL_TRANSPORT_WS_PROTOCOL if offered else None)
        await websocket.close(TRY_AGAIN_LATER, _in_bytes(str(why)))


def _in_bytes(reason: str) -> str:
    """As much of it as a close frame takes."""
    return reason.encode()[:LONGEST_REASON].decode(errors="ignore")
