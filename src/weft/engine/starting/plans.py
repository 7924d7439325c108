"""The plan of a version, from the cache or compiled from what is stored."""

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.errors import NotFound
from weft.domain.ids import UUID
from weft.domain.workflow import Workflow
from weft.engine.plan import Plan
from weft.engine.plans import PlanCache
from weft.storage import entity_types, workflow_versions


async def plan_of(
    connection: AsyncConnection, plans: PlanCache, workflow: Workflow, version_id: UUID | None = None
) -> Plan:
    """Of the current version, where no other is named. Raises `Invalid` when it no longer compiles."""
    version_id = version_id or workflow.version_id
    if (known := plans.known(version_id)) is not None:
        return known
    version = await workflow_versions.get(connection, workflow.workspace_id, version_id)
    if version is None:
        raise NotFound(f"The version {version_id} of the workflow is gone.")
    schema = None
    if workflow.entity_type_id is not None:
        entity_type = await entity_types.type_by_id(connection, workflow.workspace_id, workflow.entity_type_id)
        schema = None if entity_type is None else entity_type.schema
    return plans.get(version_id, version.definition, schema)
