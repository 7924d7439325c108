"""The audit log."""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from weft.domain import audit as domain
from weft.domain.page import Page
from weft.graphql.context import Info
from weft.graphql.nodes import decode_id
from weft.graphql.paging import Connection, read_page
from weft.operations import audit


@strawberry.type(description="Who changed what, when, from where.")
class AuditEntry:
    at: datetime
    actor: str = strawberry.field(description="The name of the API key, or what acted by itself.")
    action: str = strawberry.field(description="Noun and verb, such as `workflow.updated`.")
    details: JSON
    address: str | None = strawberry.field(description="The network address of the caller.")

    @strawberry.field(description="The UUID of what was changed: the part behind the type in its `id`.")
    @staticmethod
    def subject(parent: strawberry.Parent[domain.AuditEntry]) -> str:
        return parent.subject_id


@strawberry.input(description="All that are given must hold.")
class AuditFilterInput:
    actor: str | None = None
    action: str | None = None
    subject: strawberry.ID | None = strawberry.field(default=None, description="The id of what was changed.")
    since: datetime | None = None


@strawberry.type
class AuditQuery:
    @strawberry.field(graphql_type=Connection[AuditEntry], description="What was changed, newest first. For admins.")
    async def audit_log(
        self,
        info: Info,
        first: int = 20,
        after: str | None = None,
        filter: AuditFilterInput | None = None,
    ) -> Page[domain.AuditEntry]:
        wanted = filter or AuditFilterInput()
        return await audit.list_entries(
            info.context.services,
            info.context.viewer,
            read_page(first, after),
            actor=wanted.actor,
            action=wanted.action,
            subject_id=None if wanted.subject is None else decode_id(wanted.subject, "filter", "subject")[1],
            since=wanted.since,
        )
