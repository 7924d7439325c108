"""Reading the audit log."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.audit import AuditEntry
from weft.domain.ids import UUID
from weft.domain.page import Page, PageRequest
from weft.storage.paging import after_id
from weft.storage.tables import audit_entry


@dataclass(frozen=True, slots=True)
class AuditFilter:
    actor: str | None = None
    action: str | None = None
    subject_id: str | None = None
    since: datetime | None = None


async def page_of_entries(
    connection: AsyncConnection, workspace_id: UUID, page: PageRequest, wanted: AuditFilter
) -> Page[AuditEntry]:
    """What happened in the workspace, newest first."""
    statement = select(audit_entry).where(audit_entry.c.workspace_id == workspace_id)
    if (after := after_id(page)) is not None:
        statement = statement.where(audit_entry.c.id < after)
    if wanted.actor is not None:
        statement = statement.where(audit_entry.c.actor == wanted.actor)
    if wanted.action is not None:
        statement = statement.where(audit_entry.c.action == wanted.action)
    if wanted.subject_id is not None:
        statement = statement.where(audit_entry.c.subject_id == wanted.subject_id)
    if wanted.since is not None:
        statement = statement.where(audit_entry.c.at >= wanted.since)
    statement = statement.order_by(audit_entry.c.id.desc()).limit(page.first + 1)
    rows = [AuditEntry(**row) for row in (await connection.execute(statement)).mappings()]
    return Page[AuditEntry].of(rows, page.first, lambda entry: str(entry.id))
