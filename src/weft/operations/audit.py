"""The audit log, for admins to read. It is written by the operations it tells of."""

import re
from dataclasses import replace

from weft.domain.access import Role, Viewer
from weft.domain.audit import AuditEntry
from weft.domain.errors import Invalid
from weft.domain.page import Page, PageRequest
from weft.operations.services import Services
from weft.storage import audit_log
from weft.storage.audit_log import AuditFilter

_ALL_OF_A_NOUN = re.compile(r"([A-Za-z]+)\.\*")


async def list_entries(services: Services, viewer: Viewer, page: PageRequest, wanted: AuditFilter) -> Page[AuditEntry]:
    """`wanted.action` may be all of a noun: `workflow.*`."""
    viewer.need(Role.ADMIN)
    async with services.database.reading() as connection:
        return await audit_log.page_of_entries(connection, viewer.workspace_id, page, _spelled_out(wanted))


def _spelled_out(wanted: AuditFilter) -> AuditFilter:
    if wanted.action is None or "*" not in wanted.action:
        return wanted
    if (noun := _ALL_OF_A_NOUN.fullmatch(wanted.action)) is None:
        raise Invalid(
            f"{wanted.action!r} is no action.",
            path=("filter", "action"),
            hint="Name one, such as workflow.updated, or all of a noun: workflow.*",
        )
    return replace(wanted, action=None, noun=noun[1])
