"""The entity type that a definition from elsewhere expects: found in the workspace, or made."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.access import Viewer
from weft.domain.entity import JsonSchema
from weft.domain.errors import Conflict
from weft.domain.files import DOCUMENT_TYPE
from weft.domain.ids import UUID
from weft.storage import audit, entity_types, templates


async def expected_type(
    connection: AsyncConnection, viewer: Viewer, schema: JsonSchema, *, name: str, expected_by: str
) -> UUID:
    """The entity type with the title and the schema that are expected; made where there is none of that name.

    `name` is for a schema without a title; `expected_by` is for people, such as `the template 'Invoices'`.
    """
    name = str(schema.get("title") or name)
    if name == DOCUMENT_TYPE:
        documents = await entity_types.ensure_document_type(connection, viewer.workspace_id)
        if documents is not None and _untitled(documents.schema) == _untitled(schema):
            return documents.id
    found = await templates.entity_type_named(connection, viewer.workspace_id, name)
    if found is None:
        found = await entity_types.add_entity_type(
            connection, viewer.workspace_id, name, f"Made for {expected_by}.", schema
        )
        await audit.record(connection, viewer, "entityType.created", found.id, {"name": name})
    elif _untitled(found.schema) != _untitled(schema):
        raise Conflict(
            f"There is an entity type {name!r} already, and its schema is not the one of {expected_by}.",
            path=("entityTypeId",),
            hint="Give the entityTypeId that the workflow is to work on.",
        )
    return found.id


def _untitled(schema: JsonSchema) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != "title"}
