"""The endpoint: one path for queries, mutations and subscriptions, over HTTP, SSE and websocket, and the explorer.

A request is answered as an event stream when it accepts nothing else, or when it is a subscription and accepts one at
all: clients such as urql offer `text/event-stream` and `multipart/mixed` with every query and expect plain JSON for it.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from anyio import CancelScope
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http import GraphQLRequestData
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.unset import UNSET, UnsetType
from typing_extensions import override

from weft.auth.keys import bearer
from weft.domain.access import Viewer
from weft.domain.errors import Unauthenticated
from weft.graphql.context import Context
from weft.graphql.errors import BAD_REQUEST, UNAVAILABLE
from weft.graphql.explorer import explorer_page
from weft.graphql.schema import WeftSchema
from weft.graphql.websocket import MessageHandler, TextAdapter, key_in
from weft.kit.json import dump_bytes, loads
from weft.operations.authentication import Authenticator
from weft.operations.services import Services
from weft.storage.outage import note_outage, outage

JSON_TYPES = ("application/json", "application/graphql-response+json", "*/*")
TRY_AGAIN_LATER = 1013
"""The websocket's close code for it, from IANA's registry."""


class KeyUncheckedError(Exception):
    """The database is away, so nobody knows whose key this is. The message is for the client."""


@dataclass(frozen=True, slots=True)
class ViewOptions:
    graphiql: bool = True
    allowed_origins: Sequence[str] = ()
    """Origins of web pages elsewhere that may open a websocket here; `*` for any."""
    subscriptions_per_connection: int = 100


class GraphQLView(GraphQL[Context, None]):
    schema: WeftSchema
    websocket_adapter_class = TextAdapter
    graphql_transport_ws_handler_class = MessageHandler

    def __init__(
        self, schema: WeftSchema, services: Services, stopping: asyncio.Event, options: ViewOptions | None = None
    ) -> None:
        """When `stopping` is set, event streams end: their clients connect again, to another process."""
        options = options or ViewOptions()
        super().__init__(
            schema,
            graphql_ide="graphiql" if options.graphiql else None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_SSE_PROTOCOL),
            connection_init_wait_timeout=timedelta(seconds=10),
            max_subscriptions_per_connection=options.subscriptions_per_connection,
            allowed_origins=options.allowed_origins,
        )
        self._services = services
        self._authenticator = Authenticator(services)
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._serve(WebSocket(scope, receive=receive, send=send))
            return
        request = Request(scope, receive)
        try:
            response = await self.run(request)
        except HTTPException as refused:
            response = _refusal(request, refused.status_code, BAD_REQUEST, refused.reason)
        except KeyUncheckedError as away:
            response = _refusal(request, 503, UNAVAILABLE, str(away))
        await response(scope, receive, send)

    async def _serve(self, websocket: WebSocket) -> None:
        try:
            await self.run(websocket)
        except KeyUncheckedError as away:
            with contextlib.suppress(WebSocketDisconnect):
                await websocket.close(TRY_AGAIN_LATER, str(away))

    @override
    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        context = Context(self._services, _request_id(request), Unauthenticated())
        key = bearer(request.headers.get("authorization"))
        if key is not None:
            await self._identify(context, key, request.client.host if request.client else None)
        elif isinstance(request, WebSocket):
            context.address = request.client.host if request.client else None
        return context

    async def on_ws_connect(self, context: Context) -> UnsetType | dict[str, object] | None:
        """The key comes with the handshake or with `connection_init`. Without a good one the socket closes with 4403, and
        with 1013 when it cannot be checked.
        """
        key = key_in(context.connection_params)
        if key is not None:
            await self._identify(context, key, context.address)
        if isinstance(context.caller, Unauthenticated):
            raise ConnectionRejectionError
        return UNSET

    async def _identify(self, context: Context, key: str, address: str | None) -> None:
        async def authenticate() -> Viewer:
            return await self._authenticator.authenticate(key, address)

        try:
            context.caller = await authenticate()
            context.authenticate = authenticate
        except Unauthenticated as refused:
            context.caller = refused
        except Exception as error:
            if (told := outage(error)) is None:
                raise
            note_outage(error)
            raise KeyUncheckedError(told) from error

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData | list[GraphQLRequestData]:
        data = await super().parse_http_body(request)
        if isinstance(data, list) or data.protocol != "sse":
            return data
        accepted = request.headers.get("accept", "")
        if any(json_type in accepted for json_type in JSON_TYPES) and not self.schema.documents.is_subscription(
            data.query or "", data.operation_name
        ):
            data.protocol = "http"
        return data

    def parse_json(self, data: str | bytes) -> Any:
        parsed = super().parse_json(data)
        if not isinstance(parsed, dict | list | None):
            raise HTTPException(400, "A JSON object is needed here.")
        return cast("Any", parsed if parsed is not None else {})  # null says as little as an empty object

    def decode_json(self, data: str | bytes) -> object:
        return loads(data)

    def encode_json(self, data: object) -> str | bytes:
        return dump_bytes(data)

    @override
    async def render_graphql_ide(self, request: Request) -> Response:
        return explorer_page()

    @override
    async def create_streaming_response(
        self,
        request: Request | WebSocket,
        stream: Callable[[], AsyncIterator[str]],
        sub_response: Response,
        headers: Mapping[str, str],
    ) -> Response:
        chunks = cast("AsyncGenerator[str]", stream())
        return StreamingResponse(_until(self._stopping, chunks), headers=dict(headers))


async def _until(stopping: asyncio.Event, stream: AsyncGenerator[str]) -> AsyncGenerator[str]:
    """The stream, cut off when `stopping` is set."""
    stopped = asyncio.create_task(stopping.wait())
    chunk: asyncio.Task[str | None] | None = None
    try:
        while True:
            chunk = asyncio.create_task(_next(stream))
            await asyncio.wait({chunk, stopped}, return_when=asyncio.FIRST_COMPLETED)
            text = chunk.result() if chunk.done() else None
            if text is None:
                return
            yield text
    finally:
        stopped.cancel()
        # Starlette cancels again and again until its task ends, and a generator cannot be closed while it still runs.
        with CancelScope(shield=True):
            if chunk is not None and not chunk.done():
                chunk.cancel()
                await asyncio.wait({chunk})
            await stream.aclose()


async def _next(stream: AsyncGenerator[str]) -> str | None:
    return await anext(stream, None)


def _refusal(request: Request, status: int, code: str, message: str) -> Response:
    error = {"message": message, "extensions": {"code": code, "requestId": _request_id(request)}}
    return Response(dump_bytes({"errors": [error]}), status, media_type="application/json")


def _request_id(request: Request | WebSocket) -> str:
    return str(request.scope.get("request_id", ""))
