"""The transform step."""

from typing import Any

import pytest
from steps.items import problems, run, step

from weft.domain.errors import ErrorCode
from weft.domain.step import Fail

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "price": {"type": "number"}, "note": {"type": "string"}},
    "required": ["title", "price"],
}


def test_new_fields_are_made_of_the_input_as_it_came_in() -> None:
    prepared = step("transform", {"fields": {"a": "input.b", "b": "input.a"}})

    assert run(prepared, {"a": 1, "b": 2, "c": 3}) == {"a": 2, "b": 1, "c": 3}


def test_without_keep_only_what_is_made_and_renamed_stays() -> None:
    config = {"keep": False, "fields": {"twice": "input.a * 2"}, "rename": {"b": "B", "absent": "x"}}

    assert run(step("transform", config), {"a": 1, "b": 2, "c": 3}) == {"twice": 2, "B": 2}


def test_fields_are_renamed_and_removed_and_swapped() -> None:
    prepared = step("transform", {"rename": {"a": "b", "b": "a", "gone": "x"}, "remove": ["c", "absent"]})
    given = {"a": 1, "b": 2, "c": 3}

    assert run(prepared, given) == {"b": 1, "a": 2}
    assert given == {"a": 1, "b": 2, "c": 3}


def test_an_expression_that_fails_names_its_field() -> None:
    prepared = step("transform", {"fields": {"ok": "1", "ratio": "1 / int(input.n)"}})

    with pytest.raises(Fail, match="ratio") as failure:
        run(prepared, {"n": 0})

    assert failure.value.code == "EXPRESSION_FAILED"


@pytest.mark.parametrize("value", [None, [], "text", 5])
def test_an_input_that_is_no_object_fails(value: Any) -> None:
    with pytest.raises(Fail, match="needs an object"):
        run(step("transform", {"fields": {"a": "1"}}), value)


def test_the_output_schema_follows_what_is_made_renamed_and_removed() -> None:
    config = {"fields": {"total": "input.price * 2.0"}, "rename": {"title": "name"}, "remove": ["note"]}

    assert step("transform", config, entity_schema=SCHEMA).output_schema == {
        "type": "object",
        "properties": {"price": {"type": "number"}, "name": {"type": "string"}, "total": {"type": "number"}},
        "required": ["name", "price", "total"],
    }
    alone = step("transform", {**config, "keep": False, "remove": []}, entity_schema=SCHEMA).output_schema
    assert alone is not None
    assert alone["additionalProperties"] is False
    assert set(alone["properties"]) == {"total", "name"}


def test_a_type_error_against_the_schema_is_a_problem_with_its_path() -> None:
    (problem,) = problems("transform", {"fields": {"x": "input.title * 2.0"}}, entity_schema=SCHEMA)

    assert problem.path[-2:] == ("fields", "x")


def test_all_wrong_expressions_are_problems_at_once() -> None:
    found = problems("transform", {"fields": {"x": "input.titel", "y": "1 +"}}, entity_schema=SCHEMA)

    assert [problem.path[-1] for problem in found] == ["x", "y"]


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"keep": False, "remove": ["a"]},
        {"rename": {"a": "b"}, "remove": ["a"]},
        {"rename": {"a": "c", "b": "c"}},
        {"rename": {"a": "c"}, "fields": {"c": "1"}},
        {"fields": {"": "1"}},
        {"fields": {"a": ""}},
    ],
)
def test_a_config_that_contradicts_itself_is_a_problem(config: dict[str, Any]) -> None:
    (problem,) = problems("transform", config)

    assert problem.code is ErrorCode.INVALID_CONFIG
