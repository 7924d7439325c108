"""Queries about webhook triggers: each is a trigger and its endpoint."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, Select, and_, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID
from weft.domain.page import Page, PageRequest
from weft.domain.run import TriggerType
from weft.domain.webhooks import WebhookScheme, WebhookTrigger
from weft.storage.paging import after_id
from weft.storage.tables import trigger, webhook_endpoint

_OF_TRIGGER = (
    "id", "workspace_id", "workflow_id", "name", "filter", "condition", "input", "parameters", "enabled", "revision",
    "created_by", "created_at", "updated_at",
)  # fmt: skip
_OF_ENDPOINT = (
    "scheme", "sealed", "previous_sealed", "previous_until", "tolerance_seconds", "max_bytes", "rate_per_minute",
)  # fmt: skip
_SELECT: Select[Any] = select(
    *(trigger.c[name] for name in _OF_TRIGGER), *(webhook_endpoint.c[name] for name in _OF_ENDPOINT)
).join(webhook_endpoint, webhook_endpoint.c.trigger_id == trigger.c.id)


def _trigger_of(row: RowMapping) -> WebhookTrigger:
    values: dict[str, Any] = {**row, "scheme": WebhookScheme(row["scheme"])}
    return WebhookTrigger(**values)


def _mine(workspace_id: UUID) -> Any:
    return and_(trigger.c.workspace_id == workspace_id, webhook_endpoint.c.workspace_id == workspace_id)


async def add(connection: AsyncConnection, added: WebhookTrigger) -> None:
    of_trigger = {name: getattr(added, name) for name in _OF_TRIGGER}
    of_endpoint = {name: getattr(added, name) for name in _OF_ENDPOINT}
    await connection.execute(insert(trigger).values(type=TriggerType.WEBHOOK, **of_trigger))
    await connection.execute(
        insert(webhook_endpoint).values(trigger_id=added.id, workspace_id=added.workspace_id, **of_endpoint)
    )


async def lock(connection: AsyncConnection, workspace_id: UUID, trigger_id: UUID) -> WebhookTrigger | None:
    """The trigger, kept as it is until the end of the transaction."""
    statement = _SELECT.where(_mine(workspace_id), trigger.c.id == trigger_id).with_for_update(of=trigger)
    row = (await connection.execute(statement)).mappings().one_or_none()
    return None if row is None else _trigger_of(row)


async def change(connection: AsyncConnection, changed: WebhookTrigger, values: Mapping[str, Any]) -> WebhookTrigger:
    """Set the given columns of either table, and raise the revision. The caller holds its lock."""
    of_trigger = {name: value for name, value in values.items() if name in _OF_TRIGGER}
    of_endpoint = {name: value for name, value in values.items() if name in _OF_ENDPOINT}
    await connection.execute(
        update(trigger)
        .where(trigger.c.workspace_id == changed.workspace_id, trigger.c.id == changed.id)
        .values(**of_trigger, revision=trigger.c.revision + 1, updated_at=func.now())
    )
    if of_endpoint:
        mine = and_(
            webhook_endpoint.c.workspace_id == changed.workspace_id, webhook_endpoint.c.trigger_id == changed.id
        )
        await connection.execute(update(webhook_endpoint).where(mine).values(**of_endpoint))
    return (await by_ids(connection, changed.workspace_id, [changed.id]))[changed.id]


async def remove(connection: AsyncConnection, workspace_id: UUID, trigger_id: UUID) -> None:
    """The endpoint goes with its trigger."""
    await connection.execute(delete(trigger).where(trigger.c.workspace_id == workspace_id, trigger.c.id == trigger_id))


async def by_ids(connection: AsyncConnection, workspace_id: UUID, ids: Sequence[UUID]) -> dict[UUID, WebhookTrigger]:
    rows = await connection.execute(_SELECT.where(_mine(workspace_id), trigger.c.id.in_(ids)))
    return {row["id"]: _trigger_of(row) for row in rows.mappings()}


async def of_link(connection: AsyncConnection, trigger_id: UUID) -> WebhookTrigger | None:
    """The trigger that a call was sent to: its link is good, and the workspace is not known before."""
    row = (await connection.execute(_SELECT.where(trigger.c.id == trigger_id))).mappings().one_or_none()
    return None if row is None else _trigger_of(row)


async def page(
    connection: AsyncConnection, workspace_id: UUID, request: PageRequest, *, workflow_id: UUID | None
) -> Page[WebhookTrigger]:
    """In the order they were made. Few enough to be counted."""
    conditions = [_mine(workspace_id)]
    if workflow_id is not None:
        conditions.append(trigger.c.workflow_id == workflow_id)
    matching = _SELECT.where(*conditions)
    total = await connection.scalar(select(func.count()).select_from(matching.subquery()))
    after = after_id(request)
    behind = matching if after is None else matching.where(trigger.c.id > after)
    rows = await connection.execute(behind.order_by(trigger.c.id).limit(request.first + 1))
    found = [_trigger_of(row) for row in rows.mappings()]
    return Page[WebhookTrigger].of(found, request.first, lambda row: str(row.id), total)


async def of_workflows(
    connection: AsyncConnection, workspace_id: UUID, workflow_ids: Sequence[UUID]
) -> list[WebhookTrigger]:
    """Of each of these workflows, in the order they were made."""
    statement = _SELECT.where(_mine(workspace_id), trigger.c.workflow_id.in_(workflow_ids)).order_by(trigger.c.id)
    return [_trigger_of(row) for row in (await connection.execute(statement)).mappings()]
