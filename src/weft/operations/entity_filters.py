"""Checks an `EntityFilter` before it reaches the database, against the schema of the type where there is one."""

from typing import Any, cast

import orjson

from weft.domain.entity import EntityFilter, FieldCondition, FilterOp, JsonSchema
from weft.domain.errors import ErrorCode, Invalid, Problem
from weft.kit.json_schema import schema_at
from weft.kit.storable import is_storable_text, path_to_nul
from weft.kit.suggest import did_you_mean

MOST_CONDITIONS = 50
MOST_VALUES = 1_000
_ORDERED = {FilterOp.GT, FilterOp.GTE, FilterOp.LT, FilterOp.LTE}


def check_filter(filter: EntityFilter, schema: JsonSchema | None, *path: str) -> None:
    """Raises Invalid with every problem; `path` is where the filter stands in the input."""
    problems: list[Problem] = []
    if len(filter.where) > MOST_CONDITIONS:
        message = f"The filter has {len(filter.where)} conditions; at most {MOST_CONDITIONS} are allowed."
        problems.append(Problem(ErrorCode.LIMIT_EXCEEDED, message, ("where",)))
    for index, condition in enumerate(filter.where[:MOST_CONDITIONS]):
        problems += [problem.under("where", str(index)) for problem in _condition_problems(condition, schema)]
    if filter.external_ids is not None:
        if len(filter.external_ids) > MOST_VALUES:
            problems.append(_too_many("externalIds", len(filter.external_ids)))
        problems += [
            Problem(
                ErrorCode.INVALID, "This text holds a character that no stored text has.", ("externalIds", str(index))
            )
            for index, external_id in enumerate(filter.external_ids)
            if not is_storable_text(external_id)
        ]
    if filter.search is not None and not is_storable_text(filter.search):
        problems.append(Problem(ErrorCode.INVALID, "This text holds a character that no stored text has.", ("search",)))
    if problems:
        raise Invalid(problems=[problem.under(*path) for problem in problems])


def _condition_problems(condition: FieldCondition, schema: JsonSchema | None) -> list[Problem]:
    if not condition.field or not is_storable_text(condition.field):
        return [Problem(ErrorCode.INVALID, "A field is named by its dotted path.", ("field",))]
    if schema is not None:
        located = schema_at(schema, condition.field)
        if (unknown := located.unknown_name) is not None:
            meant = did_you_mean(unknown, located.candidates)
            hint = f'Did you mean "{meant}"?' if meant else None
            message = f"The schema of the entity type has no field {unknown!r}."
            return [Problem(ErrorCode.UNKNOWN_REFERENCE, message, ("field",), hint)]
    problem = _value_problem(condition.op, condition.value)
    return [] if problem is None else [Problem(ErrorCode.INVALID, problem, ("value",))]


def _value_problem(op: FilterOp, value: Any) -> str | None:
    match op:
        case FilterOp.IN if not isinstance(value, list):
            return "IN needs a list of values."
        case FilterOp.IN if len(cast("list[Any]", value)) > MOST_VALUES:
            return f"IN takes at most {MOST_VALUES} values."
        case FilterOp.EXISTS if value is not None and not isinstance(value, bool):
            return "EXISTS needs true or false."
        case _ if op in _ORDERED and (isinstance(value, bool) or not isinstance(value, int | float | str)):
            return f"{op} compares with a number or a text."
        case FilterOp.CONTAINS if value is None or isinstance(value, list | dict):
            return "CONTAINS looks for a part of a text, or for one element of a list."
        case _:
            return None if _is_storable(value) else "This value cannot occur in stored data."


def _is_storable(value: Any) -> bool:
    try:
        written = orjson.dumps(value)
    except orjson.JSONEncodeError:
        return False
    return path_to_nul(value) is None and orjson.loads(written) == value  # NaN and infinity are written as null


def _too_many(field: str, count: int) -> Problem:
    message = f"{count:,} values are given; at most {MOST_VALUES:,} are allowed."
    return Problem(ErrorCode.LIMIT_EXCEEDED, message, (field,))
