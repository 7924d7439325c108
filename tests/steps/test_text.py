"""The text step, operation by operation."""

from typing import Any

import pytest
from steps.items import item, problems, run, step

from weft.domain.errors import ErrorCode
from weft.domain.step import Fail


@pytest.mark.parametrize(
    ("config", "before", "after"),
    [
        ({"operation": "reverse"}, "abc", "cba"),
        ({"operation": "reverse"}, "cafe\u0301!", "!e\u0301fac"),
        ({"operation": "reverse"}, "a👩‍👩‍👧b👍🏽", "👍🏽b👩‍👩‍👧a"),
        ({"operation": "upper"}, "straße", "STRASSE"),
        ({"operation": "lower"}, "ÄB", "äb"),
        ({"operation": "title"}, "it's a film-noir", "It's A Film-Noir"),
        ({"operation": "capitalize"}, "hELLO", "Hello"),
        ({"operation": "trim"}, " \t a b\n", "a b"),
        ({"operation": "trim", "characters": "-"}, "--a-b--", "a-b"),
        ({"operation": "collapse"}, "  a \n\t b  ", "a b"),
        ({"operation": "replace", "search": ".", "replacement": "!"}, "a.b.", "a!b!"),
        ({"operation": "replace", "search": "é"}, "été", "t"),
        ({"operation": "replace", "pattern": "(\\d+)-(\\d+)", "replacement": "\\2/\\1"}, "10-20 é", "20/10 é"),
        ({"operation": "replace", "pattern": "(?P<y>\\d+)", "replacement": "<\\g<y>é\\\\>"}, "7", "<7é\\>"),
        ({"operation": "replace", "pattern": "B", "replacement": "", "ignoreCase": True}, "abB", "a"),
        ({"operation": "replace", "pattern": "x*", "replacement": "-"}, "ab", "-a-b-"),
        ({"operation": "replace", "pattern": "(a)|b", "replacement": "[\\1]"}, "ab", "[a][]"),
        ({"operation": "split"}, " a  b\nc ", ["a", "b", "c"]),
        ({"operation": "split", "separator": "|"}, "a||b", ["a", "", "b"]),
        ({"operation": "split", "pattern": "\\s*[,;]\\s*"}, "a , b;c", ["a", "b", "c"]),
        ({"operation": "split", "pattern": "x*"}, "axb", ["a", "b"]),
        ({"operation": "truncate", "length": 4}, "abcdef", "abc…"),
        ({"operation": "truncate", "length": 6}, "abcdef", "abcdef"),
        ({"operation": "truncate", "length": 2, "suffix": "..."}, "abcdef", ".."),
        ({"operation": "truncate", "length": 0}, "abc", ""),
        ({"operation": "length"}, "été", 3),
    ],
)
def test_an_operation_changes_the_text_of_its_field(config: dict[str, Any], before: str, after: Any) -> None:
    prepared = step("text", config)

    assert run(prepared, {"text": before, "id": 1}) == {"text": after, "id": 1}
    assert run(prepared, before) == {"text": after}


def test_the_result_goes_to_the_target_and_the_other_fields_stay_where_wanted() -> None:
    given = {"title": "a|b", "id": 1}

    kept = run(step("text", {"operation": "split", "field": "title", "separator": "|", "target": "parts"}), given)
    alone = run(step("text", {"operation": "upper", "field": "title", "keep": False}), given)

    assert kept == {"title": "a|b", "id": 1, "parts": ["a", "b"]}
    assert alone == {"title": "A|B"}
    assert given == {"title": "a|b", "id": 1}


def test_static_and_template_make_a_text_of_any_input() -> None:
    static = step("text", {"operation": "static", "value": "Hello {{ name }}"})
    template = step("text", {"operation": "template", "template": "Hello {{ name }}, {{ input.name }}"})

    assert run(static, None) == {"text": "Hello {{ name }}"}
    assert run(static, {"id": 1}) == {"id": 1, "text": "Hello {{ name }}"}
    assert run(template, {"name": "Ada"}) == {"name": "Ada", "text": "Hello Ada, Ada"}


def test_a_template_that_reads_what_is_not_there_fails_the_item() -> None:
    template = step("text", {"operation": "template", "template": "Hello {{ input.name }}"})

    with pytest.raises(Fail) as failure:
        run(template, {"title": "x"})

    assert failure.value.code == "TEMPLATE_FAILED"
    assert "name" in failure.value.reason


def test_concat_leaves_out_what_is_empty_and_takes_numbers() -> None:
    prepared = step("text", {"operation": "concat", "fields": ["first", "middle", "last", "year"], "target": "name"})

    assert run(prepared, {"first": "Ada", "middle": None, "last": "", "year": 1815})["name"] == "Ada 1815"


def test_join_takes_a_list_of_texts_and_numbers() -> None:
    prepared = step("text", {"operation": "join", "separator": ", "})

    assert run(prepared, {"text": ["a", 1, 2.5]}) == {"text": "a, 1, 2.5"}


MISFITS: list[tuple[dict[str, Any], Any, str]] = [
    ({"operation": "upper"}, None, "OBJECT_EXPECTED"),
    ({"operation": "upper"}, ["a"], "OBJECT_EXPECTED"),
    ({"operation": "upper"}, {"title": "a"}, "FIELD_MISSING"),
    ({"operation": "upper"}, {"text": None}, "TEXT_EXPECTED"),
    ({"operation": "upper"}, {"text": 5}, "TEXT_EXPECTED"),
    ({"operation": "join"}, {"text": "a"}, "LIST_EXPECTED"),
    ({"operation": "join"}, {"text": [{}]}, "TEXT_EXPECTED"),
    ({"operation": "concat", "fields": ["a"]}, {"a": [1]}, "TEXT_EXPECTED"),
    ({"operation": "concat", "fields": ["a"]}, "text", "OBJECT_EXPECTED"),
]


