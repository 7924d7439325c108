"""Documents: entities with a file, made of an upload."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, cast

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.access import Role, Viewer
from weft.domain.entity import Entity, EntityType
from weft.domain.errors import Conflict, Invalid, NotFound, Problem
from weft.domain.events import LARGEST_PART_BYTES, PlatformEvent
from weft.domain.files import Document, DocumentFile, StoredFile, Upload
from weft.domain.ids import UUID, new_id
from weft.domain.imports import OnConflict
from weft.integrations.store_errors import StoreUnavailable
from weft.kit.json import in_words
from weft.kit.mime import with_name
from weft.operations.entity_types import built_in_documents, no_such_type
from weft.operations.file_fields import check_free_fields, file_fields
from weft.operations.file_intake import take_in
from weft.operations.file_names import check_idempotency_key, file_name_of
from weft.operations.records import RecordCheck, RefusedRecord, external_id_of
from weft.operations.services import Services
from weft.operations.uploads import load_uploads, used_already
from weft.storage import audit, entities, entity_types, events, files, idempotency, uploads
from weft.storage.entity_writes import EntityRows, write_entities


@dataclass(frozen=True, slots=True)
class NewDocument:
    upload_id: UUID
    name: str | None = None
    """That of the upload, where it is left out."""
    entity_type_id: UUID | None = None
    """A type of the caller's own; the built-in one where it is left out."""
    fields: Any = None
    external_id: str | None = None
    once_per_content: bool = False
    """Where the workspace has a document with the same content, that one is the answer."""
    idempotency_key: str | None = None


async def create_document(services: Services, viewer: Viewer, given: NewDocument) -> Document:
    viewer.need(Role.EDITOR)
    wanted = _checked(given)
    upload_name = (await _received(services, viewer, wanted.upload_id)).name
    async with services.database.transaction() as connection:
        entity_id = new_id()
        if (key := wanted.idempotency_key) is not None:
            digest = sha256(orjson.dumps(wanted, default=str)).digest()
            before = await idempotency.claim(connection, viewer.workspace_id, "createDocument", key, digest, entity_id)
            if before is not None:
                return await _made_before(connection, viewer, wanted.upload_id, before)
        named = replace(wanted, name=wanted.name or upload_name)
        made, waits = await _create(services, connection, viewer, named, entity_id)
    if waits:
        await services.wakeups.wake()
    return made


async def load_files(services: Services, viewer: Viewer, ids: Sequence[UUID]) -> list[DocumentFile | None]:
    """The files of entities, in the order of their ids; None for an entity that is no document."""
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        found = await files.files_of(connection, viewer.workspace_id, ids)
    return [found.get(entity_id) for entity_id in ids]


async def _received(services: Services, viewer: Viewer, upload_id: UUID) -> Upload:
    """The upload, with its file in the store."""
    (upload,) = await load_uploads(services, viewer, [upload_id])
    if upload is not None and upload.received_at is None:
        try:
            await take_in(services, upload)
        except StoreUnavailable as error:
            raise Conflict(str(error), path=("uploadId",), hint="Try again soon.") from error
        # Whoever asks for the same at the same time may have taken it in.
        (upload,) = await load_uploads(services, viewer, [upload_id])
    if upload is None:
        raise NotFound("There is no such upload in this workspace.", path=("uploadId",))
    if upload.received_at is None:
        raise Conflict(
            "The file of this upload has not arrived.", path=("uploadId",), hint="PUT it to the `uploadUrl` first."
        )
    return upload


async def _made_before(connection: AsyncConnection, viewer: Viewer, upload_id: UUID, subject_id: UUID) -> Document:
    """What the same request was answered before."""
    upload = (await uploads.uploads_by_id(connection, viewer.workspace_id, [upload_id])).get(upload_id)
    document_id = (upload and upload.document_id) or subject_id
    found = await entities.entities_by_id(connection, viewer.workspace_id, [document_id])
    if document_id not in found:
        raise Conflict("The document that this request made was deleted.", path=("idempotencyKey",))
    return Document(found[document_id], created=document_id == subject_id)


