"""Creating a few entities in one request, each with its own answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.access import Role, Viewer
from weft.domain.entity import Entity, EntityInput
from weft.domain.errors import ErrorCode, Invalid, LimitExceeded, Problem
from weft.domain.ids import UUID
from weft.domain.imports import OnConflict
from weft.operations.entity_types import made_of_uploads, no_such_type
from weft.operations.records import RecordCheck, RefusedRecord, external_id_of, refuse
from weft.operations.services import Services
from weft.storage import audit, entities, entity_types
from weft.storage.entity_writes import EntityRows, new_ids, write_entities


@dataclass(frozen=True, slots=True)
class CreatedEntities:
    entities: tuple[Entity, ...]
    """As they are now, in the order they were given; those left as they were are among them."""
    created: int
    updated: int
    skipped: int
    """Existed already, and were left as they were."""
    problems: tuple[Problem, ...]
    """Of those that were not stored, each path beginning with `entities` and the index."""
    told: int = 0
    """Events of them that wait for triggers."""


@dataclass(slots=True)
class _Checked:
    rows: EntityRows = field(default_factory=lambda: EntityRows([], [], [], []))
    problems: list[Problem] = field(default_factory=list[Problem])


async def create_entities(
    services: Services,
    viewer: Viewer,
    entity_type_id: UUID,
    given: Sequence[EntityInput],
    *,
    on_conflict: OnConflict = OnConflict.FAIL,
    atomic: bool = False,
) -> CreatedEntities:
    """Store what can be stored and say why the rest cannot; with `atomic`, all of them or none (Invalid, with all problems).

    `on_conflict` decides about an `externalId` that exists already; UPDATE replaces the data.
    """
    viewer.need(Role.EDITOR)
    most = services.limits.entities_per_mutation
    if len(given) > most:
        raise LimitExceeded(
            f"{len(given):,} entities are given; at most {most:,} are taken at once.",
            path=("entities",),
            hint="Use createImport for many: a file is streamed in.",
        )
    async with services.database.transaction() as connection:
        entity_type = await entity_types.hold_type(connection, viewer.workspace_id, entity_type_id)
        if entity_type is None:
            raise no_such_type("entityTypeId")
        if entity_type.built_in:
            raise made_of_uploads("entityTypeId")
        checked = _checked(RecordCheck(entity_type.schema, services.limits.entity_bytes), given)
        _refuse_all(checked.problems, atomic)
        result = await _store(connection, viewer, entity_type_id, checked, on_conflict)
        _refuse_all(result.problems, atomic)
        counts = {"created": result.created, "updated": result.updated, "skipped": result.skipped}
        await audit.record(connection, viewer, "entities.created", entity_type_id, counts)
    if result.told:
        await services.wakeups.wake()
    return result


async def _store(
    connection: AsyncConnection, viewer: Viewer, entity_type_id: UUID, checked: _Checked, on_conflict: OnConflict
) -> CreatedEntities:
    rows = checked.rows
    written = await write_entities(connection, viewer.workspace_id, entity_type_id, rows, on_conflict)
    named = [external_id for external_id in rows.external_ids if external_id is not None]
    ids = [UUID(bytes=new) for new in rows.ids]
    stored = await entities.entities_named(connection, viewer.workspace_id, entity_type_id, ids, named)
    by_id = {entity.id: entity for entity in stored}
    by_external_id = {entity.external_id: entity for entity in stored if entity.external_id is not None}
    in_order: list[Entity] = []
    problems = list(checked.problems)
    for index, new, external_id in zip(rows.numbers, ids, rows.external_ids, strict=True):
        if index in written.refused:
            message = f"There is an entity with the external id {external_id!r} already."
            path = ("entities", str(index), "externalId")
            problems.append(Problem(ErrorCode.CONFLICT, message, path, "Set onConflict to UPDATE or SKIP to take it."))
        elif found := by_id.get(new) or by_external_id.get(external_id or ""):
            in_order.append(found)
    return CreatedEntities(
        entities=tuple(in_order),
        created=written.created,
        updated=written.updated,
        skipped=len(rows.ids) - written.created - written.updated - len(written.refused),
        problems=tuple(sorted(problems, key=lambda problem: int(problem.path[1]))),
        told=written.told,
    )


def _checked(check: RecordCheck, given: Sequence[EntityInput]) -> _Checked:
    result = _Checked()
    first_with: dict[str, int] = {}
    for index, entity in enumerate(given):
        try:
            external_id = None if entity.external_id is None else external_id_of(entity.external_id, "externalId")
            data = _data_of(check, entity)
            if external_id is not None and (first := first_with.setdefault(external_id, index)) != index:
                message = f"The external id {external_id!r} stands at index {first} already."
                raise refuse(message, "externalId", code=ErrorCode.CONFLICT)
        except RefusedRecord as refused:
            result.problems += [problem.under("entities", str(index)) for problem in refused.problems]
            continue
        result.rows.numbers.append(index)
        result.rows.external_ids.append(external_id)
        result.rows.data.append(data)
    result.rows.ids = new_ids(len(result.rows.numbers))
    return result


def _data_of(check: RecordCheck, entity: EntityInput) -> bytes:
    try:
        return check.to_json(entity.data)
    except RefusedRecord as refused:
        raise RefusedRecord(*(problem.under("data") for problem in refused.problems)) from refused


def _refuse_all(problems: Sequence[Problem], atomic: bool) -> None:
    if atomic and problems:
        raise Invalid(problems=problems)
