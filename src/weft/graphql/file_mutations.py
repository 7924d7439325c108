"""From a file to a document: createUpload, the file itself by the link, createDocument."""

from typing import Any, cast

import strawberry
from strawberry.scalars import JSON

from weft.graphql.context import Info
from weft.graphql.entities import Entity
from weft.graphql.files import Upload
from weft.graphql.mutations import Answer, UserError, mutation
from weft.graphql.nodes import read_id, read_optional_id
from weft.graphql.scalars import BigInt
from weft.operations import documents, uploads
from weft.operations.documents import NewDocument
from weft.operations.uploads import NewUpload


@strawberry.input
class CreateUploadInput:
    name: str = strawberry.field(description="The file's name, without folders.")
    size: BigInt | None = strawberry.field(
        default=None, description="Bytes. Where it is given, no other file is taken."
    )
    sha256: str | None = strawberry.field(
        default=None, description="In hex. Where it is given, a file that was changed on the way is not taken."
    )
    idempotency_key: str | None = None


@strawberry.type
class CreateUploadPayload:
    upload: Upload | None
    upload_url: str | None = strawberry.field(
        description="PUT the file here within 24 hours, as the body: `curl -T file url`. No API key is needed."
    )
    errors: list[UserError]


@strawberry.input
class CreateDocumentInput:
    upload_id: strawberry.ID
    name: str | None = strawberry.field(default=None, description="Left out: the name that the upload has.")
    entity_type_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="A type of your own; its schema has to allow name, mimeType, size and sha256. Left out: `document`.",
    )
    fields: JSON | None = strawberry.field(default=None, description="An object of further fields.")
    external_id: str | None = strawberry.field(default=None, description="Your own id of it, unique within the type.")
    once_per_content: bool = strawberry.field(
        default=False,
        description="Answer with the oldest document of the same content, as it is, where the workspace has one.",
    )
    idempotency_key: str | None = None


@strawberry.type
class CreateDocumentPayload:
    document: Entity | None
    created: bool | None = strawberry.field(description="False where a document of the same content was there already.")
    errors: list[UserError]


@strawberry.type
class FileMutation:
    @mutation(
        CreateUploadPayload, description="Begin to upload a file; it becomes a document by createDocument. For editors."
    )
    async def create_upload(self, info: Info, input: CreateUploadInput) -> Answer:
        wanted = NewUpload(input.name, input.size, input.sha256, input.idempotency_key)
        result = await uploads.create_upload(info.context.services, info.context.viewer, wanted)
        return Answer(upload=result.made, upload_url=result.upload_url)

    @mutation(
        CreateDocumentPayload,
        description="Make an entity of an uploaded file, of the built-in type `document` or of one of your own. For editors.",
    )
    async def create_document(self, info: Info, input: CreateDocumentInput) -> Answer:
        wanted = NewDocument(
            read_id(input.upload_id, "Upload", "uploadId"),
            input.name,
            read_optional_id(input.entity_type_id, "EntityType", "entityTypeId"),
            cast("dict[str, Any] | None", input.fields),
            input.external_id,
            input.once_per_content,
            input.idempotency_key,
        )
        made = await documents.create_document(info.context.services, info.context.viewer, wanted)
        return Answer(document=made.entity, created=made.created)
