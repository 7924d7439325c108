"""What people do with workflows that others made: copy them and rate them. Both also with their own.

A copy belongs to the workspace of whoever made it, and stays when its source is changed, made private or deleted. It is
checked as a new workflow is. Where its definition does not fit (it names an integration, a datastore or a provider that is
not here), the copy is a DRAFT that cannot be run, with all that is to be put right told as warnings.
"""

from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.access import Role, Viewer
from weft.domain.errors import Invalid, NotFound, Problem
from weft.domain.ids import UUID
from weft.domain.sharing import HIGHEST_RATING, LOWEST_RATING
from weft.domain.workflow import Workflow, WorkflowStatus
from weft.operations.definitions import check_definition
from weft.operations.expected_types import expected_type
from weft.operations.services import Services
from weft.operations.workflows import NewWorkflow, add_workflow, schema_of
from weft.storage import audit, public_workflows, workflow_stats
from weft.storage.public_workflows import SourceOfCopy


@dataclass(frozen=True, slots=True)
class CopyWorkflow:
    """What is None is that of the source."""

    source_id: UUID
    name: str | None = None
    description: str | None = None
    category: str | None = None
    entity_type_id: UUID | None = None
    """None: that of the source, where it is of the workspace; otherwise one of the same name and schema, made if need be."""


@dataclass(frozen=True, slots=True)
class Copied:
    workflow: Workflow
    warnings: tuple[Problem, ...]
    """Why it is a DRAFT. Paths begin with `definition`."""


async def copy_workflow(services: Services, viewer: Viewer, wanted: CopyWorkflow) -> Copied:
    viewer.need(Role.EDITOR)
    async with services.database.reading() as connection:
        source = await public_workflows.source_of_copy(connection, viewer.workspace_id, wanted.source_id)
        chosen = await schema_of(connection, viewer, wanted.entity_type_id)
    if source is None:
        raise _not_found()
    schema = source.entity_schema if chosen is None else chosen
    checked = await check_definition(services, viewer.workspace_id, source.definition, schema)
    warnings = checked.problems
    if warnings:
        # Kept as it was written: what has to be put right stands in it.
        checked = replace(checked, canonical=source.definition, steps_count=source.workflow.steps_count, problems=())
    new = _new_workflow(viewer, wanted, source, fits=not warnings)
    async with services.database.transaction() as connection:
        # Somebody may have made it private meanwhile, or deleted it.
        if not await public_workflows.keep(connection, viewer.workspace_id, wanted.source_id):
            raise _not_found()
        if new.entity_type_id is None and source.entity_schema is not None:
            new = replace(new, entity_type_id=await _expected_type(connection, viewer, source))
        made = await add_workflow(services, viewer, connection, new, checked)
        await workflow_stats.note_copied(connection, wanted.source_id)
        details = {"name": made.name, "from": str(wanted.source_id), "status": made.status}
        await audit.record(connection, viewer, "workflow.copied", made.id, details)
    return Copied(made, warnings)


async def rate_workflow(services: Services, viewer: Viewer, workflow_id: UUID, rating: int | None) -> Workflow:
    """One rating of each API key, changed at will; None takes it away."""
    viewer.need(Role.VIEWER)
    if rating is not None and not LOWEST_RATING <= rating <= HIGHEST_RATING:
        raise Invalid(f"A rating is {LOWEST_RATING} to {HIGHEST_RATING}; this is {rating}.", path=("rating",))
    async with services.database.transaction() as connection:
        if not await public_workflows.keep(connection, viewer.workspace_id, workflow_id):
            raise _not_found()
        await workflow_stats.rate(connection, viewer.workspace_id, viewer.key_id, workflow_id, rating)
        await audit.record(connection, viewer, "workflow.rated", workflow_id, {"rating": rating})
        found = await public_workflows.get_many(connection, viewer.workspace_id, [workflow_id])
    if workflow_id not in found:
        raise _not_found()
    return found[workflow_id].seen_from(viewer.workspace_id)


def _new_workflow(viewer: Viewer, wanted: CopyWorkflow, source: SourceOfCopy, *, fits: bool) -> NewWorkflow:
    of = source.workflow
    own_type = of.entity_type_id if of.is_of(viewer.workspace_id) else None
    return NewWorkflow(
        name=of.name if wanted.name is None else wanted.name,
        definition=source.definition,
        description=of.description if wanted.description is None else wanted.description,
        category=of.category if wanted.category is None else wanted.category,
        entity_type_id=wanted.entity_type_id or own_type,
        status=WorkflowStatus.ACTIVE if fits else WorkflowStatus.DRAFT,
        # Nothing shall run by itself only because it was copied.
        enabled=not source.definition.get("triggers"),
        copied_from=of.id,
    )


async def _expected_type(connection: AsyncConnection, viewer: Viewer, source: SourceOfCopy) -> UUID:
    name = source.workflow.name
    return await expected_type(
        connection, viewer, source.entity_schema or {}, name=name, expected_by=f"the workflow {name!r}"
    )


def _not_found() -> NotFound:
    return NotFound("There is no such workflow in this workspace, and no public one.", path=("id",))
