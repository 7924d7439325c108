"""Fields that are read off their parent alone: the answer is what graphql-core would have given, errors included."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pytest
import strawberry
from graphql import GraphQLObjectType
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from weft.graphql.execution import WeftExecutor
from weft.graphql.plain_fields import mark_plain_fields, plain_field


class Colour(Enum):
    RED = "r"
    BLUE = "b"


strawberry.enum(Colour)


@dataclass
class Thing:
    name: Any
    colour: Any = Colour.BLUE
    size: Any = 1
    reads: int = 0

    @property
    def weight(self) -> float:
        if self.size == 13:
            raise ValueError("It has no weight.")
        return self.size / 2


@strawberry.type(name="Thing")
class ThingView:
    name: str
    colour: Colour
    size: int | None
    weight: float | None

    @strawberry.field
    @staticmethod
    def reads(parent: strawberry.Parent[Thing]) -> int:
        parent.reads += 1
        return parent.reads

    @strawberry.field
    @staticmethod
    def halves(parent: strawberry.Parent[Thing]) -> list[float]:
        return [parent.weight, parent.weight]

    @strawberry.field(graphql_type="ThingView | None")
    @staticmethod
    def same(parent: strawberry.Parent[Thing]) -> Thing | None:
        return parent if parent.size else None

    @strawberry.field
    @staticmethod
    async def later(parent: strawberry.Parent[Thing]) -> str:
        return f"{parent.name} later"

    @strawberry.field
    @staticmethod
    def times(parent: strawberry.Parent[Thing], number: int = 2) -> int:
        return parent.size * number


@strawberry.type
class Query:
    @strawberry.field(graphql_type=list[ThingView | None])
    @staticmethod
    def things() -> list[Thing]:
        return THINGS


@strawberry.type
class Subscription:
    @strawberry.subscription(graphql_type=ThingView)
    async def stream(self) -> AsyncGenerator[Thing]:
        for thing in THINGS[:2]:
            yield thing


THINGS: list[Thing] = []
EVERYTHING = """{ things { __typename later name kind: colour size weight reads again: reads halves times(number: 3)
  same { name same { size } } } }"""


@pytest.fixture(autouse=True)
def fresh_things() -> None:
    renew_things()


def renew_things() -> None:
    THINGS[:] = [
        Thing("a"), Thing("b", Colour.RED, None), Thing(None), Thing("d", "green"), Thing("e", size=13), Thing("f", size="x"),
        Thing(7), Thing("h", size=0),
    ]  # fmt: skip


def schema(executor: type[StrawberryGraphQLCoreExecutionContext]) -> strawberry.Schema:
    made = strawberry.Schema(Query, subscription=Subscription, execution_context_class=executor)
    mark_plain_fields(made._schema)
    return made


async def answer(executor: type[StrawberryGraphQLCoreExecutionContext], query: str) -> tuple[Any, list[Any]]:
    result = await schema(executor).execute(query)
    return result.data, sorted((error.path or [], error.message) for error in result.errors or ())


async def test_values_nulls_and_errors_are_those_of_graphql_core() -> None:
    told = await answer(StrawberryGraphQLCoreExecutionContext, EVERYTHING)
    renew_things()
    assert await answer(WeftExecutor, EVERYTHING) == told
    assert len(told[1]) > 4
    assert told[0]["things"][0]["name"] == "a"


async def test_fields_come_in_the_order_in_which_they_are_asked_for() -> None:
    data, _ = await answer(WeftExecutor, EVERYTHING)
    names = ["__typename", "later", "name", "kind", "size", "weight", "reads", "again", "halves", "times", "same"]
    assert list(data["things"][0]) == names
    assert (data["things"][0]["__typename"], data["things"][0]["kind"]) == ("Thing", "BLUE")


async def test_a_good_value_is_read_once() -> None:
    data, _ = await answer(WeftExecutor, "{ things { reads } }")
    assert [thing["reads"] for thing in data["things"]] == [1] * len(THINGS)


async def test_events_of_a_subscription_are_read_so_too() -> None:
    stream = await schema(WeftExecutor).subscribe("subscription { stream { name reads } }")
    assert [result.data async for result in stream] == [
        {"stream": {"name": "a", "reads": 1}}, {"stream": {"name": "b", "reads": 1}}
    ]  # fmt: skip


def test_only_what_needs_nothing_but_its_parent_is_plain() -> None:
    thing = schema(WeftExecutor)._schema.type_map["Thing"]
    assert isinstance(thing, GraphQLObjectType)
    plain = {name for name in thing.fields if plain_field(thing, name) is not None}
    assert plain == {"name", "colour", "size", "weight", "reads", "same"}
