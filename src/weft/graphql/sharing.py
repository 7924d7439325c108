"""Copying and rating workflows, and the categories that they are in."""

from collections.abc import Sequence

import strawberry

from weft.domain import sharing as domain
from weft.domain.errors import Invalid
from weft.graphql.context import Info
from weft.graphql.mutations import Answer, UserError, mutation
from weft.graphql.nodes import read_id, read_optional_id
from weft.graphql.paging import read_page
from weft.graphql.workflow_filters import WorkflowFilterInput, read_workflow_filter
from weft.graphql.workflows import Workflow, WorkflowPayload
from weft.operations import sharing, workflow_lists


@strawberry.type(description="A category, and how many workflows are in it.")
class WorkflowCategory:
    """A view over `domain.sharing.CategoryCount`."""

    name: str = strawberry.field(description="As workflows have it in `category`.")
    count: int = strawberry.field(description="How many of the listed workflows are in it.")


@strawberry.type
class SharingQuery:
    @strawberry.field(
        graphql_type=list[WorkflowCategory],
        description="The categories of what `workflows` lists with the same filter, the fullest first. Workflows without a "
        "category are in none.",
    )
    async def workflow_categories(
        self, info: Info, first: int = 100, filter: WorkflowFilterInput | None = None
    ) -> Sequence[domain.CategoryCount]:
        most = read_page(first, None).first
        wanted = read_workflow_filter(filter)
        return await workflow_lists.list_categories(info.context.services, info.context.viewer, wanted, most)


@strawberry.input(description="What is left out is that of the workflow that is copied.")
class CopyWorkflowInput:
    id: strawberry.ID = strawberry.field(description="A workflow of the workspace, or a public one of another.")
    name: str | None = strawberry.field(default=None, description="1 to 200 characters, for people.")
    description: str | None = strawberry.field(default=None, description="What it is for, in up to 10,000 characters.")
    category: str | None = strawberry.field(default=None, description="An empty text: none.")
    entity_type_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="What the copy works on. Left out for a workflow of another workspace, an entity type with the name "
        "and the schema of its `entitySchema` is made, or taken where it is there.",
    )


@strawberry.type
class CopyWorkflowPayload:
    workflow: Workflow | None = strawberry.field(
        description="ACTIVE, or a DRAFT where there are warnings. With triggers in its definition it is not enabled, so "
        "that nothing starts by itself only because it was copied."
    )
    warnings: list[UserError] | None = strawberry.field(
        description="What in its definition does not fit this workspace, such as integrations that are not here. It can be "
        "made ACTIVE when all of it is put right. The paths begin with `workflow`, as in this payload."
    )
    errors: list[UserError]


@strawberry.input
class RateWorkflowInput:
    id: strawberry.ID
    rating: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="1 to 5, in the place of what this API key gave before; null takes it away.",
    )


@strawberry.type
class SharingMutation:
    @mutation(
        CopyWorkflowPayload,
        description="Makes a workflow of this workspace out of the current version of another, which may be a public one of "
        "another workspace. The copy stays whatever becomes of its source. For editors.",
    )
    async def copy_workflow(self, info: Info, input: CopyWorkflowInput) -> Answer:
        wanted = sharing.CopyWorkflow(
            source_id=read_id(input.id, "Workflow", "id"),
            name=input.name,
            description=input.description,
            category=input.category,
            entity_type_id=read_optional_id(input.entity_type_id, "EntityType", "entityTypeId"),
        )
        copied = await sharing.copy_workflow(info.context.services, info.context.viewer, wanted)
        warnings = [problem.under("workflow") for problem in copied.warnings]
        return Answer(workflow=copied.workflow, warnings=warnings)

    @mutation(
        WorkflowPayload,
        description="One rating of each API key, of public workflows and of those of the workspace.",
    )
    async def rate_workflow(self, info: Info, input: RateWorkflowInput) -> Answer:
        if input.rating is strawberry.UNSET:
            raise Invalid("A rating is needed: 1 to 5, or null to take it away.", path=("rating",))
        workflow_id = read_id(input.id, "Workflow", "id")
        rated = await sharing.rate_workflow(info.context.services, info.context.viewer, workflow_id, input.rating)
        return Answer(workflow=rated)
