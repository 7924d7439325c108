"""Datastores: databases elsewhere that the step `store` writes into."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

import strawberry

from weft.domain import datastore as domain
from weft.domain import outside
from weft.domain.datastore import DatastoreKind, TlsMode
from weft.domain.ids import UUID
from weft.domain.outside import ColumnKind
from weft.domain.page import Page
from weft.graphql.context import Info
from weft.graphql.mutations import Answer, UserError, mutation
from weft.graphql.nodes import Node, read_id, read_key
from weft.graphql.paging import Connection, read_page
from weft.operations import datastores
from weft.operations.datastores import Address, FileAddress, ServerAddress


@strawberry.type(
    description="A database elsewhere, by a name that steps refer to. Its password is never shown; "
    "where it lies is shown to admins, and null to others."
)
class Datastore(Node):
    name: str = strawberry.field(description="What steps call it by: 1 to 200 characters, once in a workspace.")
    kind: DatastoreKind = strawberry.field(description="What kind of database it is.")
    host: str | None = strawberry.field(description="The server's name or IP address; null for SQLite.")
    port: int | None = strawberry.field(description="Where the server listens; null for SQLite.")
    database: str | None = strawberry.field(description="The name of the database on the server; null for SQLite.")
    user: str | None = strawberry.field(description="Who the server is told that it is; null for SQLite.")
    tls: TlsMode | None = strawberry.field(description="How the connection is protected; null for SQLite.")
    file: str | None = strawberry.field(description="Of SQLite: its name in the folder of the workspace.")
    revision: int = strawberry.field(description="Rises with every change.")
    created_at: datetime
    updated_at: datetime

    @classmethod
    async def find(cls, info: Info, key: str) -> domain.Datastore | None:
        return await datastores.find_datastore(info.context.services, info.context.viewer, read_key(key))


@strawberry.type(description="A column of a table in a datastore.")
class DatastoreColumn:
    """A view over `domain.outside.Column`."""

    name: str = strawberry.field(description="As the database has it, upper and lower case included.")
    kind: ColumnKind = strawberry.field(description="Which JSON values fit.")
    type_name: str = strawberry.field(description="As the database spells it.")
    nullable: bool = strawberry.field(description="Whether a row may have nothing in it.")
    has_default: bool = strawberry.field(description="Whether a row may leave it out.")


@strawberry.type(description="What a table in a datastore takes: columns and keys, and no rows.")
class DatastoreTable:
    """A view over `domain.outside.TableFacts`."""

    @strawberry.field(graphql_type=list[DatastoreColumn], description="All that it has, in the table's own order.")
    @staticmethod
    def columns(parent: strawberry.Parent[outside.TableFacts]) -> list[outside.Column]:
        return list(parent.columns)

    @strawberry.field(
        description="The columns of the primary key and of each unique constraint: what UPSERT may go by."
    )
    @staticmethod
    def unique_keys(parent: strawberry.Parent[outside.TableFacts]) -> list[list[str]]:
        return [list(key) for key in parent.unique_keys]


@dataclass(frozen=True, slots=True)
class Contents:
    datastore_id: UUID
    tables: list[str]


@strawberry.type(description="What is in a datastore.")
class DatastoreContents:
    """A view over `Contents`."""

    tables: list[str] = strawberry.field(description="Names of the first 200 tables.")

    @strawberry.field(
        graphql_type=DatastoreTable | None,
        description="A table by its name or `schema.name`; null where there is none.",
    )
    @staticmethod
    async def table(
        parent: strawberry.Parent[Contents],
        info: Info,
        name: Annotated[str, strawberry.argument(description="As `tables` has it, or `schema.name`.")],
    ) -> outside.TableFacts | None:
        return await datastores.describe_table(info.context.services, info.context.viewer, parent.datastore_id, name)


@strawberry.type
class DatastoreQuery:
    @strawberry.field(graphql_type=Connection[Datastore], description="Datastores of the workspace, newest first.")
    async def datastores(self, info: Info, first: int = 20, after: str | None = None) -> Page[domain.Datastore]:
        return await datastores.list_datastores(info.context.services, info.context.viewer, read_page(first, after))

    @strawberry.field(
        graphql_type=DatastoreContents,
        description="What is in a datastore, to write a mapping by. Asks the database. For editors.",
    )
    async def datastore_contents(self, info: Info, datastore_id: strawberry.ID) -> Contents:
        key = read_id(datastore_id, "Datastore", "datastoreId")
        tables = await datastores.list_tables(info.context.services, info.context.viewer, key)
        return Contents(key, list(tables))


@strawberry.input(description="A PostgreSQL server, and who logs in there.")
class PostgresqlInput:
    host: str = strawberry.field(
        description="The server's name or IP address. A private one has to be allowed by the operator."
    )
    database: str = strawberry.field(description="The name of the database on the server.")
    user: str = strawberry.field(
        description="Who the server is told that it is; needs the right to write into the tables."
    )
    port: int = strawberry.field(default=5432, description="Where the server listens.")
    password: str | None = strawberry.field(
        default=None,
        description="Never shown again. In an update, left out: it stays, as long as host, port and user do.",
    )
    tls: TlsMode = strawberry.field(default=TlsMode.VERIFIED, description="How the connection is protected.")


@strawberry.input(description="A MySQL or MariaDB server, and who logs in there.")
class MysqlInput:
    host: str = strawberry.field(
        description="The server's name or IP address. A private one has to be allowed by the operator."
    )
    database: str = strawberry.field(description="The name of the database on the server.")
    user: str = strawberry.field(
        description="Who the server is told that it is; needs the right to write into the tables."
    )
    port: int = strawberry.field(default=3306, description="Where the server listens.")
    password: str | None = strawberry.field(
        default=None,
        description="Never shown again. In an update, left out: it stays, as long as host, port and user do.",
    )
    tls: TlsMode = strawberry.field(default=TlsMode.VERIFIED, description="How the connection is protected.")


@strawberry.input(description="A SQLite file in the workspace's folder on the server.")
class SqliteInput:
    file: str = strawberry.field(description="A name like `orders.db`, in the folder that the operator allows.")


@strawberry.input(one_of=True, description="How a database is reached: exactly one of these.")
class DatastoreAddressInput:
    postgresql: PostgresqlInput | None = strawberry.field(default=strawberry.UNSET, description="A PostgreSQL server.")
    mysql: MysqlInput | None = strawberry.field(default=strawberry.UNSET, description="A MySQL or MariaDB server.")
    sqlite: SqliteInput | None = strawberry.field(default=strawberry.UNSET, description="A SQLite file on the server.")

    def read(self) -> Address:
        if self.sqlite:
            return FileAddress(self.sqlite.file)
        kind, given = (
            (DatastoreKind.POSTGRESQL, self.postgresql) if self.postgresql else (DatastoreKind.MYSQL, self.mysql)
        )
        if not given:
            raise ValueError("GraphQL lets exactly one of them in.")
        return ServerAddress(kind, given.host, given.port, given.database, given.user, given.password, given.tls)


@strawberry.input
class CreateDatastoreInput:
    name: str
    address: DatastoreAddressInput = strawberry.field(description="Where it is, and how it is reached.")


@strawberry.input
class UpdateDatastoreInput:
    id: strawberry.ID
    name: str | None = None
    address: DatastoreAddressInput | None = strawberry.field(
        default=None, description="Replaces the whole address. Left out, it stays."
    )


@strawberry.input
class DatastoreIdInput:
    id: strawberry.ID


@strawberry.type
class DatastorePayload:
    datastore: Datastore | None
    errors: list[UserError]


@strawberry.type
class DeleteDatastorePayload:
    deleted_id: strawberry.ID | None
    errors: list[UserError]


@strawberry.type(description="What came of a test.")
class DatastoreTrial:
    """A view over `domain.datastore.DatastoreTrial`."""

    ok: bool = strawberry.field(description="Whether the database answered and let the user in.")
    message: str = strawberry.field(description="What it answered, or why it did not.")
    took: timedelta = strawberry.field(description="From the first try to the answer, or to giving up.")


@strawberry.type
class TestDatastorePayload:
    trial: DatastoreTrial | None = strawberry.field(
        description="What the database answered; null where there are `errors`."
    )
    errors: list[UserError]


@strawberry.type
class DatastoreMutation:
    @mutation(DatastorePayload, description="Name a database that steps may write into. For admins.")
    async def create_datastore(self, info: Info, input: CreateDatastoreInput) -> Answer:
        context = info.context
        made = await datastores.create_datastore(context.services, context.viewer, input.name, input.address.read())
        return Answer(datastore=made)

    @mutation(
        DatastorePayload,
        description="Change a datastore. Workflows find it by its name: while one does, the name stays. For admins.",
    )
    async def update_datastore(self, info: Info, input: UpdateDatastoreInput) -> Answer:
        changed = await datastores.update_datastore(
            info.context.services,
            info.context.viewer,
            read_id(input.id, "Datastore", "id"),
            name=input.name,
            address=None if input.address is None else input.address.read(),
        )
        return Answer(datastore=changed)

    @mutation(
        DeleteDatastorePayload,
        description="Forget a datastore; the database stays as it is. Refused while a workflow names it. For admins.",
    )
    async def delete_datastore(self, info: Info, input: DatastoreIdInput) -> Answer:
        key = read_id(input.id, "Datastore", "id")
        await datastores.delete_datastore(info.context.services, info.context.viewer, key)
        return Answer(deleted_id=input.id)

    @mutation(TestDatastorePayload, description="Connect to a datastore, and write nothing. For admins.")
    async def test_datastore(self, info: Info, input: DatastoreIdInput) -> Answer:
        key = read_id(input.id, "Datastore", "id")
        return Answer(trial=await datastores.test_datastore(info.context.services, info.context.viewer, key))
