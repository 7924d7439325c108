"""Nodes: objects with an opaque id, and `node(id)`."""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Annotated, Any

import strawberry
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.lazy_type import LazyType

from weft.domain.errors import Invalid
from weft.domain.ids import UUID
from weft.graphql.context import Info

_BARE = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def encode_id(type_name: str, key: object) -> strawberry.ID:
    return strawberry.ID(base64.urlsafe_b64encode(f"{type_name}:{key}".encode()).decode().rstrip("="))


def decode_id(value: str, *path: str) -> tuple[str, str]:
    """The type name and the key in an id; `path` is where the id stands in the input."""
    try:
        text = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        text = ""
    type_name, colon, key = text.partition(":")
    if not colon or not type_name or not key:
        raise Invalid(f"{value!r} is not an id of this API.", path=path, hint="Pass an `id` as the API gave it to you.")
    return type_name, key


def read_id(value: str, type_name: str, *path: str) -> UUID:
    """The UUID in an id that must be of `type_name`. A bare UUID, as messages and step outputs have it, is taken as well."""
    if _BARE.fullmatch(value):
        return UUID(value)
    found, key = decode_id(value, *path)
    if found != type_name:
        raise Invalid(f"An id of {type_name} is needed here; this is an id of {found}.", path=path)
    try:
        return UUID(key)
    except ValueError:
        raise Invalid(f"{value!r} is not an id of this API.", path=path) from None


def key_of(value: str, *path: str) -> str:
    """The key in an id of whatever type, or the bare UUID that it is."""
    return value.lower() if _BARE.fullmatch(value) else decode_id(value, *path)[1]


def read_optional_id(value: str | None, type_name: str, *path: str) -> UUID | None:
    return None if value is None else read_id(value, type_name, *path)


def read_ids(values: Sequence[str], type_name: str, *path: str) -> tuple[UUID, ...]:
    return tuple(read_id(value, type_name, *path, str(index)) for index, value in enumerate(values))


def lazy(type_name: str, module: str) -> Any:
    """The GraphQL type of another module, found when the schema is built: modules that refer to each other import nothing."""
    return LazyType[Any, Any](type_name, module)


@strawberry.interface(description="An object that `node` finds again by its `id`.")
class Node:
    """Implemented by types that have the name of the domain class they show."""

    @strawberry.field(description="Opaque, and unique over all types.")
    @staticmethod
    def id(parent: strawberry.Parent[Any]) -> strawberry.ID:
        return encode_id(type(parent).__name__, parent.id)

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        return type(value).__name__ == cls.__name__

    @classmethod
    async def find(cls, info: Info, key: str) -> object | None:
        """The object with this key in the viewer's workspace."""
        raise NotImplementedError(f"{cls.__name__} has to say how it is found, for node(id).")


@strawberry.type
class NodeQuery:
    @strawberry.field(graphql_type=Node | None, description="Any object by its id; null when there is none.")
    async def node(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The `id` of any object that has one.")],
    ) -> object | None:
        type_name, key = decode_id(id, "id")
        found = info.schema.get_type_by_name(type_name)
        origin = found.origin if isinstance(found, StrawberryObjectDefinition) else None
        if origin is None or origin is Node or not issubclass(origin, Node):
            raise Invalid(f"{id!r} is not an id of this API.", path=("id",))
        return await origin.find(info, key)


def read_key(key: str) -> UUID:
    """The key of a node as a UUID, for `find`."""
    try:
        return UUID(key)
    except ValueError:
        raise Invalid("This is not an id of this API.", path=("id",)) from None
