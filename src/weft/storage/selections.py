"""Selections as JSON, to be kept until they are resolved."""

from datetime import datetime
from typing import Any, cast

from weft.domain.entity import EntityFilter, FieldCondition, FilterOp
from weft.domain.ids import UUID
from weft.domain.run import Selection

Json = dict[str, Any]


def selection_as_json(selection: Selection) -> Json:
    if selection.ids is not None:
        return {"ids": [str(one) for one in selection.ids]}
    if selection.filter is not None:
        return {"filter": filter_as_json(selection.filter)}
    return {"all": True} if selection.all else {}


def selection_from_json(stored: Json) -> Selection:
    return Selection(
        ids=tuple(UUID(one) for one in stored["ids"]) if "ids" in stored else None,
        filter=_filter_from_json(stored["filter"]) if "filter" in stored else None,
        all=stored.get("all", False),
    )


def filter_as_json(given: EntityFilter) -> Json:
    """In the spelling of `EntityFilterInput`; what is not given is left out."""
    written: Json = {
        "where": [{"field": one.field, "op": one.op.value, "value": one.value} for one in given.where] or None,
        "externalIds": None if given.external_ids is None else list(given.external_ids),
        "published": given.published,
        "createdAfter": None if given.created_after is None else given.created_after.isoformat(),
        "createdBefore": None if given.created_before is None else given.created_before.isoformat(),
        "search": given.search,
    }
    return {name: value for name, value in written.items() if value is not None}


def _filter_from_json(stored: Json) -> EntityFilter:
    where = cast("list[Json]", stored.get("where", []))
    return EntityFilter(
        where=tuple(FieldCondition(one["field"], FilterOp(one["op"]), one["value"]) for one in where),
        external_ids=tuple(stored["externalIds"]) if "externalIds" in stored else None,
        published=stored.get("published"),
        created_after=_moment(stored.get("createdAfter")),
        created_before=_moment(stored.get("createdBefore")),
        search=stored.get("search"),
    )


def _moment(stored: str | None) -> datetime | None:
    return None if stored is None else datetime.fromisoformat(stored)
