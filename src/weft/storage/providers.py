"""Queries about model providers. The sealed key is read by one query only, for those who call the provider."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, and_, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.errors import Conflict
from weft.domain.ids import UUID
from weft.domain.page import Page, PageRequest
from weft.domain.providers import ModelProvider, ProviderKind, ProviderLimits
from weft.storage.paging import after_id
from weft.storage.tables import model_provider

_COLUMNS = [
    *(column for column in model_provider.c if column.name != "sealed_key"),
    model_provider.c.sealed_key.is_not(None).label("has_key"),
]


def _provider(row: RowMapping) -> ModelProvider:
    return ModelProvider(
        id=row["id"],
        workspace_id=row["workspace_id"],
        name=row["name"],
        kind=ProviderKind(row["kind"]),
        base_url=row["base_url"],
        has_key=row["has_key"],
        limits=ProviderLimits(row["requests_per_minute"], row["tokens_per_minute"], row["concurrency"]),
        revision=row["revision"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _name_taken(name: str) -> Conflict:
    return Conflict(f"There is a model provider named {name!r} already.", path=("name",), hint="Choose another name.")


async def add_provider(
    connection: AsyncConnection, workspace_id: UUID, provider_id: UUID, values: Mapping[str, Any]
) -> ModelProvider:
    """Store a new provider; the values are by column. Raises Conflict when the name is taken."""
    statement = insert(model_provider).values(id=provider_id, workspace_id=workspace_id, **values).returning(*_COLUMNS)
    try:
        rows = await connection.execute(statement)
    except IntegrityError as error:
        raise _name_taken(str(values["name"])) from error
    return _provider(rows.mappings().one())


async def change_provider(
    connection: AsyncConnection, workspace_id: UUID, provider_id: UUID, values: Mapping[str, Any]
) -> ModelProvider | None:
    """Set the given columns; None when there is no such provider. Raises Conflict when the new name is taken."""
    statement = (
        update(model_provider)
        .where(model_provider.c.workspace_id == workspace_id, model_provider.c.id == provider_id)
        .values(**values, revision=model_provider.c.revision + 1, updated_at=func.now())
        .returning(*_COLUMNS)
    )
    try:
        row = (await connection.execute(statement)).mappings().one_or_none()
    except IntegrityError as error:
        raise _name_taken(str(values.get("name"))) from error
    return None if row is None else _provider(row)


async def delete_provider(connection: AsyncConnection, workspace_id: UUID, provider_id: UUID) -> ModelProvider | None:
    """What was deleted; None when it was not there."""
    statement = (
        delete(model_provider)
        .where(model_provider.c.workspace_id == workspace_id, model_provider.c.id == provider_id)
        .returning(*_COLUMNS)
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    return None if row is None else _provider(row)


async def provider_by_id(connection: AsyncConnection, workspace_id: UUID, provider_id: UUID) -> ModelProvider | None:
    statement = select(*_COLUMNS).where(
        model_provider.c.workspace_id == workspace_id, model_provider.c.id == provider_id
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    return None if row is None else _provider(row)


async def provider_to_call(
    connection: AsyncConnection, workspace_id: UUID, name: str
) -> tuple[ModelProvider, bytes | None] | None:
    """The provider of this name, and its sealed key where it has one."""
    statement = select(*_COLUMNS, model_provider.c.sealed_key).where(
        model_provider.c.workspace_id == workspace_id, model_provider.c.name == name
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    return None if row is None else (_provider(row), row["sealed_key"])


async def provider_names(connection: AsyncConnection, workspace_id: UUID) -> Sequence[str]:
    """The names of all providers of the workspace, sorted."""
    statement = (
        select(model_provider.c.name)
        .where(model_provider.c.workspace_id == workspace_id)
        .order_by(model_provider.c.name)
    )
    return (await connection.scalars(statement)).all()


async def page_of_providers(connection: AsyncConnection, workspace_id: UUID, page: PageRequest) -> Page[ModelProvider]:
    """The providers of the workspace in the order they were made. Few enough to be counted."""
    mine = model_provider.c.workspace_id == workspace_id
    after = after_id(page)
    wanted = mine if after is None else and_(mine, model_provider.c.id > after)
    statement = select(*_COLUMNS).where(wanted).order_by(model_provider.c.id).limit(page.first + 1)
    rows = [_provider(row) for row in (await connection.execute(statement)).mappings()]
    total = await connection.scalar(select(func.count()).select_from(model_provider).where(mine))
    return Page[ModelProvider].of(rows, page.first, lambda provider: str(provider.id), total)
