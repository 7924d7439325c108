"""Schedules: as people make, change and list them. What the scheduler asks is in `schedule_slots`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, bindparam, column, delete, func, insert, select, true, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID
from weft.domain.page import Page, PageRequest
from weft.domain.schedule import CatchUp, Overlap, Schedule
from weft.storage.paging import after_id
from weft.storage.selections import selection_from_json
from weft.storage.tables import Id, schedule


@dataclass(frozen=True, slots=True)
class ScheduleFilter:
    """All that is given holds."""

    workflow_id: UUID | None = None
    enabled: bool | None = None


def schedule_of(row: RowMapping) -> Schedule:
    values: dict[str, Any] = {
        **{one.name: row[one.name] for one in schedule.columns},
        "selection": selection_from_json(row["selection"]),
        "overlap": Overlap(row["overlap"]),
        "catch_up": CatchUp(row["catch_up"]),
        "queue": tuple(row["queue"]),
    }
    return Schedule(**values)


async def add(connection: AsyncConnection, values: Mapping[str, Any]) -> Schedule:
    rows = await connection.execute(insert(schedule).values(**values).returning(*schedule.columns))
    return schedule_of(rows.mappings().one())


async def count_of_workflow(connection: AsyncConnection, workspace_id: UUID, workflow_id: UUID) -> int:
    mine = and_(schedule.c.workspace_id == workspace_id, schedule.c.workflow_id == workflow_id)
    return (await connection.execute(select(func.count()).select_from(schedule).where(mine))).scalar_one()


async def lock(connection: AsyncConnection, workspace_id: UUID, schedule_id: UUID) -> Schedule | None:
    """The schedule, kept as it is until the end of the transaction: no slot of it is looked at meanwhile."""
    row = await connection.execute(select(schedule).where(_is(workspace_id, schedule_id)).with_for_update())
    found = row.mappings().one_or_none()
    return None if found is None else schedule_of(found)


async def change(
    connection: AsyncConnection, workspace_id: UUID, schedule_id: UUID, values: Mapping[str, Any]
) -> Schedule:
    """Write these columns of a schedule that the caller holds, and raise its revision."""
    statement = (
        update(schedule)
        .where(_is(workspace_id, schedule_id))
        .values(**values, revision=schedule.c.revision + 1)
        .returning(*schedule.columns)
    )
    return schedule_of((await connection.execute(statement)).mappings().one())


async def remove(connection: AsyncConnection, workspace_id: UUID, schedule_id: UUID) -> None:
    await connection.execute(delete(schedule).where(_is(workspace_id, schedule_id)))


async def get_many(connection: AsyncConnection, workspace_id: UUID, ids: Sequence[UUID]) -> dict[UUID, Schedule]:
    mine = and_(schedule.c.workspace_id == workspace_id, schedule.c.id.in_(ids))
    return {row["id"]: schedule_of(row) for row in (await connection.execute(select(schedule).where(mine))).mappings()}


async def page(
    connection: AsyncConnection, workspace_id: UUID, wanted: ScheduleFilter, request: PageRequest
) -> Page[Schedule]:
    """Newest first. Few enough to be counted."""
    conditions = [schedule.c.workspace_id == workspace_id]
    if wanted.workflow_id is not None:
        conditions.append(schedule.c.workflow_id == wanted.workflow_id)
    if wanted.enabled is not None:
        conditions.append(schedule.c.enabled.is_(wanted.enabled))
    total = await connection.scalar(select(func.count()).select_from(schedule).where(*conditions))
    if (after := after_id(request)) is not None:
        conditions.append(schedule.c.id < after)
    rows = await connection.execute(
        select(schedule).where(*conditions).order_by(schedule.c.id.desc()).limit(request.first + 1)
    )
    found = [schedule_of(row) for row in rows.mappings()]
    return Page[Schedule].of(found, request.first, lambda one: str(one.id), total)


async def pages_of_workflows(
    connection: AsyncConnection, workspace_id: UUID, workflow_ids: Sequence[UUID], request: PageRequest
) -> dict[UUID, Page[Schedule]]:
    """The schedules of each of these workflows, newest first."""
    asked = func.unnest(bindparam("workflows", workflow_ids, ARRAY(Id))).table_valued(column("id", Id), name="asked")
    asked = asked.render_derived()
    conditions = [schedule.c.workflow_id == asked.c.id, schedule.c.workspace_id == workspace_id]
    if (after := after_id(request)) is not None:
        conditions.append(schedule.c.id < after)
    order = schedule.c.id.desc()
    listed = select(schedule).where(*conditions).order_by(order).limit(request.first + 1).lateral("listed")
    rows = await connection.execute(select(listed).select_from(asked.join(listed, true())).order_by(listed.c.id.desc()))
    found: dict[UUID, list[Schedule]] = {workflow_id: [] for workflow_id in workflow_ids}
    for row in rows.mappings():
        found[row["workflow_id"]].append(schedule_of(row))
    return {
        workflow_id: Page[Schedule].of(of_one, request.first, lambda one: str(one.id))
        for workflow_id, of_one in found.items()
    }


def _is(workspace_id: UUID, schedule_id: UUID) -> ColumnElement[bool]:
    return and_(schedule.c.workspace_id == workspace_id, schedule.c.id == schedule_id)
