"""Download links: short-lived, signed, each for the file of one document. Whoever has one needs no API key."""

import hmac
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from weft.domain.errors import NotFound
from weft.domain.files import DocumentFile
from weft.domain.ids import UUID
from weft.operations.services import Services
from weft.storage import files

LINK_LIFE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class DownloadLink:
    """What stands in a link."""

    workspace_id: UUID
    entity_id: UUID
    expires: str
    """Seconds of the Unix clock."""
    signature: str


def download_url(services: Services, file: DocumentFile) -> str:
    expires = str(int((services.clock() + LINK_LIFE).timestamp()))
    signature = _signature(services, file.workspace_id, file.entity_id, expires)
    place = f"{services.public_url}/files/documents/{file.workspace_id}/{file.entity_id}"
    return f"{place}?expires={expires}&signature={signature}"


async def find_download(services: Services, link: DownloadLink) -> DocumentFile:
    """The file that a link is for. Raises NotFound for one that is not good, or no longer."""
    expected = _signature(services, link.workspace_id, link.entity_id, link.expires)
    if not hmac.compare_digest(expected.encode(), link.signature.encode()):
        raise NotFound("This download link is not valid.", hint="Copy the whole `downloadUrl`.")
    if int(link.expires) <= services.clock().timestamp():
        raise NotFound("This download link has expired.", hint="Ask for `file { downloadUrl }` again.")
    async with services.database.reading() as connection:
        found = await files.file_of(connection, link.workspace_id, link.entity_id)
    if found is None:
        raise NotFound("The document of this link was deleted.")
    return found


def _signature(services: Services, workspace_id: UUID, entity_id: UUID, expires: str) -> str:
    signed = b"file download " + workspace_id.bytes + entity_id.bytes + expires.encode()
    return hmac.new(services.secret_key, signed, sha256).hexdigest()
