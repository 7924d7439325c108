"""The log of a run: as a list, and followed."""

from collections.abc import AsyncGenerator
from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from weft.domain import run as domain
from weft.domain.page import Page
from weft.domain.run import LogLevel
from weft.graphql.context import Info
from weft.graphql.items import Item
from weft.graphql.nodes import read_id
from weft.graphql.paging import decode_cursor, encode_cursor, read_page
from weft.operations import items, run_logs
from weft.operations.items import ItemPlace
from weft.operations.run_logs import LogFilter, LogList


@strawberry.type(
    description="A line of the log of a run: what a step wrote into it, or what a worker has to say of the run or an item, such as "
    "why a step is tried again."
)
class LogLine:
    at: datetime = strawberry.field(description="When it was said.")
    level: LogLevel = strawberry.field(description="How much it matters.")
    message: str = strawberry.field(description="What is said, as a text.")
    step_id: str | None = strawberry.field(
        description="The `id` of its step in the definition; null for what was said of the run or the item as a whole."
    )
    fields: JSON = strawberry.field(
        description="An object of values that go with the message, by name; `leftOut` names those that were too long to keep."
    )

    @strawberry.field(description="Its place in the log: `after` of `runLogs`, and of `logs`, which go on behind it.")
    @staticmethod
    def cursor(parent: strawberry.Parent[domain.LogLine]) -> str:
        return encode_cursor(parent.place)

    @strawberry.field(
        graphql_type=Item | None, description="Whose turn it was; null for what was said of the run as a whole."
    )
    @staticmethod
    async def item(parent: strawberry.Parent[domain.LogLine], info: Info) -> domain.Item | None:
        if parent.ordinal is None:
            return None
        return await info.context.load(items.load_items, ItemPlace(parent.run_id, parent.ordinal))


async def logs_of_run(
    parent: strawberry.Parent[domain.Run],
    info: Info,
    first: int = 20,
    after: str | None = None,
    level: LogLevel = LogLevel.DEBUG,
    step_id: str | None = None,
) -> Page[domain.LogLine]:
    """The field `Run.logs`."""
    wanted = LogList(parent.id, LogFilter(level, step_id), read_page(first, after))
    return await info.context.load(run_logs.load_log_pages, wanted)


@strawberry.type
class RunLogSubscription:
    @strawberry.subscription(
        graphql_type=LogLine,
        description="The log of a run, line by line: from its first line or from behind the line with the cursor `after`, however long "
        "ago that was, and then as lines come, each once and in order. When the run is over and all is told, the subscription "
        "ends. Where lines are not kept any more, because they are too old, a WARNING stands in their stead.",
    )
    async def run_logs(
        self,
        info: Info,
        run_id: strawberry.ID,
        after: str | None = None,
        level: LogLevel = LogLevel.DEBUG,
        step_id: str | None = None,
    ) -> AsyncGenerator[domain.LogLine]:
        cursor = info.context.place(after)
        place = None if cursor is None else decode_cursor(cursor)
        return await run_logs.follow_log(
            info.context.services,
            info.context.viewer,
            read_id(run_id, "Run", "runId"),
            place,
            LogFilter(level, step_id),
        )
