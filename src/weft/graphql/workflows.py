"""Workflows and their versions."""

from datetime import datetime
from typing import Annotated, Any, Optional

import strawberry
from strawberry.scalars import JSON

from weft.domain import definition as definitions
from weft.domain import entity, trigger
from weft.domain import workflow as domain
from weft.domain.page import Page
from weft.domain.spelling import read_definition
from weft.domain.workflow import WorkflowStatus
from weft.graphql.context import Info
from weft.graphql.firings import Firing, firings_of_workflow
from weft.graphql.mutations import Answer, UserError, mutation
from weft.graphql.nodes import Node, lazy, read_id, read_key, read_optional_id
from weft.graphql.paging import Connection, read_page
from weft.graphql.runs import Run, runs_of_workflow
from weft.graphql.schedules import Schedule, schedules_of_workflow
from weft.graphql.steps import StepDefinition
from weft.graphql.triggers import EventTrigger
from weft.graphql.usage import Usage, usage_of_workflow
from weft.graphql.webhook_triggers import WebhookTrigger, webhook_triggers_of_workflow
from weft.graphql.workflow_filters import WorkflowFilterInput, WorkflowOrderInput, read_sorting, read_workflow_filter
from weft.graphql.workflow_inputs import (
    CreateWorkflowInput,
    UpdateWorkflowInput,
    ValidateWorkflowInput,
    WorkflowIdInput,
)
from weft.graphql.workflow_standing import WorkflowStanding
from weft.operations import entity_types, event_triggers, workflow_changes, workflow_lists, workflows
from weft.operations.workflows import NewWorkflow, VersionList


@strawberry.type(description="One definition of a workflow. It never changes: runs keep the version they began with.")
class WorkflowVersion(Node):
    number: int = strawberry.field(description="Counts from 1, within its workflow.")
    definition: JSON = strawberry.field(description="In the canonical spelling, whichever it was written in.")
    created_by: str
    created_at: datetime

    @strawberry.field(graphql_type=list[StepDefinition], description="In the order in which they were written.")
    @staticmethod
    def steps(parent: strawberry.Parent[domain.WorkflowVersion]) -> tuple[definitions.StepDefinition, ...]:
        return read_definition(parent.definition).definition.steps

    @classmethod
    async def find(cls, info: Info, key: str) -> domain.WorkflowVersion | None:
        return await info.context.load(workflows.load_versions, read_key(key))


@strawberry.type(description="A graph of steps with a name.")
class Workflow(WorkflowStanding, Node):
    name: str = strawberry.field(description="1 to 200 characters, for people; several workflows may have the same.")
    description: str = strawberry.field(description="What it is for, in up to 10,000 characters; may be empty.")
    category: str | None = strawberry.field(description="A word to find it by, of up to 100 characters; null for none.")
    status: WorkflowStatus = strawberry.field(description="Whether it can be run.")
    enabled: bool = strawberry.field(
        description="Whether triggers may start it. Runs by hand need only ACTIVE. False for that of another workspace."
    )
    public: bool = strawberry.field(
        description="Whether every workspace sees it while it is ACTIVE, with its definition as it is written, and may copy it."
    )
    steps_count: int = strawberry.field(description="How many steps its current version has.")
    created_by: str = strawberry.field(description="The name of the API key that made it.")
    created_at: datetime
    updated_at: datetime
    last_run_at: datetime | None = strawberry.field(
        description="When a run of it was last started; null before the first, and for that of another workspace."
    )

    @strawberry.field(
        graphql_type=Optional[lazy("EntityType", "weft.graphql.entity_types")],  # noqa: UP045 - a lazy type knows no |
        description="What it works on; null for a workflow that runs on its input alone, and for that of another workspace.",
    )
    @staticmethod
    async def entity_type(parent: strawberry.Parent[domain.Workflow], info: Info) -> entity.EntityType | None:
        if parent.entity_type_id is None:
            return None
        return await info.context.load(entity_types.load_entity_types, parent.entity_type_id)

    @strawberry.field(graphql_type=WorkflowVersion, description="The current version: what a run begins with.")
    @staticmethod
    async def version(parent: strawberry.Parent[domain.Workflow], info: Info) -> domain.WorkflowVersion | None:
        return await info.context.load(workflows.load_versions, parent.version_id)

    @strawberry.field(description="The current definition, in the canonical spelling.")
    @staticmethod
    async def definition(parent: strawberry.Parent[domain.Workflow], info: Info) -> JSON:
        version = await info.context.load(workflows.load_versions, parent.version_id)
        return JSON({} if version is None else version.definition)

    @strawberry.field(graphql_type=list[StepDefinition], description="The steps of the current version.")
    @staticmethod
    async def steps(parent: strawberry.Parent[domain.Workflow], info: Info) -> tuple[definitions.StepDefinition, ...]:
        version = await info.context.load(workflows.load_versions, parent.version_id)
        return () if version is None else read_definition(version.definition).definition.steps

    @strawberry.field(
        graphql_type=Connection[WorkflowVersion], description="All versions, newest first; none of another workspace."
    )
    @staticmethod
    async def versions(
        parent: strawberry.Parent[domain.Workflow], info: Info, first: int = 20, after: str | None = None
    ) -> Page[domain.WorkflowVersion]:
        wanted = VersionList(parent.id, read_page(first, after))
        return await info.context.load(workflows.load_version_pages, wanted)

    @strawberry.field(
        graphql_type=list[EventTrigger],
        description="Those of the definition: the events that start it. None are shown of another workspace.",
    )
    @staticmethod
    async def triggers(parent: strawberry.Parent[domain.Workflow], info: Info) -> list[trigger.Trigger]:
        return await info.context.load(event_triggers.load_triggers_of_workflows, parent.id)

    firings: Any = strawberry.field(
        firings_of_workflow,
        graphql_type=Connection[Firing],
        description="What its triggers and schedules did, newest first.",
    )
    runs: Any = strawberry.field(runs_of_workflow, graphql_type=Connection[Run], description="Its runs, newest first.")
    schedules: Any = strawberry.field(
        schedules_of_workflow, graphql_type=Connection[Schedule], description="When it is run by itself; newest first."
    )
    webhook_triggers: Any = strawberry.field(
        webhook_triggers_of_workflow,
        graphql_type=list[WebhookTrigger],
        description="What other services call to start it, in the order they were made.",
    )
    usage: Any = strawberry.field(usage_of_workflow, graphql_type=Usage, description="Of all its runs that are kept.")

    @classmethod
    async def find(cls, info: Info, key: str) -> domain.Workflow | None:
        return await info.context.load(workflows.load_workflows, read_key(key))


