"""Uploads: made here, then fed by whoever has the link, and made into documents (`documents`).

The link is the credential: it is made for one upload and expires. Where the store takes files by itself, the link is the
store's own, and the file is looked at when the document is made.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

import orjson

from weft.domain.access import Role, Viewer
from weft.domain.errors import Conflict, ErrorCode, Invalid, NotFound, Problem
from weft.domain.files import Upload
from weft.domain.ids import UUID, new_id
from weft.integrations.store_errors import StoreUnavailable
from weft.operations.file_names import check_idempotency_key, file_name_of, sha256_of
from weft.operations.services import Services
from weft.storage import audit, entity_types, idempotency, uploads

LINK_LIFE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class NewUpload:
    name: str
    size: int | None = None
    """What the file has to be, as far as the caller says it: another one is refused."""
    sha256: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class CreatedUpload:
    made: Upload
    upload_url: str
    """Whoever has it may send the file, without an API key, until the link expires."""


async def create_upload(services: Services, viewer: Viewer, given: NewUpload) -> CreatedUpload:
    viewer.need(Role.EDITOR)
    wanted = _checked(services, given)
    upload_id = new_id()
    async with services.database.transaction() as connection:
        if (key := wanted.idempotency_key) is not None:
            digest = sha256(orjson.dumps(wanted)).digest()
            before = await idempotency.claim(connection, viewer.workspace_id, "createUpload", key, digest, upload_id)
            if before is not None:
                known = (await uploads.uploads_by_id(connection, viewer.workspace_id, [before])).get(before)
                if known is None:
                    raise Conflict("The upload that this request made was deleted.", path=("idempotencyKey",))
                return CreatedUpload(known, await _upload_url(services, before))
        await entity_types.ensure_document_type(connection, viewer.workspace_id)
        made = await uploads.add_upload(
            connection,
            {
                "id": upload_id,
                "workspace_id": viewer.workspace_id,
                "name": wanted.name,
                "declared_size": wanted.size,
                "declared_sha256": wanted.sha256,
                "expires_at": services.clock() + LINK_LIFE,
                "created_by": viewer.key_name,
            },
        )
        await audit.record(connection, viewer, "upload.created", upload_id, {"name": wanted.name})
    return CreatedUpload(made, await _upload_url(services, upload_id))


async def load_uploads(services: Services, viewer: Viewer, ids: Sequence[UUID]) -> list[Upload | None]:
    """In the order of the ids."""
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        found = await uploads.uploads_by_id(connection, viewer.workspace_id, ids)
    return [found.get(upload_id) for upload_id in ids]


async def find_linked(services: Services, upload_id: UUID, token: str) -> Upload:
    """The upload that a link is for. Raises NotFound for one that is not good, Conflict when it was used."""
    if not hmac.compare_digest(_token(services, upload_id).encode(), token.encode()):
        raise NotFound("This upload link is not valid.", hint="Copy the whole `uploadUrl` that createUpload gave.")
    async with services.database.reading() as connection:
        found = await uploads.linked_upload(connection, upload_id)
    if found is None:
        raise NotFound("This upload link is not valid.", hint="Copy the whole `uploadUrl` that createUpload gave.")
    if found.expires_at <= services.clock():
        raise NotFound("This upload link has expired.", hint="Create the upload again, and use its new link.")
    if found.document_id is not None:
        raise used_already()
    return found


def used_already(*path: str) -> Conflict:
    return Conflict(
        "A document was made of this upload already.", path=path, hint="Create another upload for another file."
    )


async def _upload_url(services: Services, upload_id: UUID) -> str:
    try:
        url = await services.world.files.upload_url(str(upload_id), LINK_LIFE)
    except StoreUnavailable as error:
        raise Conflict(str(error), hint="Try again soon.") from error
    return url or f"{services.public_url}/files/uploads/{upload_id}/{_token(services, upload_id)}"


def _token(services: Services, upload_id: UUID) -> str:
    """Made from the id and the secret, so that repeating createUpload with its idempotency key gives the same link."""
    return hmac.new(services.secret_key, b"file upload " + upload_id.bytes, sha256).hexdigest()


def _checked(services: Services, given: NewUpload) -> NewUpload:
    problems: list[Problem] = []
    name, digest = file_name_of(given.name, problems), sha256_of(given.sha256, problems)
    check_idempotency_key(given.idempotency_key, problems)
    most = services.limits.file_bytes
    if given.size is not None and given.size > most:
        message = f"The file has {given.size:,} bytes; at most {most:,} are allowed."
        problems.append(Problem(ErrorCode.LIMIT_EXCEEDED, message, ("size",)))
    elif given.size is not None and given.size < 1:
        problems.append(Problem(ErrorCode.INVALID, "A file has at least one byte.", ("size",)))
    if problems:
        raise Invalid(problems=problems)
    return NewUpload(name, given.size, digest, given.idempotency_key)
