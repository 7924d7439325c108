"""Items of runs, what their steps did, and why some failed."""

from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Any, Optional, cast

import strawberry
from strawberry.scalars import JSON

from weft.domain import entity as entity_domain
from weft.domain import run as domain
from weft.domain import usage as usages
from weft.domain.errors import Invalid
from weft.domain.run import ItemStatus, StepStatus
from weft.engine.step_graph import output_of
from weft.graphql.context import Info
from weft.graphql.nodes import Node, encode_id, lazy, read_key
from weft.graphql.usage import Usage
from weft.operations import entities, items, runs
from weft.operations.item_steps import ItemStep, input_of, steps_of
from weft.operations.items import ItemPlace, RunGraph

_MILLISECOND = timedelta(milliseconds=1)


def in_ms(duration: timedelta | None) -> float | None:
    return None if duration is None else round(duration / _MILLISECOND, 3)


@strawberry.type(description="Why a step, and with it the item, failed.")
class ItemError:
    code: str = strawberry.field(description="A short word in UPPER_CASE by which failures are grouped.")
    message: str = strawberry.field(description="What went wrong, in a sentence for people.")
    step_id: str | None = strawberry.field(
        description="The `id` of the step that failed, in the definition; null where the item failed as a whole."
    )
    details: JSON | None = strawberry.field(
        description="What else the step tells of it, in a form of its own; null where it tells nothing."
    )


@strawberry.type(description="What one step did for one item.")
class StepResult:
    """A view over `operations.item_steps.ItemStep`: the result together with its place in the graph."""

    @strawberry.field(description="Its `id` in the definition.")
    @staticmethod
    def step_id(parent: strawberry.Parent[ItemStep]) -> str:
        return parent.step.id

    @strawberry.field(description="The step's type, as the definition has it.")
    @staticmethod
    def type(parent: strawberry.Parent[ItemStep]) -> str:
        return parent.step.type

    @strawberry.field(description="What became of it.")
    @staticmethod
    def status(parent: strawberry.Parent[ItemStep]) -> StepStatus:
        return parent.result.status

    @strawberry.field(description="When its last attempt began; null for a step that never did.")
    @staticmethod
    def started_at(parent: strawberry.Parent[ItemStep]) -> datetime | None:
        return parent.result.started_at

    @strawberry.field(description="When its last attempt ended, however it did; null before.")
    @staticmethod
    def completed_at(parent: strawberry.Parent[ItemStep]) -> datetime | None:
        return parent.result.completed_at

    @strawberry.field(description="How long the last attempt took; null before its end.")
    @staticmethod
    def duration_ms(parent: strawberry.Parent[ItemStep]) -> float | None:
        return in_ms(parent.result.duration)

    @strawberry.field(description="How many attempts it took; 0 for a step that never began.")
    @staticmethod
    def attempt(parent: strawberry.Parent[ItemStep]) -> int:
        return parent.result.attempt

    @strawberry.field(
        description="What went into the step. A first step got the entity's data, which is shown as it is now, "
        "or the run's input. Null for a step that got nothing, or has not yet."
    )
    @staticmethod
    async def input(parent: strawberry.Parent[ItemStep], info: Info) -> JSON | None:
        return input_of(parent, await _own_input(parent, info))

    @strawberry.field(description="What it gave, as any JSON value; null where it did not complete.")
    @staticmethod
    def output(parent: strawberry.Parent[ItemStep]) -> JSON | None:
        return parent.result.output

    @strawberry.field(description="The branches that a condition took; null for every other step.")
    @staticmethod
    def branches(parent: strawberry.Parent[ItemStep]) -> list[str] | None:
        return None if parent.result.branches is None else list(parent.result.branches)

    @strawberry.field(description="Why it was skipped; null where it was not.")
    @staticmethod
    def reason(parent: strawberry.Parent[ItemStep]) -> str | None:
        return parent.result.reason

    @strawberry.field(
        graphql_type=ItemError | None, description="Of a failed step, or of the last attempt of one to be tried again."
    )
    @staticmethod
    def error(parent: strawberry.Parent[ItemStep]) -> domain.ItemError | None:
        return parent.result.error

    @strawberry.field(
        description="Whether the output was remembered from an earlier item with the same content: it took no time and "
        "cost nothing."
    )
    @staticmethod
    def from_cache(parent: strawberry.Parent[ItemStep]) -> bool:
        return parent.result.from_cache

    @strawberry.field(graphql_type=Usage, description="What calls of models took, in all attempts.")
    @staticmethod
    def usage(parent: strawberry.Parent[ItemStep]) -> usages.Usage:
        return parent.result.usage

    @strawberry.field(
        graphql_type=list[Usage],
        description="Of each attempt, in order; those after the last one that took anything are left out.",
    )
    @staticmethod
    def attempt_usages(parent: strawberry.Parent[ItemStep]) -> tuple[usages.Usage, ...]:
        return parent.result.attempt_usages

    @strawberry.field(
        graphql_type=Usage | None,
        description="Of an output from the cache: what it took when it was computed. Null for every other.",
    )
    @staticmethod
    def saved_usage(parent: strawberry.Parent[ItemStep]) -> usages.Usage | None:
        return parent.result.saved if parent.result.from_cache else None


