import time
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from weft.kit.json_schema import SchemaProblemError, compile_schema

ORDER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "total": {"type": "number"},
        "state": {"enum": ["OPEN", "PAID"]},
        "day": {"type": "string", "format": "date"},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"price": {"type": "number"}}}},
    },
    "required": ["total"],
    "additionalProperties": False,
}


def problems(schema: Any) -> list[str]:
    with pytest.raises(SchemaProblemError) as caught:
        compile_schema(schema)
    return [f"{'.'.join(problem.path)}: {problem.message}" for problem in caught.value.problems]


def test_a_valid_value_has_no_violations() -> None:
    order = compile_schema(ORDER)
    assert order.check({"total": 5, "day": "2026-01-31"}) == []
    assert order.is_valid({"total": 5})


def test_every_violation_has_its_path_and_keyword() -> None:
    found = compile_schema(ORDER).check({"state": "OPN", "day": "31.1.", "lines": [{"price": "x"}], "totl": 5})
    assert {(".".join(one.path), one.keyword) for one in found} == {
        ("total", "required"),
        ("state", "enum"),
        ("day", "format"),
        ("lines.0.price", "type"),
        ("totl", "additionalProperties"),
    }
    assert any("did you mean" in one.message for one in found)


def test_huge_values_are_not_echoed_and_violations_are_counted_out() -> None:
    array = compile_schema({"type": "array", "items": {"type": "integer"}})
    found = array.check(["x" * 1_000_000] * 60)
    assert len(found) == 50
    assert all(len(one.message) < 300 for one in found)
    assert "integer" in found[0].message


def test_of_a_very_large_value_the_first_violation_is_told_quickly() -> None:
    array = compile_schema({"type": "array", "items": {"type": "integer"}})
    started = time.monotonic()
    assert [one.path for one in array.check(["x"] * 200_000)] == [["0"]]
    assert time.monotonic() - started < 1


def test_of_several_forms_the_violations_of_the_one_that_was_meant_are_told() -> None:
    schema: Any = {"anyOf": [{"type": "null"}, {"type": "object", "properties": {"a": {"type": "integer"}}}]}
    assert [(one.path, one.keyword) for one in compile_schema(schema).check({"a": "x"})] == [(["a"], "type")]


def test_all_problems_of_a_schema_are_told_with_their_paths() -> None:
    found = problems({"type": "objct", "properties": {"a": {"minimum": "5"}}, "required": "a"})
    assert [one.partition(":")[0] for one in sorted(found)] == ["properties.a.minimum", "required", "type"]


@pytest.mark.parametrize("pattern", ["(a", "(?=look)ahead", r"(a)\1"])
def test_patterns_that_could_hang_or_are_broken_are_refused(pattern: str) -> None:
    assert problems({"type": "string", "pattern": pattern})


def test_patterns_run_in_linear_time() -> None:
    validator = compile_schema({"pattern": "^(a+)+$"})
    started = time.monotonic()
    assert not validator.is_valid("a" * 50_000 + "!")
    assert time.monotonic() - started < 1


def test_references_to_other_documents_are_refused_and_never_fetched(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/schema").respond_with_json({"type": "string"})
    for reference in (httpserver.url_for("/schema"), "file:///etc/passwd"):
        assert "other documents" in problems({"$ref": reference})[0]
    assert problems({"$schema": httpserver.url_for("/schema")})
    assert httpserver.log == []


def test_an_unknown_local_reference_is_refused() -> None:
    assert problems({"$ref": "#/$defs/nothing"})


@pytest.mark.parametrize(
    "schema",
    [
        {"description": "x" * 300_000},
        {"$ref": "#"},
        {"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}]}}},
        {"enum": [object()]},
    ],
)
def test_schemas_over_the_limits_are_refused(schema: Any) -> None:
    assert problems(schema)


def test_a_schema_nested_too_deeply_is_refused() -> None:
    schema: dict[str, Any] = {}
    for _ in range(5000):
        schema = {"not": schema}
    assert "levels deep" in problems(schema)[0]


def test_references_that_multiply_are_refused_quickly() -> None:
    doubling: dict[str, Any] = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)}
    started = time.monotonic()
    assert "parts" in problems({"$ref": "#/$defs/d0", "$defs": {**doubling, "d40": {}}})[0]
    assert time.monotonic() - started < 1


def test_a_recursive_schema_refuses_values_that_are_nested_without_end() -> None:
    tree = compile_schema({"properties": {"child": {"$ref": "#"}}})
    value: dict[str, Any] = {}
    for _ in range(50_000):
        value = {"child": value}
    assert not tree.is_valid(value)
    assert tree.check(value)[0].keyword == "depth"


def test_recursion_that_branches_limits_the_depth_of_values_more() -> None:
    branch: dict[str, Any] = {"type": "object", "properties": {"child": {"$ref": "#"}}, "required": ["x"]}
    schema = compile_schema({"anyOf": [branch, {**branch, "required": ["y"]}, {"type": "integer"}]})
    value: Any = "not an integer"
    for _ in range(40):
        value = {"child": value, "x": 1, "y": 1}
    started = time.monotonic()
    assert schema.check(value)
    assert time.monotonic() - started < 1
    assert schema.is_valid({"child": {"child": 5, "x": 1}, "y": 1})


def test_what_is_not_json_is_a_violation_and_no_crash() -> None:
    validator = compile_schema({"properties": {"a": {"type": "string"}}})
    assert not validator.is_valid({"a": object()})
    assert "plain JSON" in validator.check({"a": object()})[0].message


def test_older_drafts_are_known_by_their_name() -> None:
    schema: Any = {"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "string"}]}
    assert not compile_schema(schema).is_valid([1])
    assert compile_schema({"items": {"type": "string"}}).check([1])
