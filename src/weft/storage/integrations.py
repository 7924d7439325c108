"""Queries about integrations."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, and_, delete, func, insert, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.errors import Conflict
from weft.domain.ids import UUID, id_in
from weft.domain.integration import Integration, IntegrationType
from weft.domain.page import Page, PageRequest
from weft.storage.paging import after_id
from weft.storage.tables import integration, workflow

_ORDER = integration.c.id


def integration_of(row: RowMapping) -> Integration:
    values: dict[str, Any] = {**row, "type": IntegrationType(row["type"])}
    return Integration(**values)


def _name_taken(name: object) -> Conflict:
    return Conflict(f"There is an integration named {name!r} already.", path=("name",), hint="Choose another name.")


async def add(connection: AsyncConnection, values: Mapping[str, Any]) -> Integration:
    """Raises Conflict when the name is taken."""
    try:
        rows = await connection.execute(insert(integration).values(**values).returning(*integration.c))
    except IntegrityError as error:
        raise _name_taken(values["name"]) from error
    return integration_of(rows.mappings().one())


async def lock(connection: AsyncConnection, workspace_id: UUID, integration_id: UUID) -> Integration | None:
    """The integration, kept as it is until the end of the transaction."""
    mine = and_(integration.c.workspace_id == workspace_id, integration.c.id == integration_id)
    row = (await connection.execute(select(integration).where(mine).with_for_update())).mappings().one_or_none()
    return None if row is None else integration_of(row)


async def change(
    connection: AsyncConnection, workspace_id: UUID, integration_id: UUID, values: Mapping[str, Any]
) -> Integration | None:
    """Set the given columns, and raise the revision. Raises Conflict when the new name is taken."""
    statement = (
        update(integration)
        .where(integration.c.workspace_id == workspace_id, integration.c.id == integration_id)
        .values(**values, revision=integration.c.revision + 1, updated_at=func.now())
        .returning(*integration.c)
    )
    try:
        row = (await connection.execute(statement)).mappings().one_or_none()
    except IntegrityError as error:
        raise _name_taken(values.get("name")) from error
    return None if row is None else integration_of(row)


async def remove(connection: AsyncConnection, workspace_id: UUID, integration_id: UUID) -> Integration | None:
    mine = and_(integration.c.workspace_id == workspace_id, integration.c.id == integration_id)
    row = (await connection.execute(delete(integration).where(mine).returning(*integration.c))).mappings().one_or_none()
    return None if row is None else integration_of(row)


async def by_ids(connection: AsyncConnection, workspace_id: UUID, ids: Sequence[UUID]) -> dict[UUID, Integration]:
    mine = and_(integration.c.workspace_id == workspace_id, integration.c.id.in_(ids))
    return {
        row["id"]: integration_of(row) for row in (await connection.execute(select(integration).where(mine))).mappings()
    }


async def receivers(
    connection: AsyncConnection, wanted: Collection[tuple[UUID, UUID]]
) -> dict[tuple[UUID, UUID], Integration]:
    """Integrations of many workspaces, each by its workspace and its id: for a worker, which sends for all of them."""
    if not wanted:
        return {}
    asked = tuple_(integration.c.workspace_id, integration.c.id).in_(sorted(wanted))
    rows = (await connection.execute(select(integration).where(asked))).mappings()
    return {(row["workspace_id"], row["id"]): integration_of(row) for row in rows}


async def by_reference(connection: AsyncConnection, workspace_id: UUID, reference: str) -> Integration | None:
    """By its id, in either spelling, or by its name; the id counts first."""
    by_id = integration.c.id == id_in(reference, "Integration")
    statement = (
        select(integration)
        .where(integration.c.workspace_id == workspace_id, or_(by_id, integration.c.name == reference))
        .order_by(by_id.desc().nulls_last())
        .limit(1)
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    return None if row is None else integration_of(row)


async def names(connection: AsyncConnection, workspace_id: UUID, most: int) -> list[str]:
    statement = (
        select(integration.c.name)
        .where(integration.c.workspace_id == workspace_id)
        .order_by(integration.c.name)
        .limit(most)
    )
    return list(await connection.scalars(statement))


async def page(
    connection: AsyncConnection,
    workspace_id: UUID,
    request: PageRequest,
    *,
    workflow_id: UUID | None,
    kind: IntegrationType | None,
) -> Page[Integration]:
    """In the order they were made. Few enough to be counted."""
    conditions = [integration.c.workspace_id == workspace_id]
    if workflow_id is not None:
        conditions.append(integration.c.workflow_id == workflow_id)
    if kind is not None:
        conditions.append(integration.c.type == kind)
    total = await connection.scalar(select(func.count()).select_from(integration).where(*conditions))
    after = after_id(request)
    behind = conditions if after is None else [*conditions, after < _ORDER]
    rows = await connection.execute(select(integration).where(*behind).order_by(_ORDER).limit(request.first + 1))
    found = [integration_of(row) for row in rows.mappings()]
    return Page[Integration].of(found, request.first, lambda row: str(row.id), total)


async def hold_workflow(connection: AsyncConnection, workspace_id: UUID, workflow_id: UUID) -> bool:
    """Whether there is this workflow, which then cannot be deleted until the end of the transaction."""
    statement = (
        select(workflow.c.id)
        .where(workflow.c.workspace_id == workspace_id, workflow.c.id == workflow_id)
        .with_for_update(read=True, key_share=True)
    )
    return (await connection.execute(statement)).one_or_none() is not None
