"""Entities: stored one by one or a few at a time. Files of them come in by `imports`."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from weft.domain.access import Role, Viewer
from weft.domain.entity import Entity, EntityFilter
from weft.domain.errors import Conflict, Invalid, LimitExceeded, NotFound
from weft.domain.ids import UUID
from weft.domain.page import Page, PageRequest
from weft.domain.run import Selection
from weft.kit.json import loads
from weft.operations.entity_filters import check_filter
from weft.operations.entity_types import no_such_type
from weft.operations.file_fields import check_file_fields
from weft.operations.records import RecordCheck, RefusedRecord
from weft.operations.services import Services
from weft.storage import audit, entities, entity_events, entity_types, files


async def update_entity(
    services: Services,
    viewer: Viewer,
    entity_id: UUID,
    data: Any,
    *,
    replace: bool = False,
    expected_version: int | None = None,
) -> Entity:
    """Merge `data` into the entity's as RFC 7396 says (null takes a field away), or put it in its place where `replace`."""
    viewer.need(Role.EDITOR)
    async with services.database.transaction() as connection:
        before = await entities.lock_entity(connection, viewer.workspace_id, entity_id)
        if before is None:
            raise _no_such_entity("id")
        if expected_version not in {None, before.version}:
            raise Conflict(
                f"The entity is at version {before.version} by now.",
                path=("expectedVersion",),
                hint="Read it again and apply your change to what it is now.",
            )
        entity_type = await entity_types.type_by_id(connection, viewer.workspace_id, before.entity_type_id)
        if entity_type is None:
            raise no_such_type("id")
        check = RecordCheck(entity_type.schema, services.limits.entity_bytes)
        try:
            written = check.to_json(data if replace else merged(before.data, data))
        except RefusedRecord as refused:
            raise Invalid(problems=[problem.under("data") for problem in refused.problems]) from refused
        after: dict[str, Any] = loads(written)
        if after == before.data:
            return before
        if entity_type.holds_documents:
            check_file_fields(await files.file_of(connection, viewer.workspace_id, entity_id), after)
        changed = await entities.replace_data(connection, viewer.workspace_id, entity_id, after)
        if changed is None:
            raise _no_such_entity("id")
        told = await entity_events.tell_updated(connection, viewer.workspace_id, entity_id)
        await audit.record(connection, viewer, "entity.updated", entity_id, {"version": changed.version})
    if told:
        await services.wakeups.wake()
    return changed


async def delete_entities(
    services: Services, viewer: Viewer, selection: Selection, entity_type_id: UUID | None = None
) -> int:
    """How many were deleted. Runs keep the results they have of them."""
    viewer.need(Role.EDITOR)
    if selection.ids is not None and len(selection.ids) > services.limits.ids_per_selection:
        raise LimitExceeded(
            f"{len(selection.ids):,} ids are given; at most {services.limits.ids_per_selection:,} are allowed.",
            path=("entities", "ids"),
            hint="Select them by a filter.",
        )
    async with services.database.transaction() as connection:
        if selection.ids is not None:
            deleted = await entities.delete_by_id(connection, viewer.workspace_id, selection.ids)
        else:
            if entity_type_id is None:
                raise Invalid("Say of which type: a filter is over one entity type.", path=("entityTypeId",))
            entity_type = await entity_types.type_by_id(connection, viewer.workspace_id, entity_type_id)
            if entity_type is None:
                raise no_such_type("entityTypeId")
            wanted = selection.filter or EntityFilter()
            check_filter(wanted, entity_type.schema, "entities", "filter")
            count = await entities.delete_by_filter(connection, viewer.workspace_id, entity_type_id, wanted)
            deleted = {entity_type_id: count}
        for type_id, count in deleted.items():
            await audit.record(connection, viewer, "entities.deleted", type_id, {"deleted": count})
    return sum(deleted.values())


async def load_entities(services: Services, viewer: Viewer, ids: Sequence[UUID]) -> list[Entity | None]:
    """In the order of the ids."""
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        found = await entities.entities_by_id(connection, viewer.workspace_id, ids)
    return [found.get(entity_id) for entity_id in ids]


async def list_entities(
    services: Services,
    viewer: Viewer,
    entity_type_id: UUID,
    wanted: EntityFilter,
    page: PageRequest,
    *,
    count: bool = False,
) -> Page[Entity]:
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        entity_type = await entity_types.type_by_id(connection, viewer.workspace_id, entity_type_id)
        if entity_type is None:
            raise no_such_type("type")
        check_filter(wanted, entity_type.schema, "filter")
        return await entities.page_of_entities(
            connection, viewer.workspace_id, entity_type_id, wanted, page, count=count
        )


def merged(data: Any, patch: Any) -> Any:
    """JSON Merge Patch, RFC 7396."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(cast("Mapping[str, Any]", data)) if isinstance(data, Mapping) else dict[str, Any]()
    for name, value in cast("Mapping[str, Any]", patch).items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def _no_such_entity(*path: str) -> NotFound:
    return NotFound("There is no such entity in this workspace.", path=path)
