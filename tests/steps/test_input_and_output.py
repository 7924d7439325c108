"""What a workflow takes, and what it gives."""

from typing import Any

import pytest
from steps.items import item, problems, run, step

from weft.domain.errors import ErrorCode
from weft.domain.run import LogLevel
from weft.domain.step import Fail

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "language": {"type": "string", "default": "en"},
        "options": {"type": "object", "properties": {"deep": {"type": "integer", "default": 3}}},
        "tags": {"type": "array", "default": []},
    },
    "required": ["title", "language"],
}


def test_defaults_are_filled_in_at_every_level_and_nothing_that_was_given_changes() -> None:
    prepared = step("input", {"schema": SCHEMA})

    assert run(prepared, {"title": "a"}) == {"title": "a", "language": "en", "tags": []}
    assert run(prepared, {"title": "a", "language": "de", "tags": [1], "options": {"other": 1}}) == {
        "title": "a",
        "language": "de",
        "tags": [1],
        "options": {"other": 1, "deep": 3},
    }


def test_an_input_without_gaps_passes_through_without_a_copy() -> None:
    given: dict[str, Any] = {"title": "a", "language": "de", "tags": [], "options": {"deep": 1}}

    assert run(step("input", {"schema": SCHEMA}), given) is given


def test_an_item_that_does_not_fit_fails_with_every_reason() -> None:
    with pytest.raises(Fail) as failure:
        run(step("input", {"schema": SCHEMA}), {"title": 5, "language": None})

    assert failure.value.code == "INPUT_INVALID"
    assert failure.value.reason.startswith("title: ")
    assert failure.value.reason.endswith("(and 1 more)")
    assert [detail["path"] for detail in failure.value.details] == [["title"], ["language"]]


@pytest.mark.parametrize("value", [None, [], "text", 5, True])
def test_an_input_that_is_no_object_fails_with_a_reason(value: Any) -> None:
    with pytest.raises(Fail, match="The value: "):
        run(step("input", {"schema": SCHEMA}), value)


def test_the_output_schema_knows_that_defaults_are_always_there() -> None:
    schema = step("input", {"schema": SCHEMA}).output_schema

    assert schema is not None
    assert schema["required"] == ["language", "tags", "title"]
    assert schema["properties"]["options"]["required"] == ["deep"]


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"type": "nonsense"}, "schema"),
        ({"$ref": "https://example.com/schema"}, "schema"),
        ({"properties": {"n": {"type": "integer", "default": "five"}}}, "default"),
    ],
)
def test_a_schema_that_is_wrong_is_a_problem(schema: dict[str, Any], place: str) -> None:
    (problem, *_) = problems("input", {"schema": schema})

    assert problem.code is ErrorCode.INVALID_SCHEMA
    assert place in problem.path


def test_an_output_is_shaped_by_expressions_and_text() -> None:
    config = {"fields": {"name": "input.title", "n": "1 + 1"}, "text": "{{ title }}!", "target": "line"}

    assert run(step("output", config), {"title": "a"}) == {"name": "a", "n": 2, "line": "a!"}
    assert run(step("output", {"text": "{{ title }}!"}), {"title": "a"}) == {"text": "a!"}
    assert run(step("output", {"text": "{{ title }}!", "format": "TEXT"}), {"title": "a"}) == "a!"


def test_an_output_without_a_shape_is_its_input() -> None:
    assert run(step("output"), [1, None]) == [1, None]


def test_the_output_schema_follows_the_expressions() -> None:
    prepared = step("output", {"fields": {"n": "1 + 1"}, "text": "x"})

    assert prepared.output_schema == {
        "type": "object",
        "properties": {"n": {"type": "integer"}, "text": {"type": "string"}},
        "required": ["n", "text"],
        "additionalProperties": False,
    }
    assert step("output", {"text": "x", "format": "TEXT"}).output_schema == {"type": "string"}


@pytest.mark.parametrize(
    "config",
    [{"format": "TEXT"}, {"format": "TEXT", "text": "a", "fields": {"a": "1"}}, {"text": "a", "fields": {"text": "1"}}],
)
def test_an_output_whose_parts_do_not_fit_each_other_is_a_problem(config: dict[str, Any]) -> None:
    (problem,) = problems("output", config)

    assert problem.code is ErrorCode.INVALID_CONFIG


@pytest.mark.parametrize("kind", ["echo", "Echo"])
def test_echo_gives_back_its_input_and_logs_its_message(kind: str) -> None:
    ctx = item({"title": "a"})

    assert step(kind, {"message": "Got {{ title }}"}).run(ctx, {"title": "a"}) == {"title": "a"}
    assert ctx.logged == [(LogLevel.INFO, "Got a")]
