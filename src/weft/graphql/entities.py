"""Entities."""

from datetime import datetime
from typing import Annotated, Any, cast

import strawberry
from strawberry.scalars import JSON
from strawberry.types.nodes import SelectedField, Selection

from weft.domain import entity as domain
from weft.domain.entity import EntityInput
from weft.domain.files import DocumentFile
from weft.domain.imports import OnConflict
from weft.domain.page import Page
from weft.graphql.context import Info
from weft.graphql.entity_inputs import EntityFilterInput, EntitySelectionInput, read_filter, read_selection
from weft.graphql.entity_types import EntityType
from weft.graphql.files import File
from weft.graphql.mutations import Answer, UserError, mutation
from weft.graphql.nodes import Node, read_id, read_key, read_optional_id
from weft.graphql.paging import Connection, read_page
from weft.operations import documents, entities, entity_creation, entity_types


@strawberry.type(description="A record of an entity type.")
class Entity(Node):
    external_id: str | None = strawberry.field(description="Your own id for it, unique within its type.")
    data: JSON = strawberry.field(description="A JSON object in the form of the type's `schema`.")
    version: int = strawberry.field(description="Rises by one with every change of the data, from 1.")
    published_at: datetime | None = strawberry.field(description="When a step last published it; null before.")
    created_at: datetime
    updated_at: datetime

    @strawberry.field(graphql_type=EntityType, description="Whose schema its data fits.")
    @staticmethod
    async def entity_type(parent: strawberry.Parent[domain.Entity], info: Info) -> domain.EntityType | None:
        return await info.context.load(entity_types.load_entity_types, parent.entity_type_id)

    @strawberry.field(graphql_type=File | None, description="The content of a document; null for every other entity.")
    @staticmethod
    async def file(parent: strawberry.Parent[domain.Entity], info: Info) -> DocumentFile | None:
        return await info.context.load(documents.load_files, parent.id)

    @classmethod
    async def find(cls, info: Info, key: str) -> domain.Entity | None:
        return await info.context.load(entities.load_entities, read_key(key))


@strawberry.type
class EntityQuery:
    @strawberry.field(graphql_type=Entity | None, description="An entity; null when there is none with this id.")
    async def entity(self, info: Info, id: strawberry.ID) -> domain.Entity | None:
        return await info.context.load(entities.load_entities, read_id(id, "Entity", "id"))

    @strawberry.field(
        graphql_type=Connection[Entity],
        description="Entities of a type, in the order they were made. `totalCount` is null above 100,000.",
    )
    async def entities(
        self,
        info: Info,
        type: Annotated[strawberry.ID, strawberry.argument(description="The EntityType that they are of.")],
        filter: EntityFilterInput | None = None,
        search: str | None = None,
        first: int = 20,
        after: str | None = None,
    ) -> Page[domain.Entity]:
        wanted = filter or EntityFilterInput()
        wanted.search = search if wanted.search is None else wanted.search
        return await entities.list_entities(
            info.context.services,
            info.context.viewer,
            read_id(type, "EntityType", "type"),
            read_filter(wanted),
            read_page(first, after),
            count=_is_counted(info),
        )


def _is_counted(info: Info) -> bool:
    """Whether the client asks for `totalCount`: counting reads every row that matches."""
    return any(_names_total(part) for field in info.selected_fields for part in field.selections)


def _names_total(part: Selection) -> bool:
    if isinstance(part, SelectedField):
        return part.name == "totalCount"
    return any(_names_total(inner) for inner in part.selections)


@strawberry.input(description="A record to be stored.")
class NewEntityInput:
    data: JSON = strawberry.field(description="An object that the schema of its type allows.")
    external_id: str | None = strawberry.field(
        default=None, description="Your own id of it, unique within the type; what a later import updates it by."
    )


@strawberry.input
class CreateEntitiesInput:
    entity_type_id: strawberry.ID
    entities: list[NewEntityInput] = strawberry.field(description="At most 100; createImport takes files of any size.")
    on_conflict: OnConflict = strawberry.field(
        default=OnConflict.FAIL, description="About an `externalId` that exists already. UPDATE replaces the data."
    )
    atomic: bool = strawberry.field(default=False, description="Store all or none.")


@strawberry.type
class CreateEntitiesPayload:
    entities: list[Entity] | None = strawberry.field(description="Those that were taken, in the order they were given.")
    created: int | None = strawberry.field(description="How many were made anew.")
    updated: int | None = strawberry.field(description="How many existed already, and got new data.")
    skipped: int | None = strawberry.field(description="How many existed already, and were left as they were.")
    errors: list[UserError] = strawberry.field(
        description="What has to be put right, row by row: `path` begins with `input`, `entities` and the index."
    )


@strawberry.input
class UpdateEntityInput:
    id: strawberry.ID
    data: JSON = strawberry.field(description="Merged into the data as RFC 7396 says: null takes a field away.")
    replace: bool = strawberry.field(default=False, description="Put `data` in the place of what was there.")
    expected_version: int | None = strawberry.field(
        default=None, description="Refuse when the entity is at another version by now."
    )


@strawberry.type
class UpdateEntityPayload:
    entity: Entity | None
    errors: list[UserError]


@strawberry.input
class DeleteEntitiesInput:
    entities: EntitySelectionInput = strawberry.field(
        description="Which ones. Other than by `ids`, `entityTypeId` is needed as well."
    )
    entity_type_id: strawberry.ID | None = strawberry.field(default=None, description="Needed for `filter` and `all`.")


@strawberry.type
class DeleteEntitiesPayload:
    deleted: int | None = strawberry.field(description="How many there were, and are no more.")
    errors: list[UserError]


@strawberry.type
class EntityMutation:
    @mutation(CreateEntitiesPayload, description="Store up to 100 entities; each row has its own errors. For editors.")
    async def create_entities(self, info: Info, input: CreateEntitiesInput) -> Answer:
        result = await entity_creation.create_entities(
            info.context.services,
            info.context.viewer,
            read_id(input.entity_type_id, "EntityType", "entityTypeId"),
            [EntityInput(cast("dict[str, Any]", given.data), given.external_id) for given in input.entities],
            on_conflict=input.on_conflict,
            atomic=input.atomic,
        )
        return Answer(
            entities=result.entities,
            created=result.created,
            updated=result.updated,
            skipped=result.skipped,
            errors=tuple(problem.under("input") for problem in result.problems),
        )

    @mutation(UpdateEntityPayload, description="Change the data of an entity. For editors.")
    async def update_entity(self, info: Info, input: UpdateEntityInput) -> Answer:
        entity_id = read_id(input.id, "Entity", "id")
        changed = await entities.update_entity(
            info.context.services,
            info.context.viewer,
            entity_id,
            cast("dict[str, Any]", input.data),
            replace=input.replace,
            expected_version=input.expected_version,
        )
        return Answer(entity=changed)

    @mutation(
        DeleteEntitiesPayload, description="Delete entities. Runs keep the results they have of them. For editors."
    )
    async def delete_entities(self, info: Info, input: DeleteEntitiesInput) -> Answer:
        deleted = await entities.delete_entities(
            info.context.services,
            info.context.viewer,
            read_selection(input.entities, "entities"),
            read_optional_id(input.entity_type_id, "EntityType", "entityTypeId"),
        )
        return Answer(deleted=deleted)
