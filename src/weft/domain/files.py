"""Files and documents: bytes that people uploaded, and the entities made of them.

A file is its content: it is stored once per workspace, under its SHA-256, and never changes. An upload is the way in for one
file. A document is an entity with a file: several documents may have the same one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from weft.domain.entity import Entity
from weft.domain.ids import UUID

DOCUMENT_TYPE = "document"
"""The name of the built-in entity type. Each workspace gets it when it first needs it."""

FILE_FIELDS = ("mimeType", "size", "sha256")
"""What a document's data says about its file. It is as true as the file, so nobody edits it."""

RESERVED_FIELDS = ("name", *FILE_FIELDS)
"""What createDocument writes into the data itself."""

DOCUMENT_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "description": "The file's name."},
        "mimeType": {"type": "string", "description": "What the content is, by looking at it."},
        "size": {"type": "integer", "description": "Bytes."},
        "sha256": {"type": "string", "description": "Of the content, in lower-case hex."},
    },
    "required": ["name", "mimeType", "size", "sha256"],
}


class UploadStatus(StrEnum):
    """How far an upload is.

    PENDING: Waits for the file.
    RECEIVED: The file is stored.
    USED: A document was made of it.
    """

    PENDING = "PENDING"
    RECEIVED = "RECEIVED"
    USED = "USED"


@dataclass(frozen=True, slots=True)
class Upload:
    id: UUID
    workspace_id: UUID
    name: str
    declared_size: int | None
    """What the file has to be, as far as it was said beforehand."""
    declared_sha256: str | None
    size: int | None
    """Of what was received."""
    sha256: str | None
    received_at: datetime | None
    document_id: UUID | None
    """The entity that was made of it, or that has the same content."""
    expires_at: datetime
    created_by: str
    created_at: datetime

    @property
    def status(self) -> UploadStatus:
        if self.document_id is not None:
            return UploadStatus.USED
        return UploadStatus.PENDING if self.received_at is None else UploadStatus.RECEIVED


@dataclass(frozen=True, slots=True)
class StoredFile:
    """The content behind an upload, as it lies in the store."""

    sha256: str
    size: int
    mime_type: str
    """By the content alone: what a name adds to it (text that is CSV) belongs to the document."""


@dataclass(frozen=True, slots=True)
class DocumentFile:
    """The file of one document."""

    workspace_id: UUID
    entity_id: UUID
    name: str
    sha256: str
    size: int
    mime_type: str


@dataclass(frozen=True, slots=True)
class Document:
    """A document and whether this request made it."""

    entity: Entity
    created: bool


def object_key(workspace_id: UUID, sha256: str) -> str:
    """Where the store has a file. The workspace comes first: no hash, whoever names it, leads into another one."""
    return f"{workspace_id}/{sha256[:2]}/{sha256}"
