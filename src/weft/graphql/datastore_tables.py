"""Tables in datastores: made for whoever has none yet."""

import strawberry

from weft.domain.outside import ColumnKind, NewColumn, NewTable
from weft.graphql.context import Info
from weft.graphql.datastores import DatastoreTable
from weft.graphql.mutations import Answer, UserError, mutation
from weft.graphql.nodes import read_id
from weft.operations import datastore_tables


@strawberry.input(description="A column of a new table.")
class NewColumnInput:
    name: str = strawberry.field(description="At most 63 bytes, once in a table.")
    kind: ColumnKind = strawberry.field(description="What it takes; BINARY and OTHER cannot be made.")
    nullable: bool = strawberry.field(default=True, description="Whether a row may have nothing in it.")


@strawberry.input
class CreateDatastoreTableInput:
    datastore_id: strawberry.ID
    name: str = strawberry.field(description="Its name, or `schema.name` where the schema is there.")
    columns: list[NewColumnInput] = strawberry.field(description="In their order, at least one.")
    key: list[str] = strawberry.field(
        default_factory=list, description="The columns of the primary key: what UPSERT may go by. Left out: no key."
    )


@strawberry.type
class CreateDatastoreTablePayload:
    table: DatastoreTable | None
    errors: list[UserError]


@strawberry.type
class DatastoreTableMutation:
    @mutation(
        CreateDatastoreTablePayload,
        description="Make a table in a datastore. One that is there already is never changed. For admins.",
    )
    async def create_datastore_table(self, info: Info, input: CreateDatastoreTableInput) -> Answer:
        columns = tuple(NewColumn(column.name, column.kind, column.nullable) for column in input.columns)
        new = NewTable(input.name, columns, tuple(input.key))
        key = read_id(input.datastore_id, "Datastore", "datastoreId")
        made = await datastore_tables.create_table(info.context.services, info.context.viewer, key, new)
        return Answer(table=made)
