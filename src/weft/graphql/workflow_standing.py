"""What is shown of a workflow beside its definition: whose it is, what became of its runs, what its users think of it."""

from typing import Optional

import strawberry
from strawberry.scalars import JSON

from weft.domain import sharing
from weft.domain.workflow import Workflow
from weft.graphql.context import Info
from weft.graphql.items import in_ms
from weft.graphql.nodes import lazy
from weft.graphql.scalars import BigInt
from weft.operations import workflow_lists, workflows


@strawberry.type(
    description="What became of the runs of a workflow, exact at every moment. Runs that are no longer kept stay counted."
)
class WorkflowStats:
    """A view over `domain.sharing.WorkflowStats`."""

    runs_total: BigInt = strawberry.field(description="All that were started, those under way included.")
    runs_successful: BigInt = strawberry.field(description="Those that ended as COMPLETED.")
    runs_failed: BigInt = strawberry.field(
        description="Those that ended as FAILED or as COMPLETED_WITH_FAILURES: a run in which an item failed did not succeed."
    )
    runs_cancelled: BigInt = strawberry.field(description="Those that ended as CANCELLED.")

    @strawberry.field(
        description="From the start of the first item to the end, of those that succeeded or failed; null before the first."
    )
    @staticmethod
    def average_duration_ms(parent: strawberry.Parent[sharing.WorkflowStats]) -> float | None:
        return in_ms(parent.average_duration)


async def _stats(parent: Workflow, info: Info) -> sharing.WorkflowStats:
    return await info.context.load(workflow_lists.load_stats, parent.id)


@strawberry.type
class WorkflowStanding:
    """The part of `Workflow` that this file is about."""

    @strawberry.field(
        description="Whether it is of this workspace. Of other workspaces one sees public workflows that are ACTIVE: what "
        "they do and how often they were used, and nothing that they were used on."
    )
    @staticmethod
    def own(parent: strawberry.Parent[Workflow], info: Info) -> bool:
        return parent.is_of(info.context.viewer.workspace_id)

    @strawberry.field(
        graphql_type=Optional[lazy("Workflow", "weft.graphql.workflows")],  # noqa: UP045 - a lazy type knows no |
        description="The workflow that it was made of by `copyWorkflow`; null where that cannot be seen from here.",
    )
    @staticmethod
    async def copied_from(parent: strawberry.Parent[Workflow], info: Info) -> Workflow | None:
        if parent.copied_from is None:
            return None
        return await info.context.load(workflows.load_workflows, parent.copied_from)

    @strawberry.field(
        description="The JSON Schema of the entities that it works on, with the name of their type as `title`: what a copy "
        "in another workspace needs. Null for a workflow that runs on its input alone."
    )
    @staticmethod
    async def entity_schema(parent: strawberry.Parent[Workflow], info: Info) -> JSON | None:
        if parent.entity_type_id is None:
            return None
        schema = await info.context.load(workflow_lists.load_entity_schemas, parent.id)
        return None if schema is None else JSON(schema)

    @strawberry.field(graphql_type=WorkflowStats, description="Counted over all its runs.")
    @staticmethod
    async def stats(parent: strawberry.Parent[Workflow], info: Info) -> sharing.WorkflowStats:
        return await _stats(parent, info)

    @strawberry.field(description="How often it was run, and how often copied. Runs of the copies count for those.")
    @staticmethod
    async def usage_count(parent: strawberry.Parent[Workflow], info: Info) -> BigInt:
        return BigInt((await _stats(parent, info)).usage_count)

    @strawberry.field(
        description="The average of all ratings from 1 to 5, with one decimal; null where there are none."
    )
    @staticmethod
    async def rating(parent: strawberry.Parent[Workflow], info: Info) -> float | None:
        return (await _stats(parent, info)).rating

    @strawberry.field(description="How many API keys have rated it. What a key gave stays when the key is revoked.")
    @staticmethod
    async def rating_count(parent: strawberry.Parent[Workflow], info: Info) -> BigInt:
        return BigInt((await _stats(parent, info)).ratings)

    @strawberry.field(description="What the API key of this request gave it with `rateWorkflow`.")
    @staticmethod
    async def my_rating(parent: strawberry.Parent[Workflow], info: Info) -> int | None:
        return await info.context.load(workflow_lists.load_own_ratings, parent.id)
