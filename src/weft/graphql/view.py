"""The endpoint: one path for queries, mutations and subscriptions, over HTTP, SSE and websocket, and the explorer.

A request over HTTP goes through `accepting` (in which form is it answered), `requests` (what does it ask), the schema, and
`http_answers`. It is answered as an event stream when it accepts nothing else, or when it is a subscription and accepts
one at all: clients such as urql offer `text/event-stream` and `multipart/mixed` with every query and expect JSON for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from graphql import GraphQLError, OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.exceptions import ConnectionRejectionError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.execution import PreExecutionError
from strawberry.types.unset import UNSET, UnsetType
from typing_extensions import override

from weft.auth.keys import bearer
from weft.auth.rate_limits import RateLimits
from weft.domain.access import Viewer
from weft.domain.errors import RateLimited, Unauthenticated
from weft.graphql.accepting import JSON, RESPONSE, Accepted, accepted
from weft.graphql.connections import ConnectionLimits, Connections
from weft.graphql.context import Context
from weft.graphql.errors import BAD_REQUEST, UNAVAILABLE, translated
from weft.graphql.event_streams import EventStreams
from weft.graphql.explorer import explorer_page
from weft.graphql.foreign_pages import ForeignPages
from weft.graphql.http_answers import answer, refusal, too_soon
from weft.graphql.live.registry import Asked, SharedOperations
from weft.graphql.requests import (
    NotServedError,
    Parameters,
    check_method,
    mutation_by_get,
    not_acceptable,
    nothing_asked,
    read_parameters,
)
from weft.graphql.schema import WeftSchema
from weft.graphql.socket_messages import key_in
from weft.graphql.websocket import MessageHandler, TextAdapter, refuse
from weft.kit.even_rate import EvenRate
from weft.kit.json import dump_deep, loads
from weft.operations.authentication import Authenticator
from weft.operations.services import Services
from weft.operations.watched_keys import WatchedKeys
from weft.storage.outage import note_outage, outage


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
    connections: Connections = field(default_factory=lambda: Connections(ConnectionLimits()))
    message_rate: EvenRate | None = None
    """Of the messages of one websocket. Left out: they are not counted."""
    heartbeat_seconds: float = 13
    """Of streams: how often one is sent a sign of life, and how long its client has to take it."""


class GraphQLView(EventStreams):
    schema: WeftSchema
    websocket_adapter_class = TextAdapter
    graphql_transport_ws_handler_class = MessageHandler

    def __init__(self, schema: WeftSchema, services: Services, options: ViewOptions | None = None) -> None:
        options = options or ViewOptions()
        super().__init__(
            schema,
            graphql_ide="graphiql" if options.graphiql else None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=timedelta(seconds=10),
            max_subscriptions_per_connection=options.subscriptions_per_connection,
            allowed_origins=options.allowed_origins,
        )
        self._services = services
        self._authenticator = Authenticator(services)
        self.watched_keys = WatchedKeys(services)
        self.shared = SharedOperations(schema, services)
        self._rate_limits = options.rate_limits
        self._foreign_pages = ForeignPages()
        self.connections = options.connections
        self.message_rate = options.message_rate
        self.heartbeat_seconds = options.heartbeat_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._serve(WebSocket(scope, receive=receive, send=send))
            return
        request = Request(scope, receive)
        form = accepted(", ".join(request.headers.getlist("accept")))
        try:
            response = await self._answer(request, form)
        except ClientDisconnect:
            return  # in the middle of its request: there is nobody to answer
        except NotServedError as refused:
            response = refusal(
                refused.status, BAD_REQUEST, str(refused), _request_id(request), form.answer, refused.headers
            )
        except KeyUncheckedError as away:
            response = refusal(503, UNAVAILABLE, str(away), _request_id(request), form.answer)
        except RateLimited as refused:
            response = too_soon(refused.message, refused.retry_after_seconds, _request_id(request), form.answer)
        await response(scope, receive, send)

    async def _answer(self, request: Request, form: Accepted) -> Response:
        check_method(request.method)
        if form.page and self.graphql_ide and _asks_nothing(request):
            return explorer_page()
        if form.answer is None and form.stream is None:
            raise not_acceptable()
        context = await self.get_context(request, None)
        asked = await read_parameters(request)
        if asked.query is None and asked.document_id is None:
            raise nothing_asked()
        await self.count(context)
        try:
            query = self.query_in(asked)
        except GraphQLError as unknown:
            result = PreExecutionError(None, translated([unknown], context))
            # Who takes streams alone has to see by the status that none comes.
            return answer(result, form.answer or RESPONSE)
        if form.stream is not None or request.method == "GET":
            operation = self.schema.documents.type_of(query, asked.operation_name)
            if operation is OperationType.MUTATION and request.method == "GET":
                raise mutation_by_get()
            if form.stream is not None and (form.answer is None or operation is OperationType.SUBSCRIPTION):
                return await self.stream(form.stream, Asked(query, asked.variables, asked.operation_name), context)
        result = await self.schema.execute(
            query, variable_values=asked.variables, context_value=context, operation_name=asked.operation_name
        )
        return answer(result, form.answer or JSON)

    def query_in(self, asked: Parameters) -> str:
        """The text of the operation asked for, empty where none is. Raises a GraphQLError for a document that is not known."""
        if asked.query is None and asked.document_id is not None:
            return self.schema.documents.named(asked.document_id)
        return asked.query or ""

    @override
    def is_websocket_origin_allowed(self, request: WebSocket, origin: str) -> bool:
        allowed = super().is_websocket_origin_allowed(request, origin)
        if not allowed:
            self._foreign_pages.refused(origin)
        return allowed

    async def _serve(self, websocket: WebSocket) -> None:
        try:
            with self.connections.open(_address(websocket)) as websocket.state.connection:
                await self.run(websocket)
        except (KeyUncheckedError, RateLimited) as away:
            await refuse(websocket, away)

    @override
    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket | None) -> Context:
        context = Context(self._services, _request_id(request), Unauthenticated())
        context.address = _address(request)
        if isinstance(request, Request):
            context.last_event_id = request.headers.get("last-event-id")
        else:
            context.connection = request.state.connection
        key = bearer(request.headers.get("authorization"))
        if key is not None:
            await self._identify(context, key)
        return context

    async def count(self, context: Context) -> None:
        """One more operation of the caller's. Raises RateLimited where its key has used up what it may."""
        caller = context.caller
        if self._rate_limits is not None and isinstance(caller, Viewer):
            await self._rate_limits.admit(str(caller.key_id), caller.rate_limit)

    async def on_ws_connect(self, context: Context) -> UnsetType | dict[str, object] | None:
        """The key comes with the handshake or with `connection_init`. Without a good one the socket closes with 4403, and
        with 1013 when it cannot be checked, or has as many connections as it may.
        """
        key = key_in(context.connection_params)
        if key is not None:
            await self._identify(context, key)
        if isinstance(context.caller, Unauthenticated):
            raise ConnectionRejectionError
        if context.connection is not None:
            context.connection.belongs_to(context.caller.key_id)
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

    def decode_json(self, data: str | bytes) -> object:
        return loads(data)

    def encode_json(self, data: object) -> str | bytes:
        return dump_deep(data)


def _address(request: Request | WebSocket) -> str | None:
    return request.client.host if request.client else None


def _asks_nothing(request: Request) -> bool:
    return request.method == "GET" and not {"query", "documentId", "id", "extensions"} & request.query_params.keys()


def _request_id(request: Request | WebSocket) -> str:
    return str(request.scope.get("request_id", ""))
