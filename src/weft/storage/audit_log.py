"""Reading the audit log."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.audit import AuditEntry
from weft.domain.ids import UUID, first_id_at
from weft.domain.page import Page, PageRequest
from weft.storage.paging import after_id
from weft.storage.tables import audit_entry

CLOCKS_APART = timedelta(minutes=10)
"""An entry's id has the time of the process that wrote it, `at` that of the database: how far they may differ."""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    actor: str | None = None
    key_id: UUID | None = None
    action: str | None = None
    noun: str | None = None
    """All actions of it: `workflow` for `workflow.created`, `workflow.updated` and so on."""
    subject_id: str | None = None
    address: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def page_of_entries(
    connection: AsyncConnection, workspace_id: UUID, page: PageRequest, wanted: AuditFilter
) -> Page[AuditEntry]:
    """What happened in the workspace, newest first."""
    statement = entries(workspace_id, wanted)
    if (after := after_id(page)) is not None:
        statement = statement.where(audit_entry.c.id < after)
    rows = [AuditEntry(**row) for row in (await connection.execute(statement.limit(page.first + 1))).mappings()]
    return Page[AuditEntry].of(rows, page.first, lambda entry: str(entry.id))


def entries(workspace_id: UUID, wanted: AuditFilter) -> Select[Any]:
    """All that the filter lets through, newest first."""
    return (
        select(audit_entry)
        .where(audit_entry.c.workspace_id == workspace_id, *_conditions(wanted))
        .order_by(audit_entry.c.id.desc())
    )


def _conditions(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    entry = audit_entry.c
    conditions = [
        column == value
        for column, value in (
            (entry.actor, wanted.actor),
            (entry.key_id, wanted.key_id),
            (entry.action, wanted.action),
            (entry.subject_id, wanted.subject_id),
            (entry.address, wanted.address),
        )
        if value is not None
    ]
    if wanted.noun is not None:
        # As LIKE would ask the index, but known to the planner whatever the parameters are.
        conditions += [entry.action.op("~>=~")(f"{wanted.noun}."), entry.action.op("~<~")(f"{wanted.noun}/")]
    # The list is in the order of ids, which hold a time: so a span of time is a span of every index.
    if wanted.since is not None:
        conditions += [entry.at >= wanted.since, entry.id >= first_id_at(wanted.since, -CLOCKS_APART)]
    if wanted.until is not None:
        conditions += [entry.at < wanted.until, entry.id < first_id_at(wanted.until, CLOCKS_APART)]
    return conditions
