"""Queries about imports.

The revision is the fencing token of an upload: each change names the revision it follows, so that an upload which was
overtaken by another one of the same import matches no row and writes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    RowMapping,
    Text,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.entity import JsonSchema
from weft.domain.errors import Invalid
from weft.domain.ids import UUID
from weft.domain.imports import Import, ImportFormat, ImportStatus, OnConflict, RejectedRow
from weft.domain.page import Page, PageRequest
from weft.storage.paging import after_id
from weft.storage.tables import Id, entity_import, entity_type, import_error

SILENT_AFTER = timedelta(seconds=30)
"""An upload gives a sign of life every few seconds. One that is silent for this long died with its process."""

_id = entity_import.c.id
_workspace = entity_import.c.workspace_id
_silent = and_(
    entity_import.c.status == ImportStatus.RUNNING, entity_import.c.updated_at < func.now() - literal(SILENT_AFTER)
)
_status: ColumnElement[str] = case(
    (_silent, literal(ImportStatus.INTERRUPTED.value, Text)), else_=entity_import.c.status
).label("status")
_HIDDEN = {"status", "upload_digest", "upload_expires_at", "created_by", "updated_at"}
_COLUMNS = [*(column for column in entity_import.c if column.name not in _HIDDEN), _status]


@dataclass(frozen=True, slots=True)
class UploadLink:
    """What an upload link opens, and until when."""

    workspace_id: UUID
    digest: bytes
    expires_at: datetime
    created_by: str
    schema: JsonSchema


def import_of(row: RowMapping) -> Import:
    enums: dict[str, Any] = {
        "format": ImportFormat(row["format"]),
        "on_conflict": OnConflict(row["on_conflict"]),
        "status": ImportStatus(row["status"]),
    }
    return Import(**{**row, **enums})


async def add_import(connection: AsyncConnection, values: Mapping[str, Any]) -> Import:
    """Store a new import that waits for its file."""
    statement = insert(entity_import).values(**values, status=ImportStatus.PENDING).returning(*_COLUMNS)
    return import_of((await connection.execute(statement)).mappings().one())


async def import_by_id(connection: AsyncConnection, workspace_id: UUID, import_id: UUID) -> Import | None:
    return (await imports_by_id(connection, workspace_id, [import_id])).get(import_id)


async def imports_by_id(
    connection: AsyncConnection, workspace_id: UUID, import_ids: Sequence[UUID]
) -> dict[UUID, Import]:
    """Those of the imports that are in the workspace."""
    statement = select(*_COLUMNS).where(_workspace == workspace_id, _id.in_(import_ids))
    return {row["id"]: import_of(row) for row in (await connection.execute(statement)).mappings()}


async def page_of_imports(
    connection: AsyncConnection, workspace_id: UUID, entity_type_id: UUID | None, page: PageRequest
) -> Page[Import]:
    """The imports of the workspace, or of one type, newest first."""
    wanted = [_workspace == workspace_id]
    if entity_type_id is not None:
        wanted.append(entity_import.c.entity_type_id == entity_type_id)
    if (after := after_id(page)) is not None:
        wanted.append(after > _id)
    rows = await connection.execute(select(*_COLUMNS).where(*wanted).order_by(_id.desc()).limit(page.first + 1))
    return Page[Import].of([import_of(row) for row in rows.mappings()], page.first, lambda row: str(row.id))


@dataclass(frozen=True, slots=True)
class ErrorsWanted:
    """A page of the rejected rows of one import."""

    import_id: UUID
    page: PageRequest


_ERRORS = text("""
SELECT wanted.number, found.line, found.code, found.message, found.path, found.excerpt
FROM unnest(:import_ids, :after_lines, :firsts) WITH ORDINALITY AS wanted (import_id, after_line, first, number)
JOIN entity_import ON entity_import.id = wanted.import_id AND entity_import.workspace_id = :workspace_id
CROSS JOIN LATERAL (
  SELECT * FROM import_error
  WHERE import_error.import_id = wanted.import_id AND import_error.line > wanted.after_line
  ORDER BY import_error.line LIMIT wanted.first + 1
) AS found
ORDER BY wanted.number, found.line
""").bindparams(
    bindparam("import_ids", type_=ARRAY(Id)),
    bindparam("after_lines", type_=ARRAY(BigInteger)),
    bindparam("firsts", type_=ARRAY(BigInteger)),
    bindparam("workspace_id", type_=Id),
)


async def pages_of_errors(
    connection: AsyncConnection, workspace_id: UUID, wanted: Sequence[ErrorsWanted]
) -> list[Page[RejectedRow]]:
    """The kept rejected rows of several imports, in the order of their files; one page for each that is wanted."""
    parameters = {
        "import_ids": [one.import_id for one in wanted],
        "after_lines": [_line(one.page.after) for one in wanted],
        "firsts": [one.page.first for one in wanted],
        "workspace_id": workspace_id,
    }
    found: list[list[RejectedRow]] = [[] for _ in wanted]
    for row in await connection.execute(_ERRORS, parameters):
        found[row.number - 1].append(RejectedRow(row.line, row.code, row.message, tuple(row.path), row.excerpt))
    return [
        Page[RejectedRow].of(rows, one.page.first, lambda row: str(row.line))
        for one, rows in zip(wanted, found, strict=True)
    ]


def _line(after: str | None) -> int:
    if after is None:
        return 0
    if not (after.isascii() and after.isdecimal() and len(after) < 19):  # noqa: PLR2004 - what a bigint holds for certain
        raise Invalid("This is not a cursor of this list.", path=("after",))
    return int(after)


async def has_running(connection: AsyncConnection, workspace_id: UUID, entity_type_id: UUID) -> bool:
    """Whether a file of entities of the type is coming in."""
    statement = select(_id).where(
        _workspace == workspace_id, entity_import.c.entity_type_id == entity_type_id, _status == ImportStatus.RUNNING
    )
    return (await connection.execute(statement.limit(1))).one_or_none() is not None


async def upload_link(connection: AsyncConnection, import_id: UUID) -> UploadLink | None:
    """What decides whether an upload link is good. Not bound to a workspace: the link is the credential."""
    statement = (
        select(
            _workspace,
            entity_import.c.upload_digest,
            entity_import.c.upload_expires_at,
            entity_import.c.created_by,
            entity_type.c.schema,
        )
        .join(entity_type, entity_type.c.id == entity_import.c.entity_type_id)
        .where(_id == import_id)
    )
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else UploadLink(*row)


async def begin_upload(connection: AsyncConnection, workspace_id: UUID, import_id: UUID) -> Import | None:
    """Take the import for one upload; None when another one has it, or it has ended."""
    free = or_(entity_import.c.status.in_([ImportStatus.PENDING, ImportStatus.INTERRUPTED]), _silent)
    now = func.now()
    return await _change(
        connection,
        and_(_workspace == workspace_id, _id == import_id, free),
        {"status": ImportStatus.RUNNING, "started_at": func.coalesce(entity_import.c.started_at, now), "error": None},
    )


async def count_rows(
    connection: AsyncConnection, before: Import, more: Mapping[str, int], bytes_read: int
) -> Import | None:
    """Add to the counters; `more` has one number per counter."""
    counters = {name: entity_import.c[name] + number for name, number in more.items()}
    read = func.greatest(entity_import.c.bytes_read, bytes_read)
    return await _change(connection, _follows(before), {**counters, "bytes_read": read})


async def show_life(connection: AsyncConnection, before: Import) -> bool:
    """Keep the import although nothing came in; False when it was taken by another upload."""
    statement = update(entity_import).where(_follows(before)).values(updated_at=func.now())
    return (await connection.execute(statement)).rowcount == 1


async def interrupt(connection: AsyncConnection, before: Import) -> Import | None:
    """The upload broke off; it may go on with the same file."""
    return await _change(connection, _follows(before), {"status": ImportStatus.INTERRUPTED})


async def end_upload(connection: AsyncConnection, before: Import, error: str | None) -> Import | None:
    """The file was read to its end, or cannot be used, which `error` explains."""
    done = ImportStatus.COMPLETED_WITH_FAILURES if before.failed else ImportStatus.COMPLETED
    values = {"status": ImportStatus.FAILED if error else done, "error": error, "finished_at": func.now()}
    return await _change(connection, _follows(before), values)


async def keep_errors(connection: AsyncConnection, import_id: UUID, rows: Sequence[RejectedRow]) -> None:
    values = [
        {
            "import_id": import_id,
            "line": row.line,
            "code": row.code,
            "message": row.message,
            "path": list(row.path),
            "excerpt": row.excerpt,
        }
        for row in rows
    ]
    await connection.execute(insert(import_error), values)


def _follows(before: Import) -> ColumnElement[bool]:
    return and_(_workspace == before.workspace_id, _id == before.id, entity_import.c.revision == before.revision)


async def _change(connection: AsyncConnection, wanted: ColumnElement[bool], values: Mapping[str, Any]) -> Import | None:
    statement = (
        update(entity_import)
        .where(wanted)
        .values(**values, revision=entity_import.c.revision + 1, updated_at=func.now())
        .returning(*_COLUMNS)
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    return None if row is None else import_of(row)
