"""Run events: what happens in a run, told from any event on."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated, Any

import strawberry

from weft.domain import progress as progress_domain
from weft.domain import run as domain
from weft.domain.errors import Invalid
from weft.domain.progress import RunStatus
from weft.domain.run import ItemStatus, LogLevel, StepStatus
from weft.graphql.context import Info
from weft.graphql.items import Item, StepResult
from weft.graphql.nodes import read_id
from weft.graphql.paging import decode_cursor, encode_cursor
from weft.graphql.progress import RunProgress
from weft.graphql.runs import LogLine, Run
from weft.operations import items, runs
from weft.operations.item_steps import ItemStep
from weft.operations.run_events import events
from weft.operations.run_events.asking import Asked, RunEventKind
from weft.operations.run_events.watching import watch_events


@strawberry.interface(description="Something that happened in a run.")
class RunEvent:
    """Implemented by views over the classes of the same names in `operations.run_events.events`."""

    at: datetime = strawberry.field(description="When it was recorded.")

    @strawberry.field(description="Its place in the run: `after` of a subscription that goes on behind it.")
    @staticmethod
    def cursor(parent: strawberry.Parent[events.RunEvent]) -> str:
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
    async def run(parent: strawberry.Parent[events.RunStatusChanged], info: Info) -> domain.Run | None:
        return await info.context.load(runs.get_runs, parent.place.run_id)


@strawberry.type(
    description="An item has been completed, has failed or was skipped. Items that a cancelled or stopped run did not finish "
    "have no event of their own."
)
class ItemFinished(RunEvent):
    @strawberry.field(graphql_type=Item, description="The item with its results, as it was recorded.")
    @staticmethod
    def item(parent: strawberry.Parent[events.ItemFinished], info: Info) -> domain.Item:
        info.context.know(items.load_graphs, parent.item.run_id, parent.graph)
        return parent.item


@strawberry.type(
    description="What one step did for an item that is finished. The steps of an item are told in the order of the workflow, and "
    "before its `ItemFinished`. For steps of items that are under way ask for `items(status: RUNNING)` of the run."
)
class StepFinished(RunEvent):
    @strawberry.field(
        graphql_type=StepResult, description="What it gave, how long it took, and after how many attempts."
    )
    @staticmethod
    def step(parent: strawberry.Parent[events.StepFinished], info: Info) -> ItemStep:
        info.context.know(items.load_graphs, parent.item.run_id, parent.graph)
        return parent.step

    @strawberry.field(graphql_type=Item, description="The item that it was done for, as it was recorded.")
    @staticmethod
    def item(parent: strawberry.Parent[events.StepFinished], info: Info) -> domain.Item:
        info.context.know(items.load_graphs, parent.item.run_id, parent.graph)
        return parent.item


@strawberry.type(
    description="A line came into the run's log. What is said of a run when it is over already has no event: `run.logs` has it."
)
class LogWritten(RunEvent):
    line: LogLine = strawberry.field(description="What was written, by whom, and how much it matters.")


@strawberry.type(
    description="Some events before this one are not kept: the run is older than its events, or its log is deleted already. Read "
    "its items and progress as they are; the events from here on follow without a gap. It is told whatever is asked for."
)
class SnapshotReset(RunEvent):
    """A view over `operations.run_events.events.SnapshotReset`."""

    @strawberry.field(graphql_type=RunProgress, description="The run's progress, of now.")
    @staticmethod
    def progress(parent: strawberry.Parent[events.SnapshotReset]) -> progress_domain.Progress:
        return parent.progress


EVENT_TYPES: Any = (RunStatusChanged, ItemFinished, StepFinished, LogWritten, SnapshotReset)
"""Nothing else refers to them, so the schema has to be told."""


@strawberry.input(description="All that are given must hold, each for the events that it is about.")
class RunEventFilterInput:
    item_status: list[ItemStatus] | None = strawberry.field(
        default=None,
        description="Only items that ended in one of these ways, and their steps: COMPLETED, FAILED or SKIPPED.",
    )
    step_status: list[StepStatus] | None = strawberry.field(
        default=None, description="Only steps that ended in one of these ways: COMPLETED, FAILED or SKIPPED."
    )
    step_id: str | None = strawberry.field(
        default=None, description="Only results and lines of this step: its `id` in the definition."
    )
    log_level: LogLevel = strawberry.field(
        default=LogLevel.DEBUG, description="Only lines that matter at least this much."
    )


Include = Annotated[
    list[RunEventKind],
    strawberry.argument(
        description="What is told. It may be another choice each time: a cursor leads on whatever was asked for before."
    ),
]
Filter = Annotated[
    RunEventFilterInput | None,
    strawberry.argument(description="Which of these events are told. Left out, all of them."),
]
After = Annotated[
    str | None,
    strawberry.argument(
        description="The `cursor` of an event: those behind it are told. Left out, they are told from the run's beginning."
    ),
]


def read_asked(include: list[RunEventKind], given: RunEventFilterInput | None) -> Asked:
    if given is None:
        return Asked(frozenset(include))
    return Asked(
        frozenset(include),
        item_statuses=None if given.item_status is None else frozenset(given.item_status),
        step_statuses=None if given.step_status is None else frozenset(given.step_status),
        step_id=given.step_id,
        log_level=given.log_level,
    )


def read_after(cursor: str | None) -> str | None:
    try:
        return None if cursor is None else decode_cursor(cursor)
    except Invalid as refused:
        raise Invalid(
            refused.message, path=("after",), hint="Pass the `cursor` of the last event that you have."
        ) from None


@strawberry.type
class RunEventSubscription:
    @strawberry.subscription(
        graphql_type=RunEvent,
        description="What happens in a run: each status, each item that is finished, and where they are asked for each result of a "
        "step and each line of the log, once and in order, from the run's beginning or from behind the event with the cursor "
        "`after`, however long ago that was, as long as the run is kept. A client that lost its connection passes the last "
        "cursor that it has, and misses nothing. Events come as fast as they are read, and then as they happen; after the one "
        "with which the run is over, the subscription ends.",
    )
    async def run_events(
        self,
        info: Info,
        run_id: strawberry.ID,
        after: After = None,
        include: Include = [RunEventKind.STATUS, RunEventKind.ITEMS],  # noqa: B006 - the default of the schema, never changed
        filter: Filter = None,
    ) -> AsyncGenerator[events.RunEvent]:
        return await watch_events(
            info.context.services,
            info.context.viewer,
            read_id(run_id, "Run", "runId"),
            read_after(info.context.place(after)),
            read_asked(include, filter),
        )
