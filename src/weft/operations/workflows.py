"""Workflows: made, checked and deleted, and their versions. `workflow_changes` changes them, `workflow_lists` lists them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.access import Role, Viewer
from weft.domain.entity import JsonSchema
from weft.domain.errors import Conflict, Invalid, NotFound, Problem
from weft.domain.ids import UUID, new_id
from weft.domain.page import Page, PageRequest
from weft.domain.workflow import Workflow, WorkflowStatus, WorkflowVersion
from weft.operations.definitions import CheckedDefinition, check_definition
from weft.operations.entity_types import built_in_documents
from weft.operations.event_triggers import store_triggers
from weft.operations.labels import category_of, description_of, name_of
from weft.operations.services import Services
from weft.storage import audit, entity_types, public_workflows, workflow_versions, workflows

COPY_FIRST = "A public workflow of another workspace can be read and rated; to do more with it, copy it: copyWorkflow."


@dataclass(frozen=True, slots=True)
class NewWorkflow:
    name: str
    definition: Any
    """In any spelling."""
    triggers: Any = None
    """In place of those in the definition."""
    description: str = ""
    category: str | None = None
    entity_type_id: UUID | None = None
    status: WorkflowStatus = WorkflowStatus.ACTIVE
    enabled: bool = True
    public: bool = False
    copied_from: UUID | None = None


@dataclass(frozen=True, slots=True)
class VersionList:
    """A page of the versions of a workflow."""

    workflow_id: UUID
    request: PageRequest


async def create_workflow(services: Services, viewer: Viewer, wanted: NewWorkflow) -> Workflow:
    viewer.need(Role.EDITOR)
    async with services.database.reading() as connection:
        schema = await schema_of(connection, viewer, wanted.entity_type_id)
    checked = await check_definition(
        services, viewer.workspace_id, wanted.definition, schema, triggers=wanted.triggers, may_be_of_documents=True
    )
    async with services.database.transaction() as connection:
        return await add_workflow(services, viewer, connection, wanted, checked)


async def add_workflow(
    services: Services, viewer: Viewer, connection: AsyncConnection, wanted: NewWorkflow, checked: CheckedDefinition
) -> Workflow:
    """Within the caller's transaction, for other operations that make a workflow."""
    problems: list[Problem] = []
    name = name_of(wanted.name, problems)
    description = description_of(wanted.description, problems)
    category = category_of(wanted.category, problems)
    raise_any(*problems, *checked.problems)
    entity_type_id = wanted.entity_type_id
    if entity_type_id is None and checked.of_documents:
        entity_type_id = (await built_in_documents(connection, viewer.workspace_id)).id
    now = services.clock()
    made = Workflow(
        id=new_id(),
        workspace_id=viewer.workspace_id,
        name=name,
        description=description,
        category=category,
        entity_type_id=entity_type_id,
        status=wanted.status,
        enabled=wanted.enabled,
        public=wanted.public,
        version_id=new_id(),
        version_number=1,
        steps_count=checked.steps_count,
        copied_from=wanted.copied_from,
        created_by=viewer.key_name,
        created_at=now,
        updated_at=now,
        last_run_at=None,
    )
    await workflows.add(connection, made)
    await workflow_versions.add(connection, version_of(services, viewer, made, checked))
    await store_triggers(services, viewer, connection, made, checked.definition)
    await audit.record(
        connection, viewer, "workflow.created", made.id, {"name": name, "version": 1, "public": made.public}
    )
    return made


async def delete_workflow(services: Services, viewer: Viewer, workflow_id: UUID) -> None:
    """With its versions, its runs and their results."""
    viewer.need(Role.EDITOR)
    async with services.database.transaction() as connection:
        current = found_workflow(await workflows.lock(connection, viewer.workspace_id, workflow_id))
        if not await workflows.remove(connection, viewer.workspace_id, workflow_id):
            raise Conflict(
                "A run of this workflow is not finished.",
                path=("id",),
                hint="Cancel its runs or wait for them, or archive the workflow instead.",
            )
        await audit.record(connection, viewer, "workflow.deleted", workflow_id, {"name": current.name})


async def validate_workflow(
    services: Services, viewer: Viewer, definition: Any, entity_type_id: UUID | None, triggers: Any = None
) -> CheckedDefinition:
    """The same problems as when it is saved, and nothing is."""
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        schema = await schema_of(connection, viewer, entity_type_id)
    return await check_definition(
        services, viewer.workspace_id, definition, schema, triggers=triggers, may_be_of_documents=True
    )


async def load_workflows(services: Services, viewer: Viewer, ids: Sequence[UUID]) -> list[Workflow | None]:
    """Of the workspace, or public."""
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        found = await public_workflows.get_many(connection, viewer.workspace_id, ids)
    seen = {one.id: one.seen_from(viewer.workspace_id) for one in found.values()}
    return [seen.get(workflow_id) for workflow_id in ids]


async def load_versions(services: Services, viewer: Viewer, ids: Sequence[UUID]) -> list[WorkflowVersion | None]:
    """Of the workspace, or the current one of a public workflow."""
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        found = await public_workflows.versions(connection, viewer.workspace_id, ids)
    return [found.get(version_id) for version_id in ids]


async def load_version_pages(
    services: Services, viewer: Viewer, lists: Sequence[VersionList]
) -> list[Page[WorkflowVersion]]:
    """In the order of what is asked. One statement for all workflows of which the same page is asked for."""
    viewer.need(Role.VIEWER)
    alike: dict[PageRequest, list[UUID]] = defaultdict(list)
    for one in lists:
        alike[one.request].append(one.workflow_id)
    pages: dict[VersionList, Page[WorkflowVersion]] = {}
    async with services.database.reading() as connection:
        for request, workflow_ids in alike.items():
            found = await workflow_versions.pages(connection, viewer.workspace_id, workflow_ids, request)
            pages |= {VersionList(workflow_id, request): page for workflow_id, page in found.items()}
    return [pages[one] for one in lists]


async def schema_of(connection: AsyncConnection, viewer: Viewer, type_id: UUID | None) -> JsonSchema | None:
    """Of the entities that a workflow is to work on; None for a workflow without entities."""
    if type_id is None:
        return None
    found = await entity_types.type_by_id(connection, viewer.workspace_id, type_id)
    if found is None:
        raise NotFound("There is no such entity type in this workspace.", path=("entityTypeId",))
    return found.schema


def version_of(
    services: Services, viewer: Viewer, workflow: Workflow, checked: CheckedDefinition, *, number: int = 1
) -> WorkflowVersion:
    return WorkflowVersion(
        id=workflow.version_id if number == 1 else new_id(),
        workspace_id=viewer.workspace_id,
        workflow_id=workflow.id,
        number=number,
        definition=checked.canonical,
        created_by=viewer.key_name,
        created_at=services.clock(),
    )


def found_workflow(workflow: Workflow | None) -> Workflow:
    if workflow is None:
        raise NotFound("There is no such workflow in this workspace.", path=("id",), hint=COPY_FIRST)
    return workflow


def raise_any(*problems: Problem) -> None:
    if problems:
        raise Invalid(problems=problems)
