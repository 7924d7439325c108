"""Lists of events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.events import Event
from weft.domain.ids import UUID
from weft.domain.page import Page, PageRequest
from weft.storage.paging import after_id
from weft.storage.tables import event

COLUMNS = [column for column in event.c if column.name != "external_key"]


@dataclass(frozen=True, slots=True)
class EventFilter:
    """All that is given holds."""

    name: str | None = None
    created_after: datetime | None = None


async def by_ids(connection: AsyncConnection, workspace_id: UUID, ids: Sequence[UUID]) -> dict[UUID, Event]:
    query = select(*COLUMNS).where(event.c.workspace_id == workspace_id, event.c.id.in_(ids))
    return {row["id"]: event_of(row) for row in (await connection.execute(query)).mappings()}


async def page(
    connection: AsyncConnection, workspace_id: UUID, wanted: EventFilter, request: PageRequest
) -> Page[Event]:
    """Newest first."""
    conditions = _conditions(workspace_id, wanted, request)
    query = select(*COLUMNS).where(*conditions).order_by(event.c.id.desc()).limit(request.first + 1)
    rows = [event_of(row) for row in (await connection.execute(query)).mappings()]
    return Page[Event].of(rows, request.first, lambda one: str(one.id))


def event_of(row: RowMapping) -> Event:
    values: dict[str, Any] = dict(row)
    return Event(**values)


def _conditions(workspace_id: UUID, wanted: EventFilter, request: PageRequest) -> list[ColumnElement[bool]]:
    conditions = [event.c.workspace_id == workspace_id]
    if wanted.name is not None:
        conditions.append(event.c.name == wanted.name)
    if wanted.created_after is not None:
        conditions.append(event.c.created_at > wanted.created_after)
    if (after := after_id(request)) is not None:
        conditions.append(event.c.id < after)
    return conditions
