"""Firings: every time that a trigger or a schedule fired, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, bindparam, column, func, select, text, true, tuple_, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID, new_id
from weft.domain.page import Page, PageRequest
from weft.domain.run import TriggerType
from weft.domain.trigger import Firing, FiringOutcome
from weft.kit.storable import storable
from weft.storage.paging import after_id
from weft.storage.tables import Id, firing

LONGEST_REASON = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFiring:
    workspace_id: UUID
    workflow_id: UUID
    trigger_type: TriggerType
    trigger_id: UUID
    trigger_name: str
    outcome: FiringOutcome
    event_id: UUID | None = None
    slot_at: datetime | None = None
    run_id: UUID | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class FiringFilter:
    """All that is given holds."""

    workflow_id: UUID | None = None
    trigger_id: UUID | None = None
    outcomes: tuple[FiringOutcome, ...] | None = None
    trigger_type: TriggerType | None = None


ADD = text(
    """
    INSERT INTO firing (id, workspace_id, workflow_id, trigger_type, trigger_id, trigger_name, event_id, slot_at, outcome,
      run_id, reason)
    SELECT * FROM unnest(:ids ::uuid[], :workspace_ids ::uuid[], :workflow_ids ::uuid[], :types ::text[],
      :trigger_ids ::uuid[], :names ::text[], :event_ids ::uuid[], :slots ::timestamptz[], :outcomes ::text[],
      :run_ids ::uuid[], :reasons ::text[])
    ON CONFLICT DO NOTHING
    RETURNING id
    """
)


async def add(connection: AsyncConnection, firings: Sequence[NewFiring]) -> list[bool]:
    """Whether each was added: one for the same workflow and event, or the same schedule and slot, may be there already."""
    if not firings:
        return []
    ids = [new_id() for _ in firings]
    rows = await connection.execute(
        ADD,
        {
            "ids": ids,
            "workspace_ids": [one.workspace_id for one in firings],
            "workflow_ids": [one.workflow_id for one in firings],
            "types": [one.trigger_type.value for one in firings],
            "trigger_ids": [one.trigger_id for one in firings],
            "names": [one.trigger_name for one in firings],
            "event_ids": [one.event_id for one in firings],
            "slots": [one.slot_at for one in firings],
            "outcomes": [one.outcome.value for one in firings],
            "run_ids": [one.run_id for one in firings],
            "reasons": [None if one.reason is None else storable(one.reason)[:LONGEST_REASON] for one in firings],
        },
    )
    added = set(rows.scalars())
    return [one in added for one in ids]


async def give_up_queued(connection: AsyncConnection, workspace_id: UUID, workflow_id: UUID, reason: str) -> None:
    """What waits for a run before it is no longer to be started."""
    mine = (firing.c.workspace_id == workspace_id, firing.c.workflow_id == workflow_id)
    waits = firing.c.outcome == FiringOutcome.QUEUED.value
    skipped = {"outcome": FiringOutcome.SKIPPED.value, "reason": reason}
    await connection.execute(update(firing).where(*mine, waits).values(**skipped))


async def by_ids(connection: AsyncConnection, workspace_id: UUID, ids: Sequence[UUID]) -> dict[UUID, Firing]:
    query = select(firing).where(firing.c.workspace_id == workspace_id, firing.c.id.in_(ids))
    return {row["id"]: firing_of(row) for row in (await connection.execute(query)).mappings()}


async def of_workflows_and_events(
    connection: AsyncConnection, workspace_id: UUID, pairs: Sequence[tuple[UUID, UUID]]
) -> dict[tuple[UUID, UUID], Firing]:
    """By workflow and event, of which there is one at most."""
    query = select(firing).where(
        firing.c.workspace_id == workspace_id, tuple_(firing.c.workflow_id, firing.c.event_id).in_(pairs)
    )
    rows = (await connection.execute(query)).mappings()
    return {(row["workflow_id"], row["event_id"]): firing_of(row) for row in rows}


async def page(
    connection: AsyncConnection, workspace_id: UUID, wanted: FiringFilter, request: PageRequest
) -> Page[Firing]:
    """Newest first."""
    conditions = _conditions(workspace_id, wanted, request)
    query = select(firing).where(*conditions).order_by(firing.c.id.desc()).limit(request.first + 1)
    rows = [firing_of(row) for row in (await connection.execute(query)).mappings()]
    return Page[Firing].of(rows, request.first, _key)


async def pages_of(
    connection: AsyncConnection,
    workspace_id: UUID,
    owner: str,
    ids: Sequence[UUID],
    wanted: FiringFilter,
    request: PageRequest,
) -> dict[UUID, Page[Firing]]:
    """The firings of each of these owners, newest first; `owner` is the column `workflow_id`, `trigger_id` or `event_id`."""
    asked = func.unnest(bindparam("owners", ids, ARRAY(Id))).table_valued(column("id", Id), name="asked")
    asked = asked.render_derived()
    listed = (
        select(firing)
        .where(firing.c[owner] == asked.c.id, *_conditions(workspace_id, wanted, request))
        .order_by(firing.c.id.desc())
        .limit(request.first + 1)
        .lateral("listed")
    )
    query = select(listed).select_from(asked.join(listed, true())).order_by(listed.c.id.desc())
    found: dict[UUID, list[Firing]] = {one: [] for one in ids}
    for row in (await connection.execute(query)).mappings():
        found[row[owner]].append(firing_of(row))
    return {one: Page[Firing].of(of_one, request.first, _key) for one, of_one in found.items()}


def firing_of(row: RowMapping) -> Firing:
    values: dict[str, Any] = dict(row)
    values |= {"trigger_type": TriggerType(row["trigger_type"]), "outcome": FiringOutcome(row["outcome"])}
    return Firing(**values)


def _conditions(workspace_id: UUID, wanted: FiringFilter, request: PageRequest) -> list[ColumnElement[bool]]:
    conditions = [firing.c.workspace_id == workspace_id]
    if wanted.workflow_id is not None:
        conditions.append(firing.c.workflow_id == wanted.workflow_id)
    if wanted.trigger_id is not None:
        conditions.append(firing.c.trigger_id == wanted.trigger_id)
    if wanted.outcomes is not None:
        conditions.append(firing.c.outcome.in_([outcome.value for outcome in wanted.outcomes]))
    if wanted.trigger_type is not None:
        conditions.append(firing.c.trigger_type == wanted.trigger_type.value)
    if (after := after_id(request)) is not None:
        conditions.append(firing.c.id < after)
    return conditions


def _key(one: Firing) -> str:
    return str(one.id)
