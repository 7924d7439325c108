"""API keys, and who the viewer is."""

from datetime import datetime

import strawberry

from weft.domain import access
from weft.domain.access import Role
from weft.domain.page import Page
from weft.graphql.context import Info
from weft.graphql.mutations import Answer, UserError, mutation
from weft.graphql.nodes import Node, read_id, read_key
from weft.graphql.paging import Connection, read_page
from weft.operations import keys


@strawberry.type(description="Opens one workspace with one role. The key itself is shown once, when it is made.")
class ApiKey(Node):
    name: str = strawberry.field(
        description="1 to 200 characters, for people; stands in the audit log and in `createdBy`."
    )
    role: Role = strawberry.field(description="What it may do. It never changes.")
    prefix: str = strawberry.field(description="The first characters of the key, to recognise it by.")
    created_at: datetime
    expires_at: datetime | None = strawberry.field(description="From then on it opens nothing; null for never.")
    revoked_at: datetime | None = strawberry.field(
        description="When it was revoked, and opens nothing since; null where it was not."
    )
    last_used_at: datetime | None = strawberry.field(description="Exact to a minute.")

    @strawberry.field(description="Operations a minute; null for as many as the server allows any key.")
    @staticmethod
    def rate_limit_per_minute(parent: strawberry.Parent[access.ApiKey]) -> int | None:
        return parent.rate_limit

    @classmethod
    async def find(cls, info: Info, key: str) -> access.ApiKey | None:
        return await keys.find_key(info.context.services, info.context.viewer, read_key(key))


@strawberry.type(description="Who asks: an API key and what it opens.")
class Viewer:
    role: Role = strawberry.field(description="What the key may do in its workspace.")

    @strawberry.field(description="The name of the workspace that this key opens.")
    @staticmethod
    async def workspace(parent: strawberry.Parent[access.Viewer], info: Info) -> str:
        return await keys.workspace_name(info.context.services, parent)

    @strawberry.field(graphql_type=ApiKey, description="The key that the request came with.")
    @staticmethod
    async def api_key(parent: strawberry.Parent[access.Viewer], info: Info) -> access.ApiKey | None:
        return await keys.find_key(info.context.services, parent, parent.key_id)


@strawberry.type
class KeyQuery:
    @strawberry.field(graphql_type=Viewer, description="Who the given API key is.")
    def viewer(self, info: Info) -> access.Viewer:
        return info.context.viewer

    @strawberry.field(graphql_type=Connection[ApiKey], description="Keys of the workspace, newest first. For admins.")
    async def api_keys(self, info: Info, first: int = 20, after: str | None = None) -> Page[access.ApiKey]:
        return await keys.list_keys(info.context.services, info.context.viewer, read_page(first, after))


@strawberry.input
class CreateApiKeyInput:
    name: str
    role: Role
    expires_at: datetime | None = strawberry.field(default=None, description="Left out, the key never expires.")
    rate_limit_per_minute: int | None = strawberry.field(
        default=None,
        description="Operations a minute, over HTTP and websockets together. Never more than the server allows any key; "
        "left out, as many as that. A tenth of them, and ten at least, may come at once.",
    )


@strawberry.type
class CreateApiKeyPayload:
    api_key: ApiKey | None
    key: str | None = strawberry.field(description="The key itself, shown only here: keep it.")
    errors: list[UserError]


@strawberry.input(description="What is left out stays as it is.")
class UpdateApiKeyInput:
    id: strawberry.ID
    name: str | None = strawberry.UNSET
    expires_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Null for never. One that has expired opens again."
    )
    rate_limit_per_minute: int | None = strawberry.field(
        default=strawberry.UNSET, description="Null for as many as the server allows any key."
    )


@strawberry.type
class UpdateApiKeyPayload:
    api_key: ApiKey | None
    errors: list[UserError]


@strawberry.input
class RevokeApiKeyInput:
    id: strawberry.ID


@strawberry.type
class RevokeApiKeyPayload:
    api_key: ApiKey | None
    errors: list[UserError]


@strawberry.type
class KeyMutation:
    @mutation(CreateApiKeyPayload, description="Make a key. For admins.")
    async def create_api_key(self, info: Info, input: CreateApiKeyInput) -> Answer:
        created = await keys.create_api_key(
            info.context.services,
            info.context.viewer,
            name=input.name,
            role=input.role,
            expires_at=input.expires_at,
            rate_limit=input.rate_limit_per_minute,
        )
        return Answer(api_key=created.api_key, key=created.text)

    @mutation(
        UpdateApiKeyPayload,
        description="Change the name, the end or the limit of a key. To change the key itself, make another and revoke "
        "this one. For admins.",
    )
    async def update_api_key(self, info: Info, input: UpdateApiKeyInput) -> Answer:
        name = "" if input.name is None else input.name
        given = {"name": name, "expires_at": input.expires_at, "rate_limit": input.rate_limit_per_minute}
        given = {name: value for name, value in given.items() if value is not strawberry.UNSET}
        key_id = read_id(input.id, "ApiKey", "id")
        return Answer(api_key=await keys.update_api_key(info.context.services, info.context.viewer, key_id, given))

    @mutation(
        RevokeApiKeyPayload,
        description="Revoke a key: within a second or two it opens nothing, and what it watches ends. For admins.",
    )
    async def revoke_api_key(self, info: Info, input: RevokeApiKeyInput) -> Answer:
        revoked = await keys.revoke_api_key(
            info.context.services, info.context.viewer, read_id(input.id, "ApiKey", "id")
        )
        return Answer(api_key=revoked)
