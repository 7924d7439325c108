"""The audit log, for admins to read. It is written by the operations it tells of."""

from datetime import datetime

from weft.domain.access import Role, Viewer
from weft.domain.audit import AuditEntry
from weft.domain.page import Page, PageRequest
from weft.operations.services import Services
from weft.storage import audit_log
from weft.storage.audit_log import AuditFilter


async def list_entries(
    services: Services,
    viewer: Viewer,
    page: PageRequest,
    *,
    actor: str | None = None,
    action: str | None = None,
    subject_id: str | None = None,
    since: datetime | None = None,
) -> Page[AuditEntry]:
    viewer.need(Role.ADMIN)
    wanted = AuditFilter(actor, action, subject_id, since)
    async with services.database.reading() as connection:
        return await audit_log.page_of_entries(connection, viewer.workspace_id, page, wanted)
