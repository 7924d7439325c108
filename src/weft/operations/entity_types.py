"""Entity types: a JSON Schema with a name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.access import Role, Viewer
from weft.domain.entity import EntityType
from weft.domain.errors import Conflict, ErrorCode, Invalid, NotFound, Problem
from weft.domain.files import DOCUMENT_TYPE
from weft.domain.ids import UUID
from weft.domain.page import Page, PageRequest
from weft.kit.json_schema import SchemaProblemError, compile_schema
from weft.kit.schema_shape import json_types
from weft.operations.labels import description_of, name_of
from weft.operations.services import Services
from weft.storage import audit, entity_types, imports


@dataclass(frozen=True, slots=True)
class TypeChanges:
    """What is None stays as it is."""

    name: str | None = None
    description: str | None = None
    schema: Any = None


def no_such_type(*path: str) -> NotFound:
    return NotFound("There is no such entity type in this workspace.", path=path)


async def built_in_documents(connection: AsyncConnection, workspace_id: UUID) -> EntityType:
    """The built-in type of documents, made where the workspace has none yet, and held until the end of the transaction."""
    found = await entity_types.ensure_document_type(connection, workspace_id)
    if found is None:
        raise Conflict(
            f"This workspace has an entity type of its own that is named {DOCUMENT_TYPE!r}.",
            path=("entityTypeId",),
            hint="Name an entity type here, or give that one another name.",
        )
    return found


async def create_entity_type(
    services: Services, viewer: Viewer, *, name: str, description: str, schema: Any
) -> EntityType:
    viewer.need(Role.EDITOR)
    problems: list[Problem] = []
    name, description = name_of(name, problems), description_of(description, problems)
    problems += schema_problems(schema)
    if problems:
        raise Invalid(problems=problems)
    async with services.database.transaction() as connection:
        made = await entity_types.add_entity_type(connection, viewer.workspace_id, name, description, schema)
        await audit.record(connection, viewer, "entityType.created", made.id, {"name": name})
    return made


def made_of_uploads(*path: str) -> Invalid:
    return Invalid(
        "Entities of this type are documents: each is made of an upload.", path=path, hint="Use createDocument."
    )


def built_in(found: EntityType, *path: str) -> Conflict:
    return Conflict(
        f"The entity type {found.name!r} belongs to Weft: it stays as it is.",
        path=path,
        hint="Documents may also be of a type of your own: name it when you create them.",
    )


async def update_entity_type(services: Services, viewer: Viewer, type_id: UUID, changes: TypeChanges) -> EntityType:
    """A new schema holds for what is stored from now on. Entities that exist are neither checked nor rewritten; a run over one
    that no longer fits fails at the step that finds out.
    """
    viewer.need(Role.EDITOR)
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    if changes.name is not None:
        values["name"] = name_of(changes.name, problems)
    if changes.description is not None:
        values["description"] = description_of(changes.description, problems)
    if changes.schema is not None:
        values["schema"] = changes.schema
        problems += schema_problems(changes.schema)
    if problems:
        raise Invalid(problems=problems)
    async with services.database.transaction() as connection:
        before = await entity_types.type_by_id(connection, viewer.workspace_id, type_id)
        if before is not None and before.built_in:
            raise built_in(before, "id")
        changed = await entity_types.change_entity_type(connection, viewer.workspace_id, type_id, values)
        if changed is None:
            raise no_such_type("id")
        await audit.record(connection, viewer, "entityType.updated", type_id, {"fields": sorted(values)})
    return changed


async def delete_entity_type(services: Services, viewer: Viewer, type_id: UUID) -> EntityType:
    """Refused while a workflow, an entity or a file that is coming in needs the type. What is left of earlier imports of it
    is deleted with it.
    """
    viewer.need(Role.EDITOR)
    async with services.database.transaction() as connection:
        doomed = await entity_types.lock_type(connection, viewer.workspace_id, type_id)
        if doomed is None:
            raise no_such_type("id")
        if doomed.built_in:
            raise built_in(doomed, "id")
        if names := await entity_types.names_of_workflows_over(connection, viewer.workspace_id, type_id):
            listed = ", ".join(map(repr, names))
            raise Conflict(
                f"Workflows work on this type, such as {listed}.", path=("id",), hint="Delete the workflows first."
            )
        if await entity_types.has_entities(connection, viewer.workspace_id, type_id):
            raise Conflict("There are entities of this type.", path=("id",), hint="Delete them first: deleteEntities.")
        if await imports.has_running(connection, viewer.workspace_id, type_id):
            raise Conflict("A file of entities of this type is being imported.", path=("id",))
        await entity_types.remove_type(connection, viewer.workspace_id, type_id)
        await audit.record(connection, viewer, "entityType.deleted", type_id, {"name": doomed.name})
    return doomed


async def load_entity_types(services: Services, viewer: Viewer, ids: Sequence[UUID]) -> list[EntityType | None]:
    """In the order of the ids."""
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        found = await entity_types.types_by_id(connection, viewer.workspace_id, ids)
    return [found.get(type_id) for type_id in ids]


async def list_entity_types(
    services: Services, viewer: Viewer, page: PageRequest, *, search: str | None = None
) -> Page[EntityType]:
    viewer.need(Role.VIEWER)
    if search and "\0" in search:
        raise Invalid("The text to search for holds the character NUL.", path=("search",))
    async with services.database.reading() as connection:
        return await entity_types.page_of_types(connection, viewer.workspace_id, page, search)


def schema_problems(schema: Any) -> list[Problem]:
    """What keeps a value from being the schema of an entity type: a JSON Schema that only objects can fulfil."""
    if not isinstance(schema, dict):
        return [
            Problem(ErrorCode.INVALID_SCHEMA, "The schema is not an object: it has to be a JSON Schema.", ("schema",))
        ]
    written = cast("dict[str, Any]", schema)
    try:
        compile_schema(written)
    except SchemaProblemError as error:
        return [
            Problem(ErrorCode.INVALID_SCHEMA, problem.message, ("schema", *problem.path)) for problem in error.problems
        ]
    if json_types(written, written) != frozenset({"object"}):
        return [
            Problem(
                ErrorCode.INVALID_SCHEMA,
                "The schema does not describe objects, and every entity is one.",
                ("schema", "type"),
                'Add "type": "object" at its top.',
            )
        ]
    return []
