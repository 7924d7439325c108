"""The audit log."""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from weft.domain import audit as domain
from weft.domain.page import Page
from weft.graphql.context import Info
from weft.graphql.nodes import encode_id, key_of, read_optional_id
from weft.graphql.paging import Connection, read_page
from weft.operations import audit
from weft.storage.audit_log import AuditFilter


@strawberry.type(
    description="Who changed what, when, from where. What triggers and schedules started is in the firings."
)
class AuditEntry:
    at: datetime = strawberry.field(description="When it was done.")
    actor: str = strawberry.field(
        description="The name of the API key, or what acted without one, such as the command line."
    )
    action: str = strawberry.field(description="Noun and verb, such as `workflow.updated`.")
    details: JSON = strawberry.field(description="What else there is to say of it, by name.")
    address: str | None = strawberry.field(description="The network address of the caller.")

    @strawberry.field(description="The id of the API key, since names may be shared; null for what acted without one.")
    @staticmethod
    def api_key_id(parent: strawberry.Parent[domain.AuditEntry]) -> strawberry.ID | None:
        return None if parent.key_id is None else encode_id("ApiKey", parent.key_id)

    @strawberry.field(description="The UUID of what was changed: the part behind the type in its `id`.")
    @staticmethod
    def subject(parent: strawberry.Parent[domain.AuditEntry]) -> str:
        return parent.subject_id


@strawberry.input(description="All that are given must hold.")
class AuditFilterInput:
    actor: str | None = strawberry.field(default=None, description="The name of the API key, as entries have it.")
    api_key_id: strawberry.ID | None = strawberry.field(default=None, description="The API key itself.")
    action: str | None = strawberry.field(
        default=None, description="One action, such as `workflow.updated`, or all of a noun: `workflow.*`."
    )
    subject: strawberry.ID | None = strawberry.field(
        default=None, description="The id of what was changed, or its UUID, as entries have it."
    )
    address: str | None = strawberry.field(default=None, description="The network address of the caller.")
    since: datetime | None = strawberry.field(default=None, description="The first moment.")
    until: datetime | None = strawberry.field(default=None, description="The first moment that is too late.")


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
        given = filter or AuditFilterInput()
        wanted = AuditFilter(
            actor=given.actor,
            key_id=read_optional_id(given.api_key_id, "ApiKey", "filter", "apiKeyId"),
            action=given.action,
            subject_id=None if given.subject is None else key_of(given.subject, "filter", "subject"),
            address=given.address,
            since=given.since,
            until=given.until,
        )
        return await audit.list_entries(info.context.services, info.context.viewer, read_page(first, after), wanted)
