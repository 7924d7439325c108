"""The runs of a workflow, or of the workspace, watched."""

from collections.abc import AsyncGenerator

import strawberry

from weft.graphql.context import Info
from weft.graphql.nodes import read_optional_id
from weft.graphql.runs import Run
from weft.operations import run_watching
from weft.operations.run_watching import RunChangeKind


@strawberry.type(description="A run has started, gone on or ended.")
class RunChange:
    """A view over `operations.run_watching.RunChange`."""

    kind: RunChangeKind = strawberry.field(
        description="STARTED: the run has been made, and may have begun already. PROGRESS: it has changed, however often, since "
        "it was told last. ENDED: it is over, and nothing more comes of it."
    )
    run: Run = strawberry.field(description="As it is now.")


@strawberry.type
class RunSubscription:
    @strawberry.subscription(
        graphql_type=RunChange,
        description="The runs of a workflow, or of the workspace: first those that are under way, as PROGRESS, then every start and "
        "every end, each once, and in between how each run goes on, told within about a second. It does not end by itself.",
    )
    async def runs(
        self, info: Info, workflow_id: strawberry.ID | None = None
    ) -> AsyncGenerator[run_watching.RunChange]:
        return await run_watching.watch_runs(
            info.context.services, info.context.viewer, read_optional_id(workflow_id, "Workflow", "workflowId")
        )
