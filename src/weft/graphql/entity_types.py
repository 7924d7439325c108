"""Entity types."""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from weft.domain import entity
from weft.domain.page import Page
from weft.graphql.context import Info
from weft.graphql.mutations import Answer, UserError, mutation
from weft.graphql.nodes import Node, read_id, read_key
from weft.graphql.paging import Connection, read_page
from weft.operations import entity_types
from weft.operations.entity_types import TypeChanges


@strawberry.type(
    description="A JSON Schema with a name. Every entity is of one type, and fits its schema when it is stored."
)
class EntityType(Node):
    name: str = strawberry.field(description="What people call it: 1 to 200 characters, once in a workspace.")
    description: str = strawberry.field(description="What its entities are, in up to 10,000 characters; may be empty.")
    schema: JSON = strawberry.field(description="The JSON Schema of the type's entities.")
    built_in: bool = strawberry.field(description="Belongs to Weft, and stays as it is: the type of documents.")
    created_at: datetime
    updated_at: datetime

    @classmethod
    async def find(cls, info: Info, key: str) -> entity.EntityType | None:
        return await info.context.load(entity_types.load_entity_types, read_key(key))


@strawberry.type
class EntityTypeQuery:
    @strawberry.field(
        graphql_type=EntityType | None, description="An entity type; null when there is none with this id."
    )
    async def entity_type(self, info: Info, id: strawberry.ID) -> entity.EntityType | None:
        return await info.context.load(entity_types.load_entity_types, read_id(id, "EntityType", "id"))

    @strawberry.field(graphql_type=Connection[EntityType], description="The entity types, in the order they were made.")
    async def entity_types(
        self, info: Info, first: int = 20, after: str | None = None, search: str | None = None
    ) -> Page[entity.EntityType]:
        page = read_page(first, after)
        return await entity_types.list_entity_types(info.context.services, info.context.viewer, page, search=search)


@strawberry.input
class CreateEntityTypeInput:
    name: str
    schema: JSON = strawberry.field(description="A JSON Schema of an object, 2020-12 unless it names another draft.")
    description: str = ""


@strawberry.type
class CreateEntityTypePayload:
    entity_type: EntityType | None
    errors: list[UserError]


@strawberry.input(description="What is left out stays as it is.")
class UpdateEntityTypeInput:
    id: strawberry.ID
    name: str | None = None
    description: str | None = None
    schema: JSON | None = strawberry.field(
        default=None, description="Holds for what is stored from now on; entities that exist are not checked again."
    )


@strawberry.type
class UpdateEntityTypePayload:
    entity_type: EntityType | None
    errors: list[UserError]


@strawberry.input
class DeleteEntityTypeInput:
    id: strawberry.ID


@strawberry.type
class DeleteEntityTypePayload:
    deleted_id: strawberry.ID | None
    errors: list[UserError]


@strawberry.type
class EntityTypeMutation:
    @mutation(CreateEntityTypePayload, description="Make an entity type. For editors.")
    async def create_entity_type(self, info: Info, input: CreateEntityTypeInput) -> Answer:
        made = await entity_types.create_entity_type(
            info.context.services,
            info.context.viewer,
            name=input.name,
            description=input.description,
            schema=input.schema,
        )
        return Answer(entity_type=made)

    @mutation(UpdateEntityTypePayload, description="Change an entity type. Its entities stay as they are. For editors.")
    async def update_entity_type(self, info: Info, input: UpdateEntityTypeInput) -> Answer:
        changes = TypeChanges(input.name, input.description, input.schema)
        type_id = read_id(input.id, "EntityType", "id")
        changed = await entity_types.update_entity_type(info.context.services, info.context.viewer, type_id, changes)
        return Answer(entity_type=changed)

    @mutation(
        DeleteEntityTypePayload,
        description="Delete an entity type that no workflow and no entity needs, with the record of its imports. For editors.",
    )
    async def delete_entity_type(self, info: Info, input: DeleteEntityTypeInput) -> Answer:
        type_id = read_id(input.id, "EntityType", "id")
        await entity_types.delete_entity_type(info.context.services, info.context.viewer, type_id)
        return Answer(deleted_id=input.id)
