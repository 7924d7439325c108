"""Uploads, and the files that entities have. What makes them is in `file_mutations`."""

from datetime import datetime

import strawberry

from weft.domain import files as domain
from weft.domain.files import UploadStatus
from weft.graphql.context import Info
from weft.graphql.nodes import Node, read_key
from weft.graphql.scalars import BigInt
from weft.operations import downloads, uploads


@strawberry.type(description="The way in for one file: made by createUpload, fed by its link, used by createDocument.")
class Upload(Node):
    name: str = strawberry.field(description="The file's name, without folders: 1 to 255 characters.")
    status: UploadStatus = strawberry.field(description="How far it is.")
    size: BigInt | None = strawberry.field(description="Bytes of what was received; null until then.")
    sha256: str | None = strawberry.field(description="Of what was received, in lower-case hex; null until then.")
    expires_at: datetime = strawberry.field(description="Until then the link takes a file.")
    created_at: datetime

    @classmethod
    async def find(cls, info: Info, key: str) -> domain.Upload | None:
        return await info.context.load(uploads.load_uploads, read_key(key))


@strawberry.type(description="The content of a document. It never changes; other content is another document.")
class File:
    """A view over `domain.files.DocumentFile`."""

    size: BigInt = strawberry.field(description="How large it is, in bytes.")
    mime_type: str = strawberry.field(description="By the content; the name only tells kinds of plain text apart.")
    sha256: str = strawberry.field(description="Of the content, in lower-case hex.")

    @strawberry.field(description="Opens the file for 15 minutes, without an API key: do not publish it.")
    @staticmethod
    def download_url(parent: strawberry.Parent[domain.DocumentFile], info: Info) -> str:
        return downloads.download_url(info.context.services, parent)
