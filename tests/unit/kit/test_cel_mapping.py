from typing import Any

import pytest

from weft.kit.cel import CelEvaluationError, CelScope, CelSyntaxError, compile_mapping

SCOPE = CelScope(
    {"input": {"type": "object", "properties": {"total": {"type": "number"}, "name": {"type": "string"}, "note": {}}}}
)
VALUES: dict[str, Any] = {"input": {"total": 5.0, "name": "Ada", "note": None}}


def test_all_names_are_evaluated_in_their_order() -> None:
    mapping = compile_mapping(
        {"z": "input.total * 2.0", "a": "input.name // the name", 'odd "name"': "input.note"}, SCOPE
    )
    assert list(mapping.evaluate(VALUES).items()) == [("z", 10.0), ("a", "Ada"), ('odd "name"', None)]
    assert mapping.references == {"input.total", "input.name", "input.note"}


def test_problems_carry_the_name_they_belong_to() -> None:
    with pytest.raises(CelSyntaxError) as caught:
        compile_mapping({"a": "input.totl", "b": "input.total", "c": "1 +"}, SCOPE)
    assert [problem.name for problem in caught.value.problems] == ["a", "c"]


def test_an_expression_cannot_reach_out_of_its_place() -> None:
    with pytest.raises(CelSyntaxError):
        compile_mapping({"a": "1), (2", "b": "3"}, SCOPE)


def test_a_failure_names_the_expression() -> None:
    mapping = compile_mapping({"a": "input.total", "b": "1 / 0"}, SCOPE)
    with pytest.raises(CelEvaluationError, match="b: divide by zero") as caught:
        mapping.evaluate(VALUES)
    assert caught.value.name == "b"


def test_each_expression_has_the_loops_of_its_own() -> None:
    values = {"input": {"note": list(range(1000))}}
    mapping = compile_mapping({f"n{n}": "input.note.all(x, x >= 0)" for n in range(15)}, SCOPE)
    assert set(mapping.evaluate(values).values()) == {True}


def test_expressions_too_large_together_are_evaluated_alone() -> None:
    mapping = compile_mapping({f"n{n}": f"'{'x' * 5000}{n}'" for n in range(5)}, SCOPE)
    assert mapping.evaluate(VALUES)["n4"].endswith("4")


def test_small_and_empty_mappings_work() -> None:
    assert compile_mapping({}, SCOPE).evaluate(VALUES) == {}
    assert compile_mapping({"a": "input.note"}, SCOPE).evaluate(VALUES) == {"a": None}


def test_the_schema_of_the_results_is_known() -> None:
    assert compile_mapping({"a": "input.total", "b": "input.name"}, SCOPE).result_schema == {
        "type": "object",
        "properties": {"a": {"type": "number"}, "b": {"type": "string"}},
        "required": ["a", "b"],
        "additionalProperties": False,
    }
