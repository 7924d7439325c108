"""The part of the endpoint that answers with streams: operations whose results come one after another over HTTP.

A stream of events tells with each of them the place behind which a client goes on that comes back (`Last-Event-ID`), whether
the operation asks for a cursor or not. A stream ends before its time when the process stops, or its key does.
"""

import functools
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Any

from starlette.responses import Response
from strawberry.asgi import GraphQL

from weft.domain.access import Viewer
from weft.graphql.connections import Connections
from weft.graphql.context import Context
from weft.graphql.errors import of_exception
from weft.graphql.live.execution import encoded
from weft.graphql.live.registry import Asked, SharedOperations
from weft.graphql.open_streams import OpenStream
from weft.graphql.paging import encode_cursor
from weft.graphql.schema import WeftSchema
from weft.graphql.stream_formats import StreamFormat
from weft.operations.watched_keys import WatchedKeys


class EventStreams(GraphQL[Context, None]):
    schema: WeftSchema
    watched_keys: WatchedKeys
    shared: SharedOperations
    connections: Connections
    heartbeat_seconds: float

    async def stream(self, form: StreamFormat, asked: Asked, context: Context) -> Response:
        """The answer to an operation whose results come one after another. Raises RateLimited where too many are open."""
        caller = context.caller
        key_id = caller.key_id if isinstance(caller, Viewer) else None
        parts = await self._parts(form, asked, context)
        connection = self.connections.open(context.address, key_id)
        return OpenStream(form, parts, connection, functools.partial(self._join, context), self.heartbeat_seconds)

    async def _parts(self, form: StreamFormat, asked: Asked, context: Context) -> AsyncGenerator[bytes]:
        if isinstance(context.caller, Viewer) and (payloads := self.shared.watch(asked, context)) is not None:
            return _parts_of_shared(form, payloads)
        place = _Place()
        context.on_event = place.note
        variables = None if asked.variables is None else dict(asked.variables)
        results = await self.schema.stream(
            asked.query, variable_values=variables, context_value=context, operation_name=asked.operation_name
        )
        return _parts(form, results, place)

    def _join(self, context: Context, end: Callable[[Mapping[str, Any]], None]) -> Callable[[], None]:
        """The stream ends with its key."""
        if not isinstance(context.caller, Viewer):
            return _nothing  # it says that a key is needed, and ends
        return self.watched_keys.join(context.caller, lambda why: end(of_exception(why, context).formatted))


class _Place:
    """Of the event that a stream tells."""

    def __init__(self) -> None:
        self.cursor: str | None = None

    def note(self, event: object) -> None:
        place: object = getattr(event, "place", None)
        self.cursor = None if place is None else encode_cursor(str(place))


async def _parts(form: StreamFormat, results: Any, place: _Place) -> AsyncGenerator[bytes]:
    async with aclosing(results):
        async for result in results:
            yield form.event(encoded(result), place.cursor)


async def _parts_of_shared(form: StreamFormat, payloads: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    async with aclosing(payloads):
        async for payload in payloads:
            yield form.event(payload, None)


def _nothing() -> None:
    pass