async def _create(
    services: Services, connection: AsyncConnection, viewer: Viewer, wanted: NewDocument, entity_id: UUID
) -> tuple[Document, bool]:
    """The document, and whether its event waits for triggers."""
    workspace_id = viewer.workspace_id
    upload = await uploads.lock_upload(connection, workspace_id, wanted.upload_id)
    if upload is None or upload.document_id is not None:
        raise used_already("uploadId")
    content = await files.lock_file(connection, workspace_id, upload.sha256 or "")
    if content is None:
        raise Conflict("The file of this upload is no longer there.", path=("uploadId",), hint="Upload it again.")
    if wanted.once_per_content:
        same = await files.document_with(connection, workspace_id, content.sha256)
        if same is not None:
            await uploads.use_upload(connection, workspace_id, upload.id, same.id)
            return Document(same, created=False), False
    entity_type = await _type_of(connection, workspace_id, wanted)
    made = await _store(services, connection, entity_type, wanted, content, entity_id)
    await uploads.use_upload(connection, workspace_id, upload.id, entity_id)
    payload = _event_of(made, wanted.fields)
    added = await events.add_event(connection, workspace_id, PlatformEvent.DOCUMENT_UPLOADED, payload)
    details = {"upload": str(upload.id), "name": made.data["name"]}
    await audit.record(connection, viewer, "document.created", entity_id, details)
    return Document(made, created=True), added.waits


def _event_of(made: Entity, fields: dict[str, Any]) -> dict[str, Any]:
    payload = {"entityId": str(made.id), "entityTypeId": str(made.entity_type_id), "externalId": made.external_id}
    payload |= {name: made.data[name] for name in ("name", "mimeType", "size", "sha256")}
    return payload if len(orjson.dumps(fields)) > LARGEST_PART_BYTES else payload | {"fields": fields}


async def _type_of(connection: AsyncConnection, workspace_id: UUID, wanted: NewDocument) -> EntityType:
    if wanted.entity_type_id is None:
        return await built_in_documents(connection, workspace_id)
    found = await entity_types.hold_type(connection, workspace_id, wanted.entity_type_id)
    if found is None:
        raise no_such_type("entityTypeId")
    if not found.holds_documents:
        await entity_types.note_documents(connection, workspace_id, found.id)
    return found


async def _store(
    services: Services,
    connection: AsyncConnection,
    entity_type: EntityType,
    wanted: NewDocument,
    content: StoredFile,
    entity_id: UUID,
) -> Entity:
    workspace_id, name = entity_type.workspace_id, wanted.name or ""
    mime_type = with_name(content.mime_type, name)
    file = DocumentFile(workspace_id, entity_id, name, content.sha256, content.size, mime_type)
    try:
        data: dict[str, Any] = {**wanted.fields, "name": name, **file_fields(file)}
        written = RecordCheck(entity_type.schema, services.limits.entity_bytes).to_json(data)
    except RefusedRecord as refused:
        raise Invalid(problems=[problem.under("fields") for problem in refused.problems]) from refused
    rows = EntityRows([0], [entity_id.bytes], [wanted.external_id], [written])
    result = await write_entities(connection, workspace_id, entity_type.id, rows, OnConflict.FAIL)
    if result.refused:
        raise Conflict(f"There is an entity with the external id {wanted.external_id!r} already.", path=("externalId",))
    await files.add_document(connection, workspace_id, entity_id, content.sha256, mime_type)
    return (await entities.entities_by_id(connection, workspace_id, [entity_id]))[entity_id]


def _checked(given: NewDocument) -> NewDocument:
    problems: list[Problem] = []
    name = None if given.name is None else file_name_of(given.name, problems)
    check_idempotency_key(given.idempotency_key, problems)
    try:
        external_id = None if given.external_id is None else external_id_of(given.external_id, "externalId")
    except RefusedRecord as refused:
        problems += refused.problems
        external_id = None
    if problems:
        raise Invalid(problems=problems)
    if given.fields is not None and type(given.fields) is not dict:
        message = f"The fields of a document are a JSON object; this is {in_words(given.fields)}."
        raise Invalid(message, path=("fields",))
    fields = cast("dict[str, Any]", given.fields or {})
    check_free_fields(fields)
    try:
        orjson.dumps(fields)
    except orjson.JSONEncodeError as error:
        raise Invalid(f"These fields cannot be stored: {error}.", path=("fields",)) from error
    return replace(given, name=name, external_id=external_id, fields=fields)
