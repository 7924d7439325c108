"""Entity types and entities: a JSON Schema with a name, and the records of that type."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from weft.domain.ids import UUID

JsonSchema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EntityType:
    id: UUID
    workspace_id: UUID
    name: str
    description: str
    schema: JsonSchema
    created_at: datetime
    updated_at: datetime
    built_in: bool = False
    """Belongs to Weft: nobody changes or deletes it."""
    holds_documents: bool = False
    """Whether some of its entities have files."""


@dataclass(frozen=True, slots=True)
class Entity:
    id: UUID
    workspace_id: UUID
    entity_type_id: UUID
    external_id: str | None
    """The caller's own id, unique within the type; what an import updates by."""
    data: dict[str, Any]
    version: int
    """Rises by one with every change of `data`."""
    published_at: datetime | None
    created_at: datetime
    updated_at: datetime


class FilterOp(StrEnum):
    """How a field of an entity's data is compared with a value.

    EQ: Equal, as JSON: objects and lists are compared whole.
    NE: Not equal. A field that is absent matches.
    GT: Greater than the value, of the same JSON type; texts by their characters.
    GTE: Greater than the value, or equal to it.
    LT: Less than the value, of the same JSON type; texts by their characters.
    LTE: Less than the value, or equal to it.
    IN: Equal to one of the values, which are given as a list.
    CONTAINS: A text has the text as a part, or a list has the value as an element.
    EXISTS: The field is there, be it null; with `false` as the value, it is not there.
    """

    EQ = "EQ"
    NE = "NE"
    GT = "GT"
    GTE = "GTE"
    LT = "LT"
    LTE = "LTE"
    IN = "IN"
    CONTAINS = "CONTAINS"
    EXISTS = "EXISTS"


@dataclass(frozen=True, slots=True)
class FieldCondition:
    """A comparison of one field of the data. `field` is a dotted path; an absent field matches nothing but NE and EXISTS false."""

    field: str
    op: FilterOp
    value: Any


@dataclass(frozen=True, slots=True)
class EntityFilter:
    """All conditions hold. Empty means every entity of the type."""

    where: tuple[FieldCondition, ...] = ()
    external_ids: tuple[str, ...] | None = None
    published: bool | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    search: str | None = None
    """Part of any text in the data, case ignored."""


@dataclass(frozen=True, slots=True)
class EntityInput:
    data: dict[str, Any]
    external_id: str | None = None
