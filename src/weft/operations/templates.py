"""Templates: definitions to start from. Some come with Weft, the others were saved by the workspace."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.access import Role, Viewer
from weft.domain.errors import Invalid, NotFound, Problem
from weft.domain.ids import UUID, new_id
from weft.domain.page import Page, PageRequest
from weft.domain.workflow import Template, Workflow
from weft.kit.storable import is_storable_text
from weft.operations.builtin_templates import builtin_templates
from weft.operations.definitions import check_definition
from weft.operations.expected_types import expected_type
from weft.operations.labels import category_of, description_of, name_of
from weft.operations.services import Services
from weft.operations.template_filling import complete_parameters, filled
from weft.operations.workflows import NewWorkflow, add_workflow, schema_of
from weft.storage import audit, entity_types, templates, workflow_versions, workflows

_BUILTIN = "builtin:"
"""Begins the page keys of built-in templates, which stand before the workspace's own."""


@dataclass(frozen=True, slots=True)
class FromTemplate:
    template_id: str
    name: str | None = None
    """None: the name of the template."""
    description: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    entity_type_id: UUID | None = None
    """None: an entity type of the template's shape is made, or the one that was made before is taken."""


async def list_templates(services: Services, viewer: Viewer, category: str | None, page: PageRequest) -> Page[Template]:
    """The built-in ones first, then the workspace's own, newest first."""
    viewer.need(Role.VIEWER)
    if category is not None and not is_storable_text(category):
        raise Invalid("This is not the name of a category.", path=("category",))
    builtin = [template for template in builtin_templates() if category in {None, template.category}]
    ahead: list[Template] = []
    after = page.after
    if after is None or after.startswith(_BUILTIN):
        last = (after or "").removeprefix(_BUILTIN)
        ahead = [template for template in builtin if template.id > last]
        after = None
    missing = max(page.first - len(ahead), 0)
    async with services.database.reading() as connection:
        own = await templates.page(connection, viewer.workspace_id, category, PageRequest(missing, after))
    rows = [*ahead[: page.first], *own.rows]
    return Page(
        rows=tuple(rows),
        keys=tuple(_key(template) for template in rows),
        has_next=len(ahead) > page.first or own.has_next,
        total=len(builtin) + (own.total or 0),
    )


async def find_template(services: Services, viewer: Viewer, template_id: str) -> Template | None:
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        return await _template(connection, viewer, template_id)


async def create_from_template(services: Services, viewer: Viewer, wanted: FromTemplate) -> Workflow:
    viewer.need(Role.EDITOR)
    async with services.database.reading() as connection:
        template = await _template(connection, viewer, wanted.template_id)
        if template is None:
            raise NotFound("There is no such template.", path=("templateId",), hint="`templates` lists them.")
        schema = await schema_of(connection, viewer, wanted.entity_type_id) or template.entity_schema
    parameters, problems = complete_parameters(template.parameters_schema, wanted.parameters)
    if problems:
        raise Invalid(problems=problems)
    definition = filled(template.definition, parameters)
    checked = await check_definition(services, viewer.workspace_id, definition, schema)
    async with services.database.transaction() as connection:
        entity_type_id = wanted.entity_type_id
        if entity_type_id is None and template.entity_schema is not None:
            entity_type_id = await expected_type(
                connection,
                viewer,
                template.entity_schema,
                name=template.name,
                expected_by=f"the template {template.name!r}",
            )
        return await add_workflow(
            services,
            viewer,
            connection,
            NewWorkflow(
                name=wanted.name or template.name,
                description=template.description if wanted.description is None else wanted.description,
                category=template.category,
                definition=definition,
                entity_type_id=entity_type_id,
            ),
            checked,
        )


async def save_as_template(
    services: Services, viewer: Viewer, workflow_id: UUID, *, name: str | None, description: str | None, category: str
) -> Template:
    """The workflow's current version as a template of the workspace, with the shape of its entities."""
    viewer.need(Role.EDITOR)
    async with services.database.transaction() as connection:
        workflow = await workflows.get(connection, viewer.workspace_id, workflow_id)
        version = workflow and await workflow_versions.get(connection, viewer.workspace_id, workflow.version_id)
        if workflow is None or version is None:
            raise NotFound("There is no such workflow in this workspace.", path=("workflowId",))
        entity_type = workflow.entity_type_id and await entity_types.type_by_id(
            connection, viewer.workspace_id, workflow.entity_type_id
        )
        problems: list[Problem] = []
        saved = Template(
            id=str(new_id()),
            workspace_id=viewer.workspace_id,
            name=name_of(workflow.name if name is None else name, problems),
            description=description_of(workflow.description if description is None else description, problems),
            category=category_of(category, problems) or "general",
            definition=version.definition,
            entity_schema=dict(entity_type.schema) | {"title": entity_type.name} if entity_type else None,
            parameters_schema=None,
            created_at=services.clock(),
        )
        if problems:
            raise Invalid(problems=problems)
        await templates.add(connection, saved, viewer.key_name)
        await audit.record(connection, viewer, "template.created", saved.id, {"name": saved.name})
    return saved


async def _template(connection: AsyncConnection, viewer: Viewer, template_id: str) -> Template | None:
    builtin = next((template for template in builtin_templates() if template.id == template_id), None)
    if builtin is not None:
        return builtin
    try:
        own_id = UUID(template_id)
    except ValueError:
        return None
    return await templates.get(connection, viewer.workspace_id, own_id)


def _key(template: Template) -> str:
    return f"{_BUILTIN}{template.id}" if template.workspace_id is None else template.id
