"""Imports: made here, then fed by whoever has the upload link; watched in `import_watching`.

An upload is one PUT of the whole file. Each batch of rows is stored in one transaction with the import's counters and its
rejected rows, so that at every moment `rowsRead = created + updated + skipped + failed`, and those are in the
database. When the connection breaks, what came is kept; sending the same file to the same link again goes on behind it.
"""

import hmac
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

import orjson

from weft.domain.access import Role, Viewer
from weft.domain.errors import Conflict, Invalid, NotFound
from weft.domain.ids import UUID, new_id
from weft.domain.imports import Import, ImportFormat, ImportStatus, OnConflict, RejectedRow
from weft.domain.page import Page, PageRequest
from weft.kit.storable import is_storable_text
from weft.operations.entity_types import made_of_uploads, no_such_type
from weft.operations.import_rows import ImportRows
from weft.operations.import_upload import Upload
from weft.operations.services import Services
from weft.storage import audit, entity_types, idempotency, imports
from weft.storage.imports import ErrorsWanted

LINK_LIFE = timedelta(hours=24)
LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class NewImport:
    entity_type_id: UUID
    format: ImportFormat
    on_conflict: OnConflict = OnConflict.UPDATE
    external_id_field: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class CreatedImport:
    made: Import
    upload_url: str
    """Whoever has it may send the file, without an API key, until the link expires."""


async def create_import(services: Services, viewer: Viewer, wanted: NewImport) -> CreatedImport:
    viewer.need(Role.EDITOR)
    _check(wanted)
    import_id = new_id()
    async with services.database.transaction() as connection:
        entity_type = await entity_types.hold_type(connection, viewer.workspace_id, wanted.entity_type_id)
        if entity_type is None:
            raise no_such_type("entityTypeId")
        if entity_type.built_in:
            raise made_of_uploads("entityTypeId")
        if (key := wanted.idempotency_key) is not None:
            digest = _digest_of(wanted)
            before = await idempotency.claim(connection, viewer.workspace_id, "createImport", key, digest, import_id)
            if before is not None and (known := await imports.import_by_id(connection, viewer.workspace_id, before)):
                return CreatedImport(known, _upload_url(services, before))
        made = await imports.add_import(
            connection,
            {
                "id": import_id,
                "workspace_id": viewer.workspace_id,
                "entity_type_id": wanted.entity_type_id,
                "format": wanted.format,
                "on_conflict": wanted.on_conflict,
                "external_id_field": wanted.external_id_field,
                "upload_digest": sha256(_token(services, import_id).encode()).digest(),
                "upload_expires_at": services.clock() + LINK_LIFE,
                "created_by": viewer.key_name,
            },
        )
        await audit.record(connection, viewer, "import.created", import_id, {"entityType": str(wanted.entity_type_id)})
    return CreatedImport(made, _upload_url(services, import_id))


async def receive_file(
    services: Services, import_id: UUID, token: str, stream: AsyncIterator[bytes], size: int | None = None
) -> Import:
    """Take the file that an upload link is for; `size` in bytes where the sender says it. Answers how the import ended.

    Raises NotFound for a link that is not good, Conflict when another upload is under way or the import has ended, and
    whatever the stream raises, after which the import is INTERRUPTED.
    """
    async with services.database.transaction() as connection:
        link = await imports.upload_link(connection, import_id)
        if link is None or not hmac.compare_digest(link.digest, sha256(token.encode()).digest()):
            raise NotFound("This upload link is not valid.", hint="Copy the whole `uploadUrl` that createImport gave.")
        if link.expires_at <= services.clock():
            raise NotFound("This upload link has expired.", hint="Create the import again, and use its new link.")
        begun = await imports.begin_upload(connection, link.workspace_id, import_id)
        if begun is None:
            raise _taken(await imports.import_by_id(connection, link.workspace_id, import_id))
    rows = ImportRows(
        begun,
        link.schema,
        longest_row=services.limits.entity_bytes,
        errors_kept=services.limits.import_errors_kept,
    )
    return await Upload(services, begun, rows).receive(stream, size)


async def find_import(services: Services, viewer: Viewer, import_id: UUID) -> Import | None:
    return (await load_imports(services, viewer, [import_id]))[0]


async def load_imports(services: Services, viewer: Viewer, ids: Sequence[UUID]) -> list[Import | None]:
    """In the order of the ids."""
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        found = await imports.imports_by_id(connection, viewer.workspace_id, ids)
    return [found.get(import_id) for import_id in ids]


async def list_imports(
    services: Services, viewer: Viewer, page: PageRequest, *, entity_type_id: UUID | None = None
) -> Page[Import]:
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        return await imports.page_of_imports(connection, viewer.workspace_id, entity_type_id, page)


async def load_errors(services: Services, viewer: Viewer, wanted: Sequence[ErrorsWanted]) -> list[Page[RejectedRow]]:
    """Rejected rows of imports in the order of their files; of many only the first are kept, while `failed` counts all."""
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        return await imports.pages_of_errors(connection, viewer.workspace_id, wanted)


def _check(wanted: NewImport) -> None:
    for name, text in (("externalIdField", wanted.external_id_field), ("idempotencyKey", wanted.idempotency_key)):
        if text is not None and not (0 < len(text) <= LONGEST_KEY and is_storable_text(text)):
            raise Invalid(f"This must be a text of 1 to {LONGEST_KEY} characters.", path=(name,))


def _taken(current: Import | None) -> Conflict:
    if current is None or current.status is ImportStatus.RUNNING:
        return Conflict(
            "Another upload of this import is under way.",
            hint="Wait until it has ended, or has been silent for 30 seconds.",
        )
    return Conflict(f"This import has ended: it is {current.status}.", hint="Create another import for another file.")


def _token(services: Services, import_id: UUID) -> str:
    """Made from the id and the secret, so that repeating createImport with its idempotency key gives the same link."""
    return hmac.new(services.secret_key, b"import upload " + import_id.bytes, sha256).hexdigest()


def _upload_url(services: Services, import_id: UUID) -> str:
    return f"{services.public_url}/files/imports/{import_id}/{_token(services, import_id)}"


def _digest_of(wanted: NewImport) -> bytes:
    return sha256(orjson.dumps(wanted)).digest()
