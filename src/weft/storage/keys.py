"""Queries about API keys and the workspaces they open."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ARRAY, Row, and_, any_, bindparam, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.access import ApiKey, Role
from weft.domain.ids import UUID, new_id
from weft.domain.page import Page, PageRequest
from weft.storage.paging import after_id
from weft.storage.tables import api_key, workspace
from weft.storage.tables.base import Id

_COLUMNS = [column for column in api_key.columns if column.name != "digest"]


def _api_key(row: Row[tuple[object, ...]]) -> ApiKey:
    values = dict(row._mapping)  # noqa: SLF001 - the documented name of a row's mapping
    return ApiKey(**{**values, "role": Role(str(values["role"]))})  # pyright: ignore[reportArgumentType] - columns are the fields


async def add_key(
    connection: AsyncConnection,
    workspace_id: UUID,
    *,
    name: str,
    role: Role,
    prefix: str,
    digest: bytes,
    expires_at: datetime | None,
    rate_limit: int | None,
) -> ApiKey:
    """Store a new key."""
    statement = (
        insert(api_key)
        .values(
            id=new_id(),
            workspace_id=workspace_id,
            name=name,
            role=role,
            prefix=prefix,
            digest=digest,
            expires_at=expires_at,
            rate_limit=rate_limit,
        )
        .returning(*_COLUMNS)
    )
    return _api_key((await connection.execute(statement)).one())


async def key_by_digest(connection: AsyncConnection, digest: bytes) -> ApiKey | None:
    """The key that a caller showed, in whatever workspace it opens: the one question asked before a workspace is known."""
    row = (await connection.execute(select(*_COLUMNS).where(api_key.c.digest == digest))).one_or_none()
    return None if row is None else _api_key(row)


async def key_by_id(connection: AsyncConnection, workspace_id: UUID, key_id: UUID) -> ApiKey | None:
    """One key of the workspace."""
    statement = select(*_COLUMNS).where(api_key.c.workspace_id == workspace_id, api_key.c.id == key_id)
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else _api_key(row)


async def page_of_keys(connection: AsyncConnection, workspace_id: UUID, page: PageRequest) -> Page[ApiKey]:
    """The keys of the workspace, newest first, revoked and expired ones included. Few enough to be counted."""
    mine = api_key.c.workspace_id == workspace_id
    after = after_id(page)
    wanted = mine if after is None else and_(mine, api_key.c.id < after)
    statement = select(*_COLUMNS).where(wanted).order_by(api_key.c.id.desc()).limit(page.first + 1)
    rows = [_api_key(row) for row in await connection.execute(statement)]
    total = await connection.scalar(select(func.count()).select_from(api_key).where(mine))
    return Page[ApiKey].of(rows, page.first, lambda key: str(key.id), total)


async def change_key(
    connection: AsyncConnection, workspace_id: UUID, key_id: UUID, values: Mapping[str, Any]
) -> ApiKey | None:
    """Change a key that is not revoked; None when there is no such."""
    statement = (
        update(api_key)
        .where(api_key.c.workspace_id == workspace_id, api_key.c.id == key_id, api_key.c.revoked_at.is_(None))
        .values(**values)
        .returning(*_COLUMNS)
    )
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else _api_key(row)


async def ending_keys(
    connection: AsyncConnection, watched: Mapping[UUID, UUID], before: datetime
) -> Mapping[UUID, ApiKey]:
    """Of the watched keys (the workspace of each by its id), those that are revoked, and those that expire by then."""
    ends = or_(api_key.c.revoked_at.is_not(None), api_key.c.expires_at <= before)
    statement = select(*_COLUMNS).where(
        api_key.c.workspace_id == any_(bindparam("workspaces", list(set(watched.values())), ARRAY(Id))),
        api_key.c.id == any_(bindparam("ids", list(watched), ARRAY(Id))),
        ends,
    )
    found = [_api_key(row) for row in await connection.execute(statement)]
    return {key.id: key for key in found if key.workspace_id == watched[key.id]}


async def revoke_key(connection: AsyncConnection, workspace_id: UUID, key_id: UUID, now: datetime) -> ApiKey | None:
    """Revoke a key for good; None when it is not there or revoked already."""
    statement = (
        update(api_key)
        .where(api_key.c.workspace_id == workspace_id, api_key.c.id == key_id, api_key.c.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(*_COLUMNS)
    )
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else _api_key(row)


async def note_use(connection: AsyncConnection, key_id: UUID, now: datetime, every: timedelta) -> None:
    """Remember that a key was used, unless that was noted less than `every` ago, so that use costs no writes."""
    stale = or_(api_key.c.last_used_at.is_(None), api_key.c.last_used_at < now - every)
    await connection.execute(update(api_key).where(api_key.c.id == key_id, stale).values(last_used_at=now))


async def ensure_workspace(connection: AsyncConnection, name: str) -> UUID:
    """The id of the workspace with this name, made when it is not there."""
    made = insert_or(workspace).values(id=new_id(), name=name).on_conflict_do_nothing(index_elements=["name"])
    await connection.execute(made)
    return (await connection.execute(select(workspace.c.id).where(workspace.c.name == name))).scalar_one()


async def workspace_by_name(connection: AsyncConnection, name: str) -> UUID | None:
    """The id of the workspace with this name."""
    return (await connection.execute(select(workspace.c.id).where(workspace.c.name == name))).scalar_one_or_none()


async def workspace_name(connection: AsyncConnection, workspace_id: UUID) -> str:
    """What the workspace is called."""
    return (await connection.execute(select(workspace.c.name).where(workspace.c.id == workspace_id))).scalar_one()
