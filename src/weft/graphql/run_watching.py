"""The runs of a workflow, or of the workspace, watched."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Annotated

import strawberry

from weft.domain.errors import Invalid
from weft.graphql.context import Info
from weft.graphql.nodes import read_optional_id
from weft.graphql.runs import Run, RunFilterInput, read_run_filter
from weft.operations import run_watching
from weft.operations.run_watching import RunChangeKind


@strawberry.type(description="A run has started, gone on or ended.")
class RunChange:
    """A view over `operations.run_watching.RunChange`."""

    kind: RunChangeKind = strawberry.field(description="What is told of it.")
    run: Run = strawberry.field(description="As it is now.")


@strawberry.type
class RunSubscription:
    @strawberry.subscription(
        graphql_type=RunChange,
        description="The runs of a workflow, or of the workspace: first those that are under way, as PROGRESS, then every start and "
        "every end, each once, and in between how each run goes on, told within about a second. It does not end by itself.",
    )
    async def runs(
        self,
        info: Info,
        workflow_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="The same as `workflowId` in the filter.")
        ] = None,
        filter: Annotated[
            RunFilterInput | None,
            strawberry.argument(
                description="Told is what happens to a run that is like this then: with a `status`, a run that leaves it is not "
                "heard of any more."
            ),
        ] = None,
    ) -> AsyncGenerator[run_watching.RunChange]:
        wanted = read_run_filter(filter)
        if (given := read_optional_id(workflow_id, "Workflow", "workflowId")) is not None:
            if wanted.workflow_id not in {None, given}:
                raise Invalid("This names another workflow than `workflowId`.", path=("filter", "workflowId"))
            wanted = replace(wanted, workflow_id=given)
        return await run_watching.watch_runs(info.context.services, info.context.viewer, wanted)
