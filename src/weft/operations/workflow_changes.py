"""Changes of workflows. One of the definition makes the next version; older ones stay as they were.

The definition is examined before the transaction, since the outside is asked as well and may take its time. Where somebody
changed the workflow in between, it is examined anew.
"""

from dataclasses import dataclass, replace
from typing import Any

from weft.domain.access import Role, Viewer
from weft.domain.errors import Conflict, Problem
from weft.domain.ids import UUID
from weft.domain.workflow import Workflow, WorkflowStatus
from weft.operations.definitions import CheckedDefinition, check_definition
from weft.operations.event_triggers import keeping_triggers, store_triggers
from weft.operations.labels import category_of, description_of, name_of
from weft.operations.services import Services
from weft.operations.workflows import found_workflow, raise_any, schema_of, version_of
from weft.storage import audit, workflow_versions, workflows

MOST_EXAMINATIONS = 5
"""Of one change, when others change the same workflow meanwhile."""


@dataclass(frozen=True, slots=True)
class WorkflowChanges:
    """What is None stays as it is."""

    name: str | None = None
    definition: Any = None
    triggers: Any = None
    """In place of those in the definition."""
    description: str | None = None
    category: str | None = None
    """An empty text takes the category away."""
    entity_type_id: UUID | None = None
    status: WorkflowStatus | None = None
    enabled: bool | None = None
    public: bool | None = None


@dataclass(frozen=True, slots=True)
class _Examined:
    """What a change makes of the definition, and of what state of the workflow that was said."""

    version_id: UUID
    entity_type_id: UUID | None
    status: WorkflowStatus
    checked: CheckedDefinition | None
    """None where the definition stays the same and is right for the entity type, which may be new."""

    def is_of(self, current: Workflow) -> bool:
        seen = (self.version_id, self.entity_type_id, self.status)
        return seen == (current.version_id, current.entity_type_id, current.status)


async def _changed_definition(
    services: Services, viewer: Viewer, workflow_id: UUID, changes: WorkflowChanges
) -> _Examined:
    async with services.database.reading() as connection:
        current = found_workflow(await workflows.get(connection, viewer.workspace_id, workflow_id))
        seen = _Examined(current.version_id, current.entity_type_id, current.status, None)
        entity_type_id = changes.entity_type_id or current.entity_type_id
        # A copy may be a DRAFT whose definition does not fit this workspace: such a one is never to be run.
        activates = changes.status is WorkflowStatus.ACTIVE and current.status is not WorkflowStatus.ACTIVE
        redefines = changes.definition is not None or changes.triggers is not None
        if not redefines and entity_type_id == current.entity_type_id and not activates:
            return seen
        schema = await schema_of(connection, viewer, entity_type_id)
        version = await workflow_versions.get(connection, viewer.workspace_id, current.version_id)
    present = version.definition if version else {}
    wanted = _definition_of(changes, present)
    checked = await check_definition(services, viewer.workspace_id, wanted, schema, triggers=changes.triggers)
    return replace(seen, checked=checked) if checked.problems or checked.canonical != present else seen


async def update_workflow(
    services: Services,
    viewer: Viewer,
    workflow_id: UUID,
    changes: WorkflowChanges,
    *,
    expected_version: int | None = None,
) -> Workflow:
    """With `expected_version` it is refused when somebody else made another version meanwhile."""
    viewer.need(Role.EDITOR)
    for _ in range(MOST_EXAMINATIONS):
        examined = await _changed_definition(services, viewer, workflow_id, changes)
        changed = await _change(services, viewer, changes, examined, workflow_id, expected_version)
        if changed is not None:
            return changed
    raise Conflict("The workflow is being changed by others all the time.", hint="Try again in a moment.")


async def _change(
    services: Services,
    viewer: Viewer,
    changes: WorkflowChanges,
    examined: _Examined,
    workflow_id: UUID,
    expected_version: int | None,
) -> Workflow | None:
    """None where somebody changed meanwhile what was examined."""
    async with services.database.transaction() as connection:
        current = found_workflow(await workflows.lock(connection, viewer.workspace_id, workflow_id))
        if expected_version not in {None, current.version_number}:
            raise Conflict(
                f"The workflow is at version {current.version_number} by now.",
                path=("expectedVersion",),
                hint="Read it again and apply your change to what it is now.",
            )
        if not examined.is_of(current):
            return None
        problems: list[Problem] = []
        values = _plain_changes(current, changes, problems)
        checked = examined.checked
        raise_any(*problems, *(checked.problems if checked else ()))
        if checked is not None:
            version = version_of(services, viewer, current, checked, number=current.version_number + 1)
            await workflow_versions.add(connection, version)
            await store_triggers(services, viewer, connection, current, checked.definition)
            values |= {
                "version_id": version.id,
                "version_number": version.number,
                "steps_count": checked.steps_count,
            }
        if not values:
            return current
        changed = await workflows.change(
            connection, viewer.workspace_id, workflow_id, {**values, "updated_at": services.clock()}
        )
        details = {
            "changed": sorted(values),
            "version": values.get("version_number", current.version_number),
            **{name: values[name] for name in ("public", "status", "enabled") if name in values},
        }
        await audit.record(connection, viewer, "workflow.updated", workflow_id, details)
        return found_workflow(changed)


async def archive_workflow(services: Services, viewer: Viewer, workflow_id: UUID) -> Workflow:
    """No run of it can be started any more. What runs, goes on."""
    return await update_workflow(services, viewer, workflow_id, WorkflowChanges(status=WorkflowStatus.ARCHIVED))


def _definition_of(changes: WorkflowChanges, present: dict[str, Any]) -> Any:
    """What is to be checked, without the triggers that are given beside it. Where nothing is said of triggers, they stay."""
    if changes.triggers is None:
        return present if changes.definition is None else keeping_triggers(changes.definition, present)
    if changes.definition is None:
        return {name: part for name, part in present.items() if name != "triggers"}
    return changes.definition


def _plain_changes(current: Workflow, changes: WorkflowChanges, problems: list[Problem]) -> dict[str, Any]:
    """The columns that change, without those of the version."""
    wanted: dict[str, Any] = {
        "name": None if changes.name is None else name_of(changes.name, problems),
        "description": None if changes.description is None else description_of(changes.description, problems),
        "entity_type_id": changes.entity_type_id,
        "status": changes.status,
        "enabled": changes.enabled,
        "public": changes.public,
    }
    values = {name: value for name, value in wanted.items() if value is not None}
    if changes.category is not None:
        values["category"] = category_of(changes.category, problems)
    return {name: value for name, value in values.items() if value != getattr(current, name)}
