from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.kit.json_numbers import canonicalise_numbers
from weft.kit.json_schema import compile_schema

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "total": {"type": "number"},
        "count": {"type": "integer"},
        "price": {"type": ["number", "null"]},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
        "child": {"$ref": "#"},
        "name": {"type": "string"},
    },
    "additionalProperties": {"type": "number"},
    "$defs": {"line": {"type": "object", "properties": {"price": {"type": "number"}}}},
}


def written(value: object) -> str:
    return repr(value)  # 5 == 5.0 in Python, and that is the difference at stake


def test_numbers_become_what_the_schema_calls_them() -> None:
    convert = canonicalise_numbers(SCHEMA)
    assert convert is not None
    value = {
        "total": 5,
        "count": 2.0,
        "price": None,
        "lines": [{"price": 1}],
        "child": {"total": 7},
        "other": 3,
        "name": "x",
    }
    assert written(convert(value)) == written(
        {
            "total": 5.0,
            "count": 2,
            "price": None,
            "lines": [{"price": 1.0}],
            "child": {"total": 7.0},
            "other": 3.0,
            "name": "x",
        }
    )
    assert written(value["total"]) == "5"


def test_a_value_that_is_right_already_is_not_copied() -> None:
    convert = canonicalise_numbers(SCHEMA)
    assert convert is not None
    value = {"total": 5.0, "lines": [{"price": 1.0}]}
    assert convert(value) is value


@pytest.mark.parametrize(
    "schema",
    [{}, True, {"type": "string"}, {"type": "object", "properties": {"a": {"type": "string"}, "b": {"$ref": "#"}}}],
)
def test_there_is_nothing_to_do_without_numbers(schema: Any) -> None:
    assert canonicalise_numbers(schema) is None


def test_a_choice_between_integer_and_number_is_a_number() -> None:
    convert = canonicalise_numbers({"anyOf": [{"type": "integer"}, {"type": "number"}]})
    assert convert is not None
    assert written(convert(5)) == "5.0"


def test_booleans_and_numbers_out_of_range_stay() -> None:
    convert = canonicalise_numbers({"type": "number"})
    assert convert is not None
    assert convert(True) is True
    assert convert(10**400) == 10**400
    convert = canonicalise_numbers({"type": "integer"})
    assert convert is not None
    assert convert(1e300) == 1e300
    assert convert(2.5) == 2.5


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


def combined(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    def array(items: dict[str, Any]) -> dict[str, Any]:
        return {"type": "array", "items": items}

    def record(properties: dict[str, dict[str, Any]]) -> dict[str, Any]:
        return {"type": "object", "properties": properties}

    def choice(forms: list[dict[str, Any]]) -> dict[str, Any]:
        return {"anyOf": forms}

    records = st.dictionaries(st.sampled_from("abc"), inner).map(record)
    return inner.map(array) | records | st.lists(inner, min_size=1, max_size=2).map(choice)


plain_schemas: list[dict[str, Any]] = [
    {},
    {"type": "number"},
    {"type": "integer"},
    {"type": "string"},
    {"type": ["number", "null"]},
]
schemas = st.recursive(st.sampled_from(plain_schemas), combined, max_leaves=6)


@given(schemas, json_values)
def test_a_converted_value_equals_the_old_one_and_is_converted_for_good(schema: Any, value: Any) -> None:
    convert = canonicalise_numbers(schema)
    if convert is None:
        return
    before = written(value)
    converted = convert(value)
    assert converted == value
    assert written(value) == before
    assert written(convert(converted)) == written(converted)
    validator = compile_schema(schema)
    assert validator.is_valid(converted) == validator.is_valid(value)
