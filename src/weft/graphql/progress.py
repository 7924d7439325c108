"""The progress of a run, asked for or watched."""

from collections.abc import AsyncGenerator
from datetime import datetime, timedelta

import strawberry

from weft.domain import progress
from weft.domain.progress import RunStatus
from weft.graphql.context import Info
from weft.graphql.live import SHARED
from weft.graphql.nodes import encode_id, read_id
from weft.graphql.scalars import BigInt
from weft.graphql.usage import Usage
from weft.operations.progress import watch_run

_MILLISECOND = timedelta(milliseconds=1)


@strawberry.type(description="What one step did over all items so far.")
class StepProgress:
    step_id: str = strawberry.field(description="The `id` of the step in the definition.")
    completed: int = strawberry.field(description="Items for which the step gave its output.")
    failed: int = strawberry.field(description="Items for which its last attempt failed.")
    skipped: int = strawberry.field(description="Items for which it was not run, or that it declined.")
    retried: int = strawberry.field(description="Attempts that failed and were tried again.")

    @strawberry.field(description="Time spent inside the step, over all items, in milliseconds.")
    @staticmethod
    def busy_ms(parent: strawberry.Parent[progress.StepProgress]) -> BigInt:
        return BigInt(parent.busy // _MILLISECOND)

    usage: Usage = strawberry.field(description="What its attempts took, for the items that are finished.")


@strawberry.type(
    description="The exact counters of a run. At every revision "
    "`total = pending + completed + failed + skipped + cancelled`, and revisions only rise."
)
class RunProgress:
    @strawberry.field(description="The run's id.")
    @staticmethod
    def run_id(parent: strawberry.Parent[progress.Progress]) -> strawberry.ID:
        return encode_id("Run", parent.run_id)

    status: RunStatus = strawberry.field(description="Where the run stands at this revision.")
    total: int = strawberry.field(description="Items in the run.")
    pending: int = strawberry.field(description="Items that are not finished yet, those being worked on included.")
    completed: int = strawberry.field(description="Items that came to their end without a failure.")
    failed: int = strawberry.field(description="Items in which a step failed for good.")
    skipped: int = strawberry.field(description="Items that the steps declined, which is no failure.")
    cancelled: int = strawberry.field(description="Items that were not finished when the run was cancelled or stopped.")
    finished: int = strawberry.field(description="Completed, failed, skipped and cancelled items.")
    percent: float = strawberry.field(description="Finished items per hundred; 100 only when all are finished.")
    items_per_second: float | None = strawberry.field(
        description="Finished items per second since the start; null before anything is known."
    )
    eta: timedelta | None = strawberry.field(
        description="Time until the end at the speed so far; null when unknown or not moving."
    )
    revision: int = strawberry.field(description="Rises with every change: of two states, the higher one is newer.")
    started_at: datetime | None = strawberry.field(description="When the first item was begun; null before.")
    finished_at: datetime | None = strawberry.field(description="When the run was over; null while it is not.")
    updated_at: datetime = strawberry.field(description="When this revision was recorded.")
    usage: Usage = strawberry.field(description="Of all steps, so far: rises while items are under way.")
    steps: list[StepProgress] = strawberry.field(description="What each step did, in the order of the workflow.")


@strawberry.type
class ProgressSubscription:
    @strawberry.subscription(
        graphql_type=RunProgress,
        metadata=SHARED,
        description="The run's progress now, then its newest state as it changes, at most 20 times a second. "
        "Ends after the state in which the run is over.",
    )
    async def run_progress(self, info: Info, run_id: strawberry.ID) -> AsyncGenerator[progress.Progress]:
        return await watch_run(info.context.services, info.context.viewer, read_id(run_id, "Run", "runId"))
