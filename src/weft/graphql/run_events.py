"""Run events: what happens in a run, told from any event on."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any

import strawberry

from weft.domain import progress as progress_domain
from weft.domain import run as domain
from weft.domain.progress import RunStatus
from weft.graphql.context import Info
from weft.graphql.items import Item
from weft.graphql.nodes import read_id
from weft.graphql.paging import decode_cursor, encode_cursor
from weft.graphql.progress import RunProgress
from weft.graphql.runs import Run
from weft.operations import items, run_events, runs


@strawberry.interface(description="Something that happened in a run.")
class RunEvent:
    """Implemented by views over the classes of the same names in `operations.run_events`."""

    at: datetime = strawberry.field(description="When it was recorded.")

    @strawberry.field(description="Its place in the run: `after` of a subscription that goes on behind it.")
    @staticmethod
    def cursor(parent: strawberry.Parent[run_events.RunEvent]) -> str:
        return encode_cursor(str(parent.place))

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        return type(value).__name__ == cls.__name__


@strawberry.type(
    description="The run has another status. The first one of a run, from which it starts, is told as well."
)
class RunStatusChanged(RunEvent):
    status: RunStatus = strawberry.field(description="From then on; `run.status` is that of now.")

    @strawberry.field(graphql_type=Run, description="The run as it is now.")
    @staticmethod
    async def run(parent: strawberry.Parent[run_events.RunStatusChanged], info: Info) -> domain.Run | None:
        return await info.context.load(runs.get_runs, parent.place.run_id)


@strawberry.type(
    description="An item has been completed, has failed or was skipped. Items that a cancelled or stopped run did not finish "
    "have no event of their own."
)
class ItemFinished(RunEvent):
    @strawberry.field(graphql_type=Item)
    @staticmethod
    def item(parent: strawberry.Parent[run_events.ItemFinished], info: Info) -> domain.Item:
        info.context.know(items.load_graphs, parent.item.run_id, parent.graph)
        return parent.item


@strawberry.type(
    description="Some events before this one are not kept: the run is older than its events. Read its items and progress as "
    "they are; the events from here on follow without a gap."
)
class SnapshotReset(RunEvent):
    """A view over `operations.run_events.SnapshotReset`."""

    @strawberry.field(graphql_type=RunProgress, description="The run's progress, of now.")
    @staticmethod
    def progress(parent: strawberry.Parent[run_events.SnapshotReset]) -> progress_domain.Progress:
        return parent.progress


EVENT_TYPES: Any = (RunStatusChanged, ItemFinished, SnapshotReset)
"""Nothing else refers to them, so the schema has to be told."""


@strawberry.type
class RunEventSubscription:
    @strawberry.subscription(
        graphql_type=RunEvent,
        description="Everything that happens in a run: each status, each item that is finished, once and in order, from the run's "
        "beginning or from behind the event with the cursor `after`, however long ago that was, as long as the run is kept. "
        "A client that lost its connection passes the last cursor that it has, and misses nothing. Events come as fast as they "
        "are read, and then as they happen; after the one with which the run is over, the subscription ends.",
    )
    async def run_events(
        self, info: Info, run_id: strawberry.ID, after: str | None = None
    ) -> AsyncGenerator[run_events.RunEvent]:
        cursor = info.context.place(after)
        place = None if cursor is None else decode_cursor(cursor)
        return await run_events.watch_events(
            info.context.services, info.context.viewer, read_id(run_id, "Run", "runId"), place
        )
