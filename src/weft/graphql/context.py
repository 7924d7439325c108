"""What resolvers are given: who asks, the services, and loaders for this request."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar, cast

import strawberry
from strawberry import dataloader
from strawberry.dataloader import DataLoader

from weft.domain.access import Viewer
from weft.domain.errors import Unauthenticated
from weft.graphql.connections import Connection
from weft.operations.services import Services

K = TypeVar("K")
V = TypeVar("V")
R = TypeVar("R")

LoadMany: TypeAlias = Callable[[Services, Viewer, list[K]], Awaitable[Sequence[V]]]
"""An operation that answers many keys at once, in the order of the keys."""

LOADER_BATCH = 1_000
"""Keys in one call of a loader: bounds the arrays that are bound to one statement."""


_current_batch: Callable[[object], Any] = cast("Any", dataloader).get_current_batch


class _Loaded(asyncio.Future[Any]):
    """What several fields wait for. A field is cancelled when one beside it fails, and what it waits for would be with it:
    then the others would end as well, or wait for a batch that is never asked for.
    """

    def cancel(self, msg: Any = None) -> bool:  # noqa: ARG002 - the signature of futures
        return False


class _Loader(DataLoader[K, V]):
    def load(self, key: K) -> Awaitable[V]:
        known = self.cache_map.get(key)
        if known is not None:
            return known
        future = _Loaded(loop=self.loop)
        self.cache_map.set(key, future)
        _current_batch(self).add_task(key, future)
        return future


class Context:
    """One request, or one event of a subscription."""

    def __init__(self, services: Services, request_id: str, caller: Viewer | Unauthenticated) -> None:
        self.services = services
        self.request_id = request_id
        self.caller = caller
        """Who asks, or why that is not known: introspection works without a key, root fields do not."""
        self.address: str | None = None
        """Where the request comes from, whichever way its key is shown."""
        self.connection_params: Mapping[str, Any] | None = None
        """The payload of a websocket's `connection_init`."""
        self.connection: Connection | None = None
        """The websocket that the request came on."""
        self.last_event_id: str | None = None
        """The cursor that an event stream's client saw last, as its `Last-Event-ID` header says when it comes back."""
        self.on_event: Callable[[object], None] | None = None
        """Told each event of a subscription's source, before its fields are read."""
        self._loaders: dict[object, DataLoader[Any, Any]] = {}

    @property
    def viewer(self) -> Viewer:
        if isinstance(self.caller, Unauthenticated):
            raise Unauthenticated(self.caller.message)
        return self.caller

    def place(self, after: str | None) -> str | None:
        """Behind which event a stream of events goes on. A client that comes back asks what it asked first, so what it saw
        last counts more than the `after` in it.
        """
        return self.last_event_id or after

    async def load(self, load_many: LoadMany[K, V], key: K) -> V:
        """One of many: all keys asked for in the same turn of the event loop become one call of `load_many`."""
        return await self._future(load_many, key)

    def load_then(self, load_many: LoadMany[K, V], key: K, use: Callable[[V], R]) -> R | Awaitable[R]:
        """What `use` makes of it. At once where it was loaded before: a hundred items need not wait for one and the same."""
        future = self._future(load_many, key)
        return use(future.result()) if future.done() else _used(future, use)

    def know(self, load_many: LoadMany[K, V], key: K, value: V) -> None:
        """This is what `load` would find: it need not be asked for."""
        self._loader(load_many).prime(key, value)

    def _future(self, load_many: LoadMany[K, V], key: K) -> "asyncio.Future[V]":
        return cast("asyncio.Future[V]", self._loader(load_many).load(key))

    def _loader(self, load_many: LoadMany[K, V]) -> "DataLoader[K, V]":
        loader = cast("DataLoader[K, V] | None", self._loaders.get(load_many))
        if loader is None:

            async def call(keys: list[K]) -> Sequence[V]:
                return await load_many(self.services, self.viewer, keys)

            loader = _Loader[K, V](load_fn=call, max_batch_size=LOADER_BATCH)
            self._loaders[load_many] = loader
        return loader

    def fresh(self) -> "Context":
        """The same caller with empty loaders: nothing loaded for one operation or event is shown in a later one."""
        fresh = Context(self.services, self.request_id, self.caller)
        fresh.last_event_id, fresh.on_event = self.last_event_id, self.on_event
        return fresh


async def _used(future: "asyncio.Future[V]", use: Callable[[V], R]) -> R:
    return use(await future)


Info: TypeAlias = strawberry.Info[Context, None]
