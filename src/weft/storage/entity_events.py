"""Events of entities, written along with them: one statement for a whole batch, and nothing where no trigger listens."""

from collections.abc import Sequence

from asyncpg.pgproto import pgproto
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.events import LARGEST_PART_BYTES, PlatformEvent
from weft.domain.ids import UUID
from weft.storage.events import listened


def quoted(name: PlatformEvent) -> str:
    """The name as a literal of SQL."""
    return f"'{name}'"


def payload_of(row: str) -> str:
    """SQL: what the event says of an entity; `row` is the table's name or alias."""
    facts = (
        f"'entityId', {row}.id, 'entityTypeId', {row}.entity_type_id, 'externalId', {row}.external_id, "
        f"'version', {row}.version"
    )
    return (
        f"CASE WHEN octet_length({row}.data::text) <= {LARGEST_PART_BYTES} "
        f"THEN json_build_object({facts}, 'data', {row}.data) ELSE json_build_object({facts}) END"
    )


LISTENED = text(f"SELECT {listened(':name')}")
TELL = text(
    f"""
    INSERT INTO event (workspace_id, name, payload)
    SELECT e.workspace_id, :name ::text, {payload_of("e")}
    FROM unnest(:ids ::uuid[]) WITH ORDINALITY AS n (id, place)
    JOIN entity e ON e.id = n.id AND e.workspace_id = :workspace_id
    WHERE {listened(":name ::text")}
    ORDER BY n.place
    """
)


async def tell_created(connection: AsyncConnection, workspace_id: UUID, ids: Sequence[bytes]) -> None:
    """`entity.created` for entities that stand already; the 16 bytes of their ids."""
    # Asked before: the ids of a million entities need not be sent for nobody.
    name = PlatformEvent.ENTITY_CREATED
    if (await connection.execute(LISTENED, {"workspace_id": workspace_id, "name": name})).scalar_one():
        values = {"workspace_id": workspace_id, "name": name, "ids": [pgproto.UUID(one) for one in ids]}
        await connection.execute(TELL, values)


async def tell_updated(connection: AsyncConnection, workspace_id: UUID, entity_id: UUID) -> bool:
    """`entity.updated`; whether it waits for a trigger."""
    values = {"workspace_id": workspace_id, "name": PlatformEvent.ENTITY_UPDATED, "ids": [entity_id]}
    return bool((await connection.execute(TELL, values)).rowcount)