@strawberry.type
class WorkflowQuery:
    @strawberry.field(
        graphql_type=Workflow | None,
        description="Of this workspace, or public and ACTIVE; null when there is none with this id.",
    )
    async def workflow(self, info: Info, id: strawberry.ID) -> domain.Workflow | None:
        return await info.context.load(workflows.load_workflows, read_id(id, "Workflow", "id"))

    @strawberry.field(
        graphql_type=Connection[Workflow],
        description="Workflows of the workspace, with `filter: {public: true}` those that all workspaces share; newest first.",
    )
    async def workflows(
        self,
        info: Info,
        first: int = 20,
        after: str | None = None,
        filter: WorkflowFilterInput | None = None,
        order_by: Annotated[
            WorkflowOrderInput | None, strawberry.argument(description="How they are sorted. Left out, newest first.")
        ] = None,
    ) -> Page[domain.Workflow]:
        wanted, page = read_workflow_filter(filter), read_page(first, after)
        return await workflow_lists.list_workflows(
            info.context.services, info.context.viewer, wanted, page, read_sorting(order_by)
        )


@strawberry.type
class WorkflowPayload:
    workflow: Workflow | None
    errors: list[UserError]


@strawberry.type
class DeleteWorkflowPayload:
    deleted_id: strawberry.ID | None
    errors: list[UserError]


@strawberry.type
class ValidateWorkflowPayload:
    definition: JSON | None = strawberry.field(description="In the canonical spelling; null where there are errors.")
    errors: list[UserError]

    @strawberry.field(description="Whether it could be saved as it is.")
    @staticmethod
    def valid(parent: strawberry.Parent[Answer]) -> bool:
        return not parent.errors


@strawberry.type
class WorkflowMutation:
    @mutation(
        WorkflowPayload,
        description="The definition is checked as a whole; nothing is saved where it is wrong. For editors.",
    )
    async def create_workflow(self, info: Info, input: CreateWorkflowInput) -> Answer:
        wanted = NewWorkflow(
            name=input.name,
            definition=input.definition,
            triggers=input.triggers,
            description=input.description,
            category=input.category,
            entity_type_id=read_optional_id(input.entity_type_id, "EntityType", "entityTypeId"),
            status=input.status,
            enabled=input.enabled,
            public=input.public,
        )
        return Answer(workflow=await workflows.create_workflow(info.context.services, info.context.viewer, wanted))

    @mutation(WorkflowPayload, description="A changed definition is the next version; runs keep theirs. For editors.")
    async def update_workflow(self, info: Info, input: UpdateWorkflowInput) -> Answer:
        changes = workflow_changes.WorkflowChanges(
            name=input.name,
            definition=input.definition,
            triggers=input.triggers,
            description=input.description,
            category=input.category,
            entity_type_id=read_optional_id(input.entity_type_id, "EntityType", "entityTypeId"),
            status=input.status,
            enabled=input.enabled,
            public=input.public,
        )
        updated = await workflow_changes.update_workflow(
            info.context.services,
            info.context.viewer,
            read_id(input.id, "Workflow", "id"),
            changes,
            expected_version=input.expected_version,
        )
        return Answer(workflow=updated)

    @mutation(WorkflowPayload, description="No run of it can be started any more; runs that began go on. For editors.")
    async def archive_workflow(self, info: Info, input: WorkflowIdInput) -> Answer:
        workflow_id = read_id(input.id, "Workflow", "id")
        return Answer(
            workflow=await workflow_changes.archive_workflow(info.context.services, info.context.viewer, workflow_id)
        )

    @mutation(
        DeleteWorkflowPayload,
        description="With its versions and runs. Refused while a run is not finished. For editors.",
    )
    async def delete_workflow(self, info: Info, input: WorkflowIdInput) -> Answer:
        workflow_id = read_id(input.id, "Workflow", "id")
        await workflows.delete_workflow(info.context.services, info.context.viewer, workflow_id)
        return Answer(deleted_id=input.id)

    @mutation(ValidateWorkflowPayload, description="Finds the same errors as createWorkflow, and saves nothing.")
    async def validate_workflow(self, info: Info, input: ValidateWorkflowInput) -> Answer:
        checked = await workflows.validate_workflow(
            info.context.services,
            info.context.viewer,
            input.definition,
            read_optional_id(input.entity_type_id, "EntityType", "entityTypeId"),
            input.triggers,
        )
        return Answer(
            definition=None if checked.problems else checked.canonical,
            errors=tuple(problem.under("input") for problem in checked.problems),
        )
