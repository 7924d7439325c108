"""Imports: files of entities, and how far they are."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated

import strawberry

from weft.domain import entity
from weft.domain import imports as domain
from weft.domain.imports import ImportFormat, ImportStatus, OnConflict
from weft.domain.page import Page
from weft.graphql.context import Info
from weft.graphql.entity_types import EntityType
from weft.graphql.live import SHARED
from weft.graphql.mutations import Answer, UserError, mutation
from weft.graphql.nodes import Node, read_id, read_key, read_optional_id
from weft.graphql.paging import Connection, read_page
from weft.graphql.scalars import BigInt
from weft.operations import entity_types
from weft.operations import imports as operations
from weft.operations.import_watching import watch_import
from weft.operations.imports import ErrorsWanted, NewImport


@strawberry.type(description="A row of a file that was not taken, and why.")
class ImportError:  # noqa: A001 - the word of the API; nothing here imports modules by hand
    """A view over `domain.imports.RejectedRow`."""

    line: BigInt = strawberry.field(description="Where the row begins in the file, from 1.")
    code: str = strawberry.field(description="What kind of mistake it is, such as `TYPE_MISMATCH`.")
    message: str = strawberry.field(description="What is wrong with the row, in a sentence.")
    path: list[str] = strawberry.field(description="The field of the record that is wrong.")
    excerpt: str = strawberry.field(description="The start of the row as it was sent.")


@strawberry.type(description="A file of entities. At every revision `rowsRead = created + updated + skipped + failed`.")
class Import(Node):
    format: ImportFormat = strawberry.field(description="How the file is written.")
    on_conflict: OnConflict = strawberry.field(description="What happens to a row whose external id exists already.")
    external_id_field: str | None = strawberry.field(
        description="The field or column that holds your own id; null where rows have none."
    )
    status: ImportStatus = strawberry.field(description="How far it is.")
    rows_read: BigInt = strawberry.field(description="Rows that were looked at so far, the refused ones included.")
    created: BigInt = strawberry.field(description="Rows that became new entities.")
    updated: BigInt = strawberry.field(description="Rows whose entity existed, and got their data.")
    skipped: BigInt = strawberry.field(description="Rows of entities that existed and were left as they were.")
    failed: BigInt = strawberry.field(description="Rows that were not taken.")
    bytes_read: BigInt = strawberry.field(description="How much of the file was read: bytes.")
    revision: BigInt = strawberry.field(description="Rises with every change: of two states, the higher one is newer.")
    error: str | None = strawberry.field(description="Why the file as a whole cannot be used.")
    created_at: datetime
    started_at: datetime | None = strawberry.field(description="When the first byte of the file came; null before.")
    finished_at: datetime | None = strawberry.field(description="When it was over; null while it is not.")

    @strawberry.field(graphql_type=EntityType, description="What its rows become entities of.")
    @staticmethod
    async def entity_type(parent: strawberry.Parent[domain.Import], info: Info) -> entity.EntityType | None:
        return await info.context.load(entity_types.load_entity_types, parent.entity_type_id)

    @strawberry.field(
        graphql_type=Connection[ImportError],
        description="Rows that were not taken, in the order of the file. Of many only the first are kept; `failed` counts all.",
    )
    @staticmethod
    async def errors(
        parent: strawberry.Parent[domain.Import], info: Info, first: int = 20, after: str | None = None
    ) -> Page[domain.RejectedRow]:
        wanted = ErrorsWanted(parent.id, read_page(first, after))
        return await info.context.load(operations.load_errors, wanted)

    @classmethod
    async def find(cls, info: Info, key: str) -> domain.Import | None:
        return await info.context.load(operations.load_imports, read_key(key))


@strawberry.type
class ImportQuery:
    @strawberry.field(
        graphql_type=Import | None, name="import", description="An import; null when there is none with this id."
    )
    async def import_(self, info: Info, id: strawberry.ID) -> domain.Import | None:
        return await info.context.load(operations.load_imports, read_id(id, "Import", "id"))

    @strawberry.field(graphql_type=Connection[Import], description="The imports, newest first.")
    async def imports(
        self,
        info: Info,
        type: Annotated[strawberry.ID | None, strawberry.argument(description="Only those of this EntityType.")] = None,
        first: int = 20,
        after: str | None = None,
    ) -> Page[domain.Import]:
        return await operations.list_imports(
            info.context.services,
            info.context.viewer,
            read_page(first, after),
            entity_type_id=read_optional_id(type, "EntityType", "type"),
        )


@strawberry.input
class CreateImportInput:
    entity_type_id: strawberry.ID
    format: ImportFormat
    on_conflict: OnConflict = strawberry.field(
        default=OnConflict.UPDATE, description="About an external id that exists already. UPDATE replaces the data."
    )
    external_id_field: str | None = strawberry.field(
        default=None,
        description="The field or column that holds your own id. It stays in the data where the schema declares it.",
    )
    idempotency_key: str | None = None


@strawberry.type
class CreateImportPayload:
    import_: Import | None = strawberry.field(name="import")
    upload_url: str | None = strawberry.field(
        description="PUT the file here within 24 hours, as the body: `curl -T file url`. No API key is needed."
    )
    errors: list[UserError]


@strawberry.type
class ImportMutation:
    @mutation(CreateImportPayload, description="Begin an import of a file. For editors.")
    async def create_import(self, info: Info, input: CreateImportInput) -> Answer:
        wanted = NewImport(
            read_id(input.entity_type_id, "EntityType", "entityTypeId"),
            input.format,
            input.on_conflict,
            input.external_id_field,
            input.idempotency_key,
        )
        result = await operations.create_import(info.context.services, info.context.viewer, wanted)
        return Answer(import_=result.made, upload_url=result.upload_url)


@strawberry.type
class ImportSubscription:
    @strawberry.subscription(
        graphql_type=Import,
        metadata=SHARED,
        description="The import now, then its newest state as it changes, up to 5 times a second. Ends after the state in which it is over.",
    )
    async def import_progress(self, info: Info, import_id: strawberry.ID) -> AsyncGenerator[domain.Import]:
        return await watch_import(info.context.services, info.context.viewer, read_id(import_id, "Import", "importId"))
