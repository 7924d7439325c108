"""The endpoint: one path for queries, mutations and subscriptions, over HTTP, SSE and websocket, and the explorer.

A request is answered as an event stream when it accepts nothing else, or when it is a subscription and accepts one at
all: clients such as urql offer `text/event-stream` and `multipart/mixed` with every query and expect plain JSON for it.
"""

import asyncio
import contextlib
import functools
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

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
from weft.auth.rate_limits import RateLimits
from weft.domain.access import Viewer
from weft.domain.errors import RateLimited, Unauthenticated
from weft.graphql.context import Context
from weft.graphql.errors import BAD_REQUEST, UNAVAILABLE, of_exception
from weft.graphql.event_streams import last_words, until
from weft.graphql.explorer import explorer_page
from weft.graphql.schema import WeftSchema
from weft.graphql.websocket import TRY_AGAIN_LATER, MessageHandler, TextAdapter, key_in
from weft.kit.json import dump_bytes, dump_deep, loads
from weft.operations.authentication import Authenticator
from weft.operations.services import Services
from weft.operations.watched_keys import WatchedKeys
from weft.storage.outage import note_outage, outage

JSON_TYPES = ("application/json", "application/graphql-response+json", "*/*")


class KeyUncheckedError(Exception):
    """The database is away, so nobody knows whose key this is. The message is for the client."""


@dataclass(frozen=True, slots=True)
class ViewOptions:
    graphiql: bool = True
    allowed_origins: Sequence[str] = ()
    """Origins of web pages elsewhere that may open a websocket here; `*` for any."""
    subscriptions_per_connection: int = 100
    rate_limits: RateLimits | None = None
    """Left out: nobody's operations are counted."""


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
        self.watched_keys = WatchedKeys(services)
        self._rate_limits = options.rate_limits
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
        except RateLimited as refused:
            response = _refusal(request, 429, refused.code, refused.message, refused.retry_after_seconds)
        await response(scope, receive, send)

    async def _serve(self, websocket: WebSocket) -> None:
        try:
            await self.run(websocket)
        except (KeyUncheckedError, RateLimited) as away:
            with contextlib.suppress(WebSocketDisconnect):
                await websocket.close(TRY_AGAIN_LATER, str(away))

    @override
    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        context = Context(self._services, _request_id(request), Unauthenticated())
        context.address = request.client.host if request.client else None
        key = bearer(request.headers.get("authorization"))
        if key is not None:
            await self._identify(context, key)
        request.state.context = context
        return context

    @override
    async def execute_operation(
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        request_data: GraphQLRequestData | list[GraphQLRequestData],
        context: Context,
        root_value: None,
        sub_response: Response,
    ) -> Any:
        await self.count(context)
        return await super().execute_operation(
            request, request_adapter, request_data, context, root_value, sub_response
        )

    async def count(self, context: Context) -> None:
        """One more operation of the caller's. Raises RateLimited where its key has used up what it may."""
        caller = context.caller
        if self._rate_limits is not None and isinstance(caller, Viewer):
            await self._rate_limits.admit(str(caller.key_id), caller.rate_limit)

    async def on_ws_connect(self, context: Context) -> UnsetType | dict[str, object] | None:
        """The key comes with the handshake or with `connection_init`. Without a good one the socket closes with 4403, and
        with 1013 when it cannot be checked.
        """
        key = key_in(context.connection_params)
        if key is not None:
            await self._identify(context, key)
        if isinstance(context.caller, Unauthenticated):
            raise ConnectionRejectionError
        return UNSET

    async def _identify(self, context: Context, key: str) -> None:
        try:
            context.caller = await self._authenticator.authenticate(key, context.address)
        except Unauthenticated as refused:
            context.caller = refused
        except Exception as error:
            if isinstance(error, RateLimited) or (told := outage(error)) is None:
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
        return dump_deep(data)

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
        join = functools.partial(self._join, request.state.context)
        return StreamingResponse(until(self._stopping, join, chunks), headers=dict(headers))

    def _join(self, context: Context, ended: asyncio.Future[str]) -> Callable[[], None]:
        """The event stream ends with its key."""
        if not isinstance(context.caller, Viewer):
            return _nothing  # it says that a key is needed, and ends

        def end(why: Exception) -> None:
            if not ended.done():
                ended.set_result(last_words(of_exception(why, context).formatted))

        return self.watched_keys.join(context.caller, end)


def _nothing() -> None:
    pass


def _refusal(
    request: Request, status: int, code: str, message: str, retry_after_seconds: float | None = None
) -> Response:
    extensions: dict[str, object] = {"code": code, "requestId": _request_id(request)}
    headers: dict[str, str] = {}
    if retry_after_seconds is not None:
        extensions["retryAfter"] = round(retry_after_seconds, 3)
        headers["Retry-After"] = str(math.ceil(retry_after_seconds))
    body = dump_bytes({"errors": [{"message": message, "extensions": extensions}]})
    return Response(body, status, headers, media_type="application/json")


def _request_id(request: Request | WebSocket) -> str:
    return str(request.scope.get("request_id", ""))
