"""How clients choose entities: filters, and selections."""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from weft.domain.entity import EntityFilter, FieldCondition, FilterOp
from weft.domain.errors import Invalid
from weft.domain.run import Selection
from weft.graphql.nodes import read_ids


@strawberry.input(
    description="A comparison of one field of the data. Numbers compare as numbers and texts as texts; "
    "a field that is absent or holds another JSON type matches only NE, and EXISTS by its value."
)
class FieldConditionInput:
    field: str = strawberry.field(description="A dotted path, such as `address.city` or `lines.0.price`.")
    op: FilterOp = strawberry.field(description="How the field is compared with `value`.")
    value: JSON | None = strawberry.field(
        default=None, description="A list for IN, true or false for EXISTS, a number or a text where order counts."
    )


@strawberry.input(description="All that are given must hold.")
class EntityFilterInput:
    where: list[FieldConditionInput] | None = strawberry.field(
        default=None, description="Conditions on fields of the data, at most 50."
    )
    external_ids: list[str] | None = strawberry.field(
        default=None, description="Only those with one of these ids of your own, at most 1,000."
    )
    published: bool | None = strawberry.field(
        default=None, description="Only those that were published, or only those that were not."
    )
    created_after: datetime | None = None
    created_before: datetime | None = None
    search: str | None = strawberry.field(default=None, description="Part of any text in the data, case ignored.")


@strawberry.input(one_of=True, description="Which entities: exactly one of these.")
class EntitySelectionInput:
    ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET, description="These entities, by their ids; a filter serves better for thousands."
    )
    filter: EntityFilterInput | None = strawberry.field(
        default=strawberry.UNSET, description="Every entity of the type that fits."
    )
    all: bool | None = strawberry.field(default=strawberry.UNSET, description="Every entity of the type; only `true`.")


def read_filter(given: EntityFilterInput | None) -> EntityFilter:
    if given is None:
        return EntityFilter()
    return EntityFilter(
        where=tuple(FieldCondition(one.field, one.op, one.value) for one in given.where or ()),
        external_ids=None if given.external_ids is None else tuple(given.external_ids),
        published=given.published,
        created_after=given.created_after,
        created_before=given.created_before,
        search=given.search,
    )


def read_selection(given: EntitySelectionInput, *path: str) -> Selection:
    """`path` is where the selection stands in the input."""
    if given.ids:
        return Selection(ids=read_ids(given.ids, "Entity", *path, "ids"))
    if given.filter:
        return Selection(filter=read_filter(given.filter))
    if given.all:
        return Selection(all=True)
    if given.ids is not None and given.ids is not strawberry.UNSET:
        return Selection(ids=())
    raise Invalid("`all` is only ever true: leave it out for another choice.", path=(*path, "all"))
