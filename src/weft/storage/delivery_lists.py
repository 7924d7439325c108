"""Lists of deliveries, and the attempts of each."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, bindparam, column, func, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.delivery import Delivery, DeliveryAttempt, DeliveryKind, DeliveryStatus
from weft.domain.errors import Invalid
from weft.domain.ids import UUID
from weft.domain.page import Page, PageRequest
from weft.storage.deliveries import COLUMNS, delivery_of
from weft.storage.tables import Id, delivery, delivery_attempt


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    integration_id: UUID | None = None
    run_id: UUID | None = None
    statuses: tuple[DeliveryStatus, ...] | None = None
    kind: DeliveryKind | None = None


async def page(
    connection: AsyncConnection, workspace_id: UUID, wanted: DeliveryFilter, request: PageRequest
) -> Page[Delivery]:
    """Newest first."""
    conditions = _conditions(workspace_id, wanted.statuses, wanted.kind, request)
    if wanted.integration_id is not None:
        conditions.append(delivery.c.integration_id == wanted.integration_id)
    if wanted.run_id is not None:
        conditions.append(delivery.c.run_id == wanted.run_id)
    query = select(*COLUMNS).where(*conditions).order_by(delivery.c.number.desc()).limit(request.first + 1)
    rows = [delivery_of(row) for row in (await connection.execute(query)).mappings()]
    return Page[Delivery].of(rows, request.first, _key)


async def pages_of(
    connection: AsyncConnection,
    workspace_id: UUID,
    owner: str,
    ids: Sequence[UUID],
    statuses: tuple[DeliveryStatus, ...] | None,
    kind: DeliveryKind | None,
    request: PageRequest,
) -> dict[UUID, Page[Delivery]]:
    """The deliveries of each of these owners, newest first; `owner` is the column `run_id` or `integration_id`."""
    asked = func.unnest(bindparam("owners", ids, ARRAY(Id))).table_valued(column("id", Id), name="asked")
    asked = asked.render_derived()
    listed = (
        select(*COLUMNS)
        .where(delivery.c[owner] == asked.c.id, *_conditions(workspace_id, statuses, kind, request))
        .order_by(delivery.c.number.desc())
        .limit(request.first + 1)
        .lateral("listed")
    )
    query = select(listed).select_from(asked.join(listed, true())).order_by(listed.c.number.desc())
    found: dict[UUID, list[Delivery]] = {one: [] for one in ids}
    for row in (await connection.execute(query)).mappings():
        found[row[owner]].append(delivery_of(row))
    return {one: Page[Delivery].of(of_one, request.first, _key) for one, of_one in found.items()}


async def attempts(
    connection: AsyncConnection, workspace_id: UUID, delivery_ids: Sequence[UUID]
) -> dict[UUID, list[DeliveryAttempt]]:
    """Of each delivery, first attempt first."""
    query = (
        select(delivery_attempt)
        .join(delivery, delivery.c.id == delivery_attempt.c.delivery_id)
        .where(delivery.c.workspace_id == workspace_id, delivery.c.id.in_(delivery_ids))
        .order_by(delivery_attempt.c.delivery_id, delivery_attempt.c.number)
    )
    found: dict[UUID, list[DeliveryAttempt]] = {one: [] for one in delivery_ids}
    for row in (await connection.execute(query)).mappings():
        found[row["delivery_id"]].append(DeliveryAttempt(**row))
    return found


def _conditions(
    workspace_id: UUID, statuses: tuple[DeliveryStatus, ...] | None, kind: DeliveryKind | None, request: PageRequest
) -> list[ColumnElement[bool]]:
    conditions = [delivery.c.workspace_id == workspace_id]
    if statuses is not None:
        conditions.append(delivery.c.status.in_([status.value for status in statuses]))
    if kind is not None:
        conditions.append(delivery.c.kind == kind.value)
    if (after := _after(request)) is not None:
        conditions.append(delivery.c.number < after)
    return conditions


def _key(one: Delivery) -> str:
    return str(one.number)


def _after(request: PageRequest) -> int | None:
    if request.after is None:
        return None
    if not (request.after.isascii() and request.after.isdigit() and len(request.after) < 19):  # noqa: PLR2004 - digits of a bigint
        raise Invalid("This is not a cursor of this list.", path=("after",))
    return int(request.after)
