"""One file on its way in: gathered in a temporary file, proved, and only then put into the store.

Nothing of a file that breaks off, is too large or is not what it was said to be goes any further. What is proved is
noted in the database before it is put into the store, so nothing lies there that no row knows of; it counts once it is there.
"""

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from weft.domain.errors import Conflict, Invalid, LimitExceeded
from weft.domain.files import StoredFile, Upload, object_key
from weft.domain.ids import UUID
from weft.integrations.spool import SpooledFile
from weft.integrations.store_errors import NotStored
from weft.kit.mime import content_type
from weft.operations.import_upload import UploadBroken
from weft.operations.services import Services
from weft.operations.uploads import find_linked, used_already
from weft.storage import files, uploads

SILENCE_SECONDS = 60.0
"""A sender that stops for so long has gone, whatever its connection says."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the request itself says about its body."""

    size: int | None = None
    digests: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    """By `sha-256` and `md5`, the names of RFC 9530."""


def digest_of(text: str) -> bytes:
    """Raises Invalid for what is not Base64."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise Invalid("A digest in the request's headers is not Base64.") from error


async def receive_upload(
    services: Services, upload_id: UUID, token: str, stream: AsyncIterator[bytes], said: Said
) -> Upload:
    """Take the file that an upload link is for.

    Raises NotFound for a link that is not good, Conflict when it was used, LimitExceeded and Invalid for a file that is not
    taken, UploadBroken, and StoreUnavailable.
    """
    upload = await find_linked(services, upload_id, token)
    most = _most_bytes(services, upload)
    if said.size is not None:
        _check_size(said.size, most, upload)
    async with services.world.files.spool.file(md5="md5" in said.digests) as spooled:
        await _gather(spooled, _alive(stream), most, upload)
        _check_digests(spooled, said)
        return await _keep(services, upload, spooled)


async def take_in(services: Services, upload: Upload) -> None:
    """The file of an upload that a client has put into the store by itself, if it has. Raises as `receive_upload` does."""
    store, name = services.world.files, str(upload.id)
    most = _most_bytes(services, upload)
    try:
        async with store.spool.file() as spooled:
            await _gather(spooled, store.incoming(name, most), most, upload)
            await _keep(services, upload, spooled)
    except NotStored:
        return
    except (Invalid, LimitExceeded):
        await store.drop_incoming(name)
        raise
    await store.drop_incoming(name)


async def _gather(spooled: SpooledFile, stream: AsyncIterator[bytes], most: int, upload: Upload) -> None:
    async for piece in stream:
        if spooled.size + len(piece) > most:
            raise _too_large(most, upload)
        await spooled.write(piece)
    await spooled.flush()
    if upload.declared_size not in {None, spooled.size}:
        raise Invalid(
            f"The file has {spooled.size:,} bytes, not the {upload.declared_size:,} that createUpload was told.",
            hint="Send the whole file, as it is.",
        )
    if spooled.size == 0:
        raise Invalid("The file is empty.")
    if upload.declared_sha256 not in {None, spooled.sha256}:
        raise Invalid(
            f"The file's SHA-256 is {spooled.sha256}, not the one that createUpload was told.",
            hint="It was changed on the way, or it is another file.",
        )


def _check_digests(spooled: SpooledFile, said: Said) -> None:
    there = {"sha-256": bytes.fromhex(spooled.sha256), "md5": spooled.md5}
    for name, digest in said.digests.items():
        if there[name] != digest:
            raise Invalid(f"The {name} digest in the request's headers is not that of the file: it changed on the way.")


async def _keep(services: Services, upload: Upload, spooled: SpooledFile) -> Upload:
    limits, workspace_id = services.limits, upload.workspace_id
    found = StoredFile(spooled.sha256, spooled.size, await asyncio.to_thread(content_type, spooled.path))
    async with services.database.transaction() as connection:
        if not await uploads.claim_upload(connection, workspace_id, upload.id, found):
            raise _other_content(upload)
        if not await files.reserve_file(
            connection, workspace_id, found, most_files=limits.files, most_bytes=limits.files_bytes
        ):
            raise LimitExceeded(
                f"The files of this workspace are at its limit of {limits.files:,} files and {limits.files_bytes:,} bytes."
            )
    await services.world.files.place(spooled, object_key(workspace_id, found.sha256))
    async with services.database.transaction() as connection:
        # First the upload, then the file, as everywhere: in another order, two that meet would wait for each other.
        received = await uploads.upload_is_received(connection, workspace_id, upload.id, found.sha256)
        await files.file_is_stored(connection, workspace_id, found.sha256)
    if received is None:
        raise _other_content(upload)
    return received


def _other_content(upload: Upload) -> Conflict:
    if upload.document_id is not None:
        return used_already()
    return Conflict("This upload has received another file already.", hint="Create another upload for another file.")


def _most_bytes(services: Services, upload: Upload) -> int:
    most = services.limits.file_bytes
    return most if upload.declared_size is None else min(most, upload.declared_size)


def _check_size(size: int, most: int, upload: Upload) -> None:
    if size > most:
        raise _too_large(most, upload)
    if upload.declared_size not in {None, size}:
        raise Invalid(f"The request has {size:,} bytes, not the {upload.declared_size:,} that createUpload was told.")


def _too_large(most: int, upload: Upload) -> LimitExceeded | Invalid:
    if upload.declared_size == most:
        return Invalid(f"The file has more than the {most:,} bytes that createUpload was told.")
    return LimitExceeded(f"The file has more than {most:,} bytes, the most allowed.")


async def _alive(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    while True:
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                piece = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise UploadBroken(f"Nothing came for {SILENCE_SECONDS:.0f} seconds.") from error
        yield piece
