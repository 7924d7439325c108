"""An `EntityFilter` as conditions on the `entity` table.

Fields are compared as jsonb, never cast: numbers compare as numbers, texts as texts, and a field that holds another
JSON type does not match instead of ending the query with an error. Values, paths and patterns are bound.
"""

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Text, and_, any_, bindparam, cast, column, exists, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, JSONPATH

from weft.domain.entity import EntityFilter, FieldCondition, FilterOp
from weft.domain.ids import UUID
from weft.storage.tables import entity, entity_type

Condition = ColumnElement[bool]


def where(filter: EntityFilter, workspace_id: UUID, entity_type_id: UUID) -> list[Condition]:
    """All of them have to hold."""
    # The workspace is asked of the type, which has it in common with all its entities: so the index of a type's entities
    # answers alone, without a look at every row.
    of_type = select(entity_type.c.id).where(
        entity_type.c.id == entity_type_id, entity_type.c.workspace_id == workspace_id
    )
    conditions: list[Condition] = [entity.c.entity_type_id == of_type.scalar_subquery()]
    conditions += [_condition(condition) for condition in filter.where]
    if filter.external_ids is not None:
        conditions.append(entity.c.external_id == any_(bindparam(None, list(filter.external_ids), ARRAY(Text))))
    if filter.published is not None:
        conditions.append(entity.c.published_at.is_not(None) if filter.published else entity.c.published_at.is_(None))
    if filter.created_after is not None:
        conditions.append(entity.c.created_at > filter.created_after)
    if filter.created_before is not None:
        conditions.append(entity.c.created_at < filter.created_before)
    if filter.search:
        conditions.append(_holds_text(filter.search))
    return conditions


def _condition(condition: FieldCondition) -> Condition:  # noqa: PLR0911 - one answer for each operator
    # No row, no value: `#>` gives SQL NULL for an absent field, and the JSON null for one that is null.
    found = entity.c.data.op("#>", return_type=JSONB())(_texts(condition.field.split(".")))
    value = condition.value
    match condition.op:
        case FilterOp.EQ:
            return found == _json(value)
        case FilterOp.NE:
            return found.is_distinct_from(_json(value))
        case FilterOp.GT:
            return and_(_same_type(found, value), found > _json(value))
        case FilterOp.GTE:
            return and_(_same_type(found, value), found >= _json(value))
        case FilterOp.LT:
            return and_(_same_type(found, value), found < _json(value))
        case FilterOp.LTE:
            return and_(_same_type(found, value), found <= _json(value))
        case FilterOp.IN:
            return found == any_(bindparam(None, list(value), ARRAY(JSONB)))
        case FilterOp.CONTAINS:
            return _contains(found, value)
        case FilterOp.EXISTS:
            return found.is_not(None) if value is not False else found.is_(None)


def _json(value: Any) -> ColumnElement[Any]:
    # The JSON null, which can be compared, not the SQL one, which cannot.
    return bindparam(None, JSONB.NULL if value is None else value, JSONB)


def _texts(values: Sequence[str]) -> ColumnElement[Any]:
    return bindparam(None, list(values), ARRAY(Text))


def _same_type(found: ColumnElement[Any], value: Any) -> Condition:
    # jsonb orders values of different types too (every text before every number): here they do not compare.
    return func.jsonb_typeof(found) == func.jsonb_typeof(_json(value))


def _contains(found: ColumnElement[Any], value: Any) -> Condition:
    """A list that has the value as an element, or a text that has the text as a part."""
    listed = and_(func.jsonb_typeof(found) == "array", found.op("@>", is_comparison=True)(_json([value])))
    if not isinstance(value, str):
        return listed
    return or_(listed, and_(func.jsonb_typeof(found) == "string", func.strpos(_text_of(found), value) > 0))


def _text_of(found: ColumnElement[Any]) -> ColumnElement[str]:
    return found.op("#>>", return_type=Text())(_texts([]))


def _holds_text(search: str) -> Condition:
    """Any text in the data, at any depth, has the searched text as a part, case ignored.

    Looking through the data as one text comes first: it is many times faster, and wrong only in what it lets pass (names of
    fields, and texts that run across two of them).
    """
    as_written = orjson.dumps(search).decode()[1:-1]  # a part of a text stays a part when both are written as JSON
    every_text = cast('strict $.** ? (@.type() == "string")', JSONPATH)
    texts = (
        func.jsonb_path_query(entity.c.data, every_text).table_valued(column("value", JSONB)).render_derived("found")
    )
    return and_(
        cast(entity.c.data, Text).icontains(as_written, autoescape=True),
        exists().where(_text_of(texts.c.value).icontains(search, autoescape=True)),
    )
