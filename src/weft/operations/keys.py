"""API keys: made, listed and revoked by admins of a workspace."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.auth.keys import digest, new_key
from weft.domain.access import ApiKey, Role, Viewer
from weft.domain.errors import Conflict, Invalid, NotFound
from weft.domain.ids import UUID
from weft.domain.page import Page, PageRequest
from weft.kit.storable import is_storable_text
from weft.operations.services import Services
from weft.storage import audit, keys
from weft.storage.database import Database

MAX_NAME = 200
HIGHEST_RATE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class CreatedKey:
    api_key: ApiKey
    text: str
    """The key itself. Nobody can ever read it again."""


async def create_api_key(
    services: Services,
    viewer: Viewer,
    *,
    name: str,
    role: Role,
    expires_at: datetime | None = None,
    rate_limit: int | None = None,
) -> CreatedKey:
    """`rate_limit`: operations a minute; None for as many as the server allows any key."""
    viewer.need(Role.ADMIN)
    given = {"name": name, "expires_at": expires_at, "rate_limit": rate_limit}
    name = _checked(services, given)["name"]
    made = new_key(services.secret_key)
    async with services.database.transaction() as connection:
        api_key = await keys.add_key(
            connection,
            viewer.workspace_id,
            name=name,
            role=role,
            prefix=made.prefix,
            digest=made.digest,
            expires_at=expires_at,
            rate_limit=rate_limit,
        )
        await audit.record(connection, viewer, "apiKey.created", api_key.id, {"name": name, "role": role})
    return CreatedKey(api_key, made.text)


async def update_api_key(services: Services, viewer: Viewer, key_id: UUID, given: Mapping[str, Any]) -> ApiKey:
    """`given`: what changes, of name, expires_at and rate_limit; the last two may be None. A role never changes."""
    viewer.need(Role.ADMIN)
    if not given:
        raise Invalid("Nothing is given that is to change.", hint="Give a name, expiresAt or rateLimitPerMinute.")
    values = _checked(services, given)
    async with services.database.transaction() as connection:
        changed = await keys.change_key(connection, viewer.workspace_id, key_id, values)
        if changed is None:
            raise await _why_not(connection, viewer, key_id)
        await audit.record(connection, viewer, "apiKey.updated", key_id, {"fields": sorted(values)})
    return changed


async def revoke_api_key(services: Services, viewer: Viewer, key_id: UUID) -> ApiKey:
    viewer.need(Role.ADMIN)
    if key_id == viewer.key_id:
        raise Conflict("This is the key of this very request.", path=("id",), hint="Revoke it with another admin key.")
    async with services.database.transaction() as connection:
        revoked = await keys.revoke_key(connection, viewer.workspace_id, key_id, services.clock())
        if revoked is None:
            raise await _why_not(connection, viewer, key_id)
        await audit.record(connection, viewer, "apiKey.revoked", key_id, {"name": revoked.name})
    return revoked


async def _why_not(connection: AsyncConnection, viewer: Viewer, key_id: UUID) -> NotFound | Conflict:
    if await keys.key_by_id(connection, viewer.workspace_id, key_id) is None:
        return NotFound("There is no such API key in this workspace.", path=("id",))
    return Conflict("This API key is revoked already.", path=("id",))


async def find_key(services: Services, viewer: Viewer, key_id: UUID) -> ApiKey | None:
    """Admins see every key of the workspace, others their own."""
    if key_id != viewer.key_id:
        viewer.need(Role.ADMIN)
    async with services.database.reading() as connection:
        return await keys.key_by_id(connection, viewer.workspace_id, key_id)


async def list_keys(services: Services, viewer: Viewer, page: PageRequest) -> Page[ApiKey]:
    viewer.need(Role.ADMIN)
    async with services.database.reading() as connection:
        return await keys.page_of_keys(connection, viewer.workspace_id, page)


async def workspace_name(services: Services, viewer: Viewer) -> str:
    async with services.database.reading() as connection:
        return await keys.workspace_name(connection, viewer.workspace_id)


async def create_first_key(
    database: Database, secret_key: bytes, *, workspace: str, name: str, role: Role, actor: str
) -> CreatedKey:
    """A key for whoever runs the server, in a workspace that is made when it is not there. Not reachable by the API."""
    made = new_key(secret_key)
    async with database.transaction() as connection:
        workspace_id = await keys.ensure_workspace(connection, workspace)
        api_key = await keys.add_key(
            connection,
            workspace_id,
            name=_checked_name(name),
            role=role,
            prefix=made.prefix,
            digest=made.digest,
            expires_at=None,
            rate_limit=None,
        )
        details = {"name": name, "role": role}
        await audit.record_without_key(connection, workspace_id, actor, "apiKey.created", api_key.id, details)
    return CreatedKey(api_key, made.text)


async def first_key(
    database: Database, secret_key: bytes, *, workspace: str, name: str, role: Role, known: str | None = None
) -> str:
    """The known key where it still opens the workspace, otherwise a new one."""
    if known is not None and await _opens(database, secret_key, known):
        return known
    made = await create_first_key(
        database, secret_key, workspace=workspace, name=name, role=role, actor="the command line"
    )
    return made.text


async def _opens(database: Database, secret_key: bytes, key: str) -> bool:
    async with database.reading() as connection:
        found = await keys.key_by_digest(connection, digest(key, secret_key))
    return found is not None and found.revoked_at is None


def _checked(services: Services, given: Mapping[str, Any]) -> dict[str, Any]:
    values = dict(given)
    if "name" in given:
        values["name"] = _checked_name(given["name"])
    expires_at, rate_limit = given.get("expires_at"), given.get("rate_limit")
    if expires_at is not None and expires_at <= services.clock():
        raise Invalid("The key would have expired already.", path=("expiresAt",), hint="Give a time in the future.")
    if rate_limit is not None and not 1 <= rate_limit <= HIGHEST_RATE:
        raise Invalid(
            f"{rate_limit} operations a minute are given; it has to be between 1 and {HIGHEST_RATE:,}.",
            path=("rateLimitPerMinute",),
            hint="Leave it out for as many as the server allows any key.",
        )
    return values


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name:
        raise Invalid("A key needs a name, to tell it from others.", path=("name",))
    if not is_storable_text(name):
        raise Invalid("The name contains a character that is no text.", path=("name",))
    if len(name) > MAX_NAME:
        raise Invalid(f"The name has {len(name)} characters; at most {MAX_NAME} are allowed.", path=("name",))
    return name