async def _own_input(step: ItemStep, info: Info) -> object:
    """What a step gets that depends on no other."""
    if not step.is_root:
        return None
    if step.item.entity_id is not None:
        found = await info.context.load(entities.load_entities, step.item.entity_id)
        return None if found is None else found.data
    graph = await info.context.load(items.load_graphs, step.item.run_id)
    return None if graph is None else graph.input


@strawberry.type(description="One entity's way through one run, or that of the run's own input.")
class Item(Node):
    @strawberry.field(description="Opaque, and unique over all types.")
    @staticmethod
    def id(parent: strawberry.Parent[domain.Item]) -> strawberry.ID:
        return encode_id("Item", f"{parent.run_id}:{parent.ordinal}")

    ordinal: int = strawberry.field(description="Its place in the run, from 0.")
    status: ItemStatus = strawberry.field(description="Where it stands.")
    error: ItemError | None = strawberry.field(description="Why it failed; null for every other status.")
    started_at: datetime | None = strawberry.field(description="When its first step was begun; null before.")
    finished_at: datetime | None = strawberry.field(description="When it was recorded as finished; null before.")
    usage: Usage = strawberry.field(
        description="What calls of models took, of all its steps as far as they are recorded."
    )

    @strawberry.field(
        graphql_type=lazy("Run", "weft.graphql.runs"),
        description="The run that it belongs to, and whose workflow version it goes through.",
    )
    @staticmethod
    async def run(parent: strawberry.Parent[domain.Item], info: Info) -> domain.Run | None:
        return await info.context.load(runs.get_runs, parent.run_id)

    @strawberry.field(
        graphql_type=Optional[lazy("Entity", "weft.graphql.entities")],  # noqa: UP045 - a lazy type knows no |
        description="What the steps worked on, as it is now; null in a run without entities, and when the entity was deleted.",
    )
    @staticmethod
    async def entity(parent: strawberry.Parent[domain.Item], info: Info) -> entity_domain.Entity | None:
        return None if parent.entity_id is None else await info.context.load(entities.load_entities, parent.entity_id)

    @strawberry.field(
        description="What the workflow's `output` says, or the output of the last steps; null while the item is not completed."
    )
    @staticmethod
    def output(parent: strawberry.Parent[domain.Item], info: Info) -> JSON | None:
        def shown(found: RunGraph | None) -> Any:
            return None if found is None else output_of(found.graph, parent)

        return cast("JSON | None", info.context.load_then(items.load_graphs, parent.run_id, shown))

    @strawberry.field(graphql_type=list[StepResult], description="Every step of the workflow, in its order.")
    @staticmethod
    def steps(
        parent: strawberry.Parent[domain.Item], info: Info
    ) -> Awaitable[tuple[ItemStep, ...]] | tuple[ItemStep, ...]:
        def shown(found: RunGraph | None) -> tuple[ItemStep, ...]:
            return () if found is None else steps_of(found.graph, parent)

        return info.context.load_then(items.load_graphs, parent.run_id, shown)

    @strawberry.field(description="From its start to its end, pauses and waits included; null before.")
    @staticmethod
    def duration_ms(parent: strawberry.Parent[domain.Item]) -> float | None:
        if parent.started_at is None or parent.finished_at is None:
            return None
        return in_ms(parent.finished_at - parent.started_at)

    @classmethod
    async def find(cls, info: Info, key: str) -> domain.Item | None:
        run_key, _, ordinal = key.partition(":")
        if not ordinal.isdecimal() or len(ordinal) > 9:  # noqa: PLR2004 - more digits than there are items
            raise Invalid("This is not an id of this API.", path=("id",))
        return await info.context.load(items.load_items, ItemPlace(read_key(run_key), int(ordinal)))


@strawberry.type(
    description="Failed items of a run with the same cause: messages that differ only in values count as one."
)
class FailureGroup:
    step_id: str | None = strawberry.field(
        description="The `id` of the step that failed, in the definition; null where items failed as a whole."
    )
    code: str = strawberry.field(description="The `code` that all of their errors have.")
    message: str = strawberry.field(description="The message of one of them.")
    count: int = strawberry.field(description="How many of the first 100,000 failed items of the run.")

    @strawberry.field(graphql_type=Item | None, description="The first of them; null where it is no longer kept.")
    @staticmethod
    async def example_item(parent: strawberry.Parent[domain.FailureGroup], info: Info) -> domain.Item | None:
        return await info.context.load(items.load_items, ItemPlace(parent.run_id, parent.example_ordinal))