@pytest.mark.parametrize(("config", "value", "code"), MISFITS)
def test_an_input_that_does_not_fit_fails_with_a_reason(config: dict[str, Any], value: Any, code: str) -> None:
    with pytest.raises(Fail) as failure:
        run(step("text", config), value)

    assert failure.value.code == code
    assert failure.value.reason.endswith(".")


@pytest.mark.parametrize(
    ("config", "value"),
    [
        ({"operation": "replace", "search": "a", "replacement": "b" * 1_000}, "a" * 10_000),
        ({"operation": "replace", "pattern": "x*", "replacement": "b" * 1_000}, "a" * 10_000),
        ({"operation": "split", "separator": "a"}, "a" * 200_000),
        ({"operation": "join", "separator": "-" * 1_000}, {"text": ["a"] * 10_000}),
    ],
)
def test_a_result_that_would_fill_the_memory_is_refused(config: dict[str, Any], value: Any) -> None:
    with pytest.raises(Fail) as failure:
        run(step("text", config), value)

    assert failure.value.code == "TEXT_TOO_LONG"


def test_a_pattern_that_hangs_other_engines_ends_at_once() -> None:
    prepared = step("text", {"operation": "replace", "pattern": "(a+)+$", "replacement": "b"})

    assert run(prepared, "a" * 50_000 + "!") == {"text": "a" * 50_000 + "!"}


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "operation"),
        ({"operation": "shout"}, "upper"),
        ({"operation": "static"}, "needs 'value'"),
        ({"operation": "reverse", "pattern": "a"}, "takes no 'pattern'"),
        ({"operation": "replace"}, "either 'search' or 'pattern'"),
        ({"operation": "replace", "search": "a", "pattern": "a"}, "either 'search' or 'pattern'"),
        ({"operation": "replace", "search": "a", "ignoreCase": True}, "goes with 'pattern'"),
        ({"operation": "replace", "pattern": "("}, "not valid (RE2 syntax)"),
        ({"operation": "replace", "pattern": "(?=a)"}, "not valid (RE2 syntax)"),
        ({"operation": "replace", "pattern": "a", "replacement": "\\1"}, "group '1'"),
        ({"operation": "replace", "pattern": "a", "replacement": "\\g<x>"}, "group 'x'"),
        ({"operation": "split", "separator": ""}, "not empty"),
        ({"operation": "truncate", "length": -1}, "greater than or equal to 0"),
        ({"operation": "upper", "feild": "a"}, "feild"),
    ],
)
def test_a_config_that_makes_no_sense_is_a_problem(config: dict[str, Any], words: str) -> None:
    (problem,) = problems("text", config)

    assert problem.code is ErrorCode.INVALID_CONFIG
    assert words in problem.message


def test_a_template_with_a_mistake_is_a_problem_with_its_place() -> None:
    (problem,) = problems("text", {"operation": "template", "template": "Hello {{ name"})

    assert problem.code is ErrorCode.INVALID_TEMPLATE
    assert problem.path[-1] == "template"


@pytest.mark.parametrize(
    ("alias", "config", "value", "output"),
    [
        ("StaticTextInput", {"input": "Hello, world!"}, None, {"text": "Hello, world!"}),
        ("TextOperation.Reverse", {}, {"text": "Hello, world!"}, {"text": "!dlrow ,olleH"}),
        ("TextOperation.Uppercase", {}, {"text": "a", "id": 1}, {"text": "A"}),
        ("TextOperation.Lowercase", {}, {"text": "A"}, {"text": "a"}),
        ("TextOperation.Trim", {}, {"text": " a "}, {"text": "a"}),
        ("TextOperation.Replace", {"search": "a", "replacement": "b"}, {"text": "aa"}, {"text": "bb"}),
        ("TextOperation.Split", {"separator": ","}, {"text": "a,b"}, {"text": ["a", "b"]}),
        ("TextOperation.Join", {"separator": ","}, {"text": ["a", "b"]}, {"text": "a,b"}),
    ],
)
def test_the_type_names_of_a_text_system_take_text_and_give_text(
    alias: str, config: dict[str, Any], value: Any, output: dict[str, Any]
) -> None:
    assert run(step(alias, config), value) == output


def test_the_schemas_say_what_goes_in_and_comes_out() -> None:
    entity = {
        "type": "object",
        "properties": {"title": {"type": "string"}, "n": {"type": "integer"}},
        "required": ["n"],
    }
    length = step("text", {"operation": "length", "field": "title", "target": "size"}, entity_schema=entity)

    assert length.output_schema == {
        "type": "object",
        "properties": {"title": {"type": "string"}, "n": {"type": "integer"}, "size": {"type": "integer"}},
        "required": ["n", "size"],
    }
    (problem,) = problems("text", {"operation": "upper", "field": "n"}, entity_schema=entity)
    assert problem.code is ErrorCode.TYPE_MISMATCH


def test_a_template_does_not_log_or_keep_anything_of_an_item() -> None:
    prepared = step("text", {"operation": "template", "template": "{{ input.a }}"})
    first, second = item({"a": "1"}), item({"a": "2"})

    assert prepared.run(first, {"a": "1"}) == {"a": "1", "text": "1"}
    assert prepared.run(second, {"a": "2"}) == {"a": "2", "text": "2"}
    assert first.logged == []
