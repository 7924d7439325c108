"""What our executor changes in graphql-core's."""

import asyncio
import gc
import tracemalloc
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

import strawberry

from weft.domain.access import Role, Viewer
from weft.domain.ids import new_id
from weft.graphql.context import Context, Info
from weft.graphql.execution import WeftExecutor
from weft.operations.services import Services

VIEWER = Viewer(new_id(), new_id(), "test", Role.ADMIN)
calls: list[list[int]] = []


async def squares(_services: Services, _viewer: Viewer, keys: list[int]) -> Sequence[int]:
    calls.append(keys)
    return [key * key for key in keys]


@dataclass
class Event:
    number: int


@strawberry.type
class Inner:
    @strawberry.field
    @staticmethod
    async def square(parent: strawberry.Parent[Event], info: Info) -> int:
        return await info.context.load(squares, parent.number)


@strawberry.type
class Outer:
    @strawberry.field(graphql_type=Inner)
    @staticmethod
    def inner(parent: strawberry.Parent[Event]) -> Event:
        return parent


@strawberry.type
class Query:
    @strawberry.field(graphql_type=list[Outer])
    def many(self) -> list[Event]:
        return [Event(1), Event(2), Event(1)]


@strawberry.type
class Subscription:
    @strawberry.subscription(graphql_type=Outer)
    async def events(self, count: int, number: int = 1) -> AsyncGenerator[Event]:
        for _ in range(count):
            yield Event(number)


schema = strawberry.Schema(Query, subscription=Subscription, execution_context_class=WeftExecutor)


def context() -> Context:
    return Context(cast("Services", None), "request", VIEWER)


async def test_keys_asked_for_at_once_are_loaded_in_one_call() -> None:
    calls.clear()
    result = await schema.execute("{ many { inner { square } } }", context_value=context())
    assert result.data == {"many": [{"inner": {"square": value}} for value in (1, 4, 1)]}
    assert calls == [[1, 2]]


async def test_what_one_operation_loaded_is_not_shown_by_the_next_on_the_same_connection() -> None:
    calls.clear()
    shared = context()
    for _ in range(2):
        await schema.execute("{ many { inner { square } } }", context_value=shared)
    assert calls == [[1, 2], [1, 2]]


async def test_a_field_that_is_cancelled_takes_nothing_from_others_that_wait_for_the_same() -> None:
    shared = context()

    async def text_of(number: int) -> str:
        return await cast("Awaitable[str]", shared.load_then(squares, number, str))

    cancelled, kept = (asyncio.create_task(shared.load(squares, 3)) for _ in range(2))
    used = asyncio.create_task(text_of(3))
    await asyncio.sleep(0)
    cancelled.cancel()
    async with asyncio.timeout(10):
        assert (await kept, await used) == (9, "9")
    assert cancelled.cancelled()


async def test_each_event_of_a_subscription_loads_afresh() -> None:
    calls.clear()
    await consume(3)
    assert calls == [[1], [1], [1]]


async def test_a_long_subscription_keeps_nothing_of_its_events() -> None:
    await consume(200)
    gc.collect()
    tracemalloc.start()
    try:
        grown = await consume(2_000, measure=True)
    finally:
        tracemalloc.stop()
    assert grown < 100 * 2_000, f"{grown / 2_000:.0f} bytes per event are kept"


async def consume(count: int, *, measure: bool = False) -> int:
    """Bytes that the subscription holds more at its end than after its first events."""
    stream: Any = await schema.subscribe(
        "subscription ($count: Int!) { events(count: $count) { inner { square } } }",
        {"count": count},
        context_value=context(),
    )
    seen = before = after = 0
    async with aclosing(stream):
        async for result in stream:
            assert result.errors is None
            seen += 1
            if measure and seen in {100, count}:  # before its end: then everything is let go of anyway
                calls.clear()
                gc.collect()
                before, after = after, tracemalloc.get_traced_memory()[0]
    return after - before
