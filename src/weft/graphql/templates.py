"""Templates: definitions to start from."""

from datetime import datetime
from typing import cast

import strawberry
from strawberry.scalars import JSON

from weft.domain import workflow
from weft.domain.errors import Invalid
from weft.domain.page import Page
from weft.graphql.context import Info
from weft.graphql.mutations import Answer, UserError, mutation
from weft.graphql.nodes import Node, decode_id, read_id, read_optional_id
from weft.graphql.paging import Connection, read_page
from weft.graphql.workflows import WorkflowPayload
from weft.operations import templates
from weft.operations.templates import FromTemplate


@strawberry.type(description="A definition offered as a starting point.")
class Template(Node):
    name: str = strawberry.field(description="1 to 200 characters, for people.")
    description: str = strawberry.field(description="What it is good for, in up to 10,000 characters; may be empty.")
    category: str = strawberry.field(description="A word to find it by, of up to 100 characters.")
    definition: JSON = strawberry.field(description='Steps, with `{"$parameter": name}` where a parameter is put in.')
    entity_schema: JSON | None = strawberry.field(
        description="JSON Schema of the entities it expects; null for one that runs on its input alone."
    )
    parameters_schema: JSON | None = strawberry.field(
        description="JSON Schema of `parameters` in `createWorkflowFromTemplate`; null where it takes none."
    )
    created_at: datetime | None = strawberry.field(description="Null for those that come with Weft.")

    @strawberry.field(description="Whether it comes with Weft.")
    @staticmethod
    def builtin(parent: strawberry.Parent[workflow.Template]) -> bool:
        return parent.workspace_id is None

    @classmethod
    async def find(cls, info: Info, key: str) -> workflow.Template | None:
        return await templates.find_template(info.context.services, info.context.viewer, key)


@strawberry.type
class TemplateQuery:
    @strawberry.field(
        graphql_type=Connection[Template],
        description="Those that come with Weft, then the workspace's own, newest first.",
    )
    async def templates(
        self, info: Info, category: str | None = None, first: int = 20, after: str | None = None
    ) -> Page[workflow.Template]:
        return await templates.list_templates(
            info.context.services, info.context.viewer, category, read_page(first, after)
        )


@strawberry.input
class CreateWorkflowFromTemplateInput:
    template_id: strawberry.ID = strawberry.field(description="Which one, built-in or of the workspace: its `id`.")
    name: str | None = strawberry.field(default=None, description="1 to 200 characters; left out, the template's own.")
    description: str | None = strawberry.field(default=None, description="Left out, that of the template.")
    parameters: JSON | None = strawberry.field(default=None, description="By the template's `parametersSchema`.")
    entity_type_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="Left out, an entity type of the template's shape is made, or taken where it is there.",
    )


@strawberry.input
class SaveAsTemplateInput:
    workflow_id: strawberry.ID
    category: str = strawberry.field(default="general", description="A word to find it by, of up to 100 characters.")
    name: str | None = strawberry.field(default=None, description="1 to 200 characters; left out, the workflow's own.")
    description: str | None = strawberry.field(default=None, description="Left out, that of the workflow.")


@strawberry.type
class SaveAsTemplatePayload:
    template: Template | None
    errors: list[UserError]


@strawberry.type
class TemplateMutation:
    @mutation(
        WorkflowPayload, description="Puts the parameters in, and saves the definition as a new workflow. For editors."
    )
    async def create_workflow_from_template(self, info: Info, input: CreateWorkflowFromTemplateInput) -> Answer:
        wanted = FromTemplate(
            template_id=_template_key(input.template_id),
            name=input.name,
            description=input.description,
            parameters=_parameters(input.parameters),
            entity_type_id=read_optional_id(input.entity_type_id, "EntityType", "entityTypeId"),
        )
        return Answer(workflow=await templates.create_from_template(info.context.services, info.context.viewer, wanted))

    @mutation(
        SaveAsTemplatePayload,
        description="Offers the current version of a workflow as a template of the workspace. For editors.",
    )
    async def save_as_template(self, info: Info, input: SaveAsTemplateInput) -> Answer:
        saved = await templates.save_as_template(
            info.context.services,
            info.context.viewer,
            read_id(input.workflow_id, "Workflow", "workflowId"),
            name=input.name,
            description=input.description,
            category=input.category,
        )
        return Answer(template=saved)


def _template_key(value: str) -> str:
    """Not a UUID for those that come with Weft."""
    found, key = decode_id(value, "templateId")
    if found != "Template":
        raise Invalid(f"An id of Template is needed here; this is an id of {found}.", path=("templateId",))
    return key


def _parameters(value: object) -> dict[str, object]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Invalid("The parameters are an object.", path=("parameters",))
    return cast("dict[str, object]", value)
