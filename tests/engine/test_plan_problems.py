"""Everything that can be known to fail is refused when a definition is saved: all of it, with its place and a hint."""

from typing import Any

import pytest

from weft.domain.entity import JsonSchema
from weft.domain.errors import ErrorCode, Problem
from weft.engine.compiling.compiler import check
from weft.steps import discover

CATALOGUE = discover()
INVOICE: JsonSchema = {
    "type": "object",
    "properties": {
        "number": {"type": "string"},
        "total": {"type": "number"},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
    },
    "$defs": {"line": {"type": "object", "properties": {"price": {"type": "number"}}}},
}


def problems_of(*steps: dict[str, Any], schema: JsonSchema | None = INVOICE, **rest: Any) -> dict[str, Problem]:
    found = check({"steps": list(steps), **rest}, CATALOGUE, schema)
    return {".".join(problem.path): problem for problem in found}


def only(found: dict[str, Problem]) -> tuple[str, Problem]:
    assert len(found) == 1, found
    return next(iter(found.items()))


def echo(step_id: str, **fields: Any) -> dict[str, Any]:
    return {"id": step_id, "type": "echo", **fields}


def text(source: str, **fields: Any) -> dict[str, Any]:
    return {"id": "text", "type": "text", "config": {"operation": "template", "template": source}, **fields}


def transform(step_id: str, fields: dict[str, str], **rest: Any) -> dict[str, Any]:
    return {"id": step_id, "type": "transform", "config": {"fields": fields}, **rest}


def test_an_unknown_type_names_the_one_that_was_meant() -> None:
    path, problem = only(problems_of({"type": "transfrom", "config": {"x": 1}}))
    assert (path, problem.code, problem.hint) == (
        "steps.0.type",
        ErrorCode.UNKNOWN_STEP_TYPE,
        "Did you mean 'transform'?",
    )


def test_every_mistake_of_a_config_is_a_problem_at_its_place() -> None:
    config = {"operation": "uper", "feild": "title", "value": 3}
    found = problems_of({"type": "text", "config": config})
    assert {problem.code for problem in found.values()} == {ErrorCode.INVALID_CONFIG}
    assert set(found) == {"steps.0.config.operation", "steps.0.config.feild", "steps.0.config.value"}
    assert found["steps.0.config.feild"].hint == "Did you mean 'field'?"


def test_a_config_under_another_name_is_named_as_it_was_written() -> None:
    found = check(
        {"nodes": [{"id": "a", "type": "validate", "data": {"rules": [{"name": "x"}]}}], "connections": []},
        CATALOGUE,
        None,
    )
    assert [problem.path for problem in found] == [("nodes", "0", "data", "rules", "0", "expression")]


def test_a_cycle_is_named_in_the_order_in_which_items_would_go() -> None:
    path, problem = only(
        problems_of(
            echo("a", dependsOn=["c"]),
            echo("b", dependsOn=["a"]),
            echo("c", dependsOn=["b"]),
            echo("d", dependsOn=["c"]),
        )
    )
    assert (path, problem.code) == ("steps.0.dependsOn.0", ErrorCode.CYCLE)
    assert "a → b → c → a" in problem.message
    assert "itself" in only(problems_of(echo("a", dependsOn=["a"])))[1].message


def test_an_unknown_dependency_names_the_one_that_was_meant() -> None:
    path, problem = only(problems_of(echo("parse"), echo("b", dependsOn=["prase"])))
    assert (path, problem.code, problem.hint) == (
        "steps.1.dependsOn.0",
        ErrorCode.UNKNOWN_REFERENCE,
        "Did you mean 'parse'?",
    )


def test_an_unknown_branch_lists_those_there_are() -> None:
    condition = {"id": "check", "type": "condition", "config": {"branches": {"large": "true"}, "otherwise": "small"}}
    path, problem = only(problems_of(condition, echo("b", dependsOn=["check:lage"])))
    assert (path, problem.code, problem.hint) == (
        "steps.1.dependsOn.0",
        ErrorCode.UNKNOWN_BRANCH,
        "Did you mean 'large'?",
    )
    assert "large, small" in problem.message
    assert only(problems_of(echo("a"), echo("b", dependsOn=["a:x"])))[1].code is ErrorCode.UNKNOWN_BRANCH


def test_an_unknown_field_of_the_entity_is_found_in_both_languages() -> None:
    found = problems_of(echo("a", when="input.totl > 1.0"), text("{{ numbr }} {{ entity.totall }}", dependsOn=[]))
    assert {problem.code for problem in found.values()} == {ErrorCode.UNKNOWN_REFERENCE}
    assert found["steps.0.when"].hint == 'Did you mean "total"?'
    assert (found["steps.0.when"].line, found["steps.0.when"].column) == (1, 7)
    problems = check({"steps": [text("Nr\n {{ numbr }} {{ entity.totall }}")]}, CATALOGUE, INVOICE)
    assert [(problem.hint, problem.line) for problem in problems] == [
        ('Did you mean "number"?', 2),
        ('Did you mean "total"?', 2),
    ]


def test_a_reference_to_a_step_that_does_not_run_before_says_so() -> None:
    path, problem = only(problems_of(echo("a"), transform("b", {"x": "steps.a.total"}, dependsOn=[])))
    assert (path, problem.code) == ("steps.1.config.fields.x", ErrorCode.UNKNOWN_REFERENCE)
    assert problem.hint == "Add 'a' to dependsOn, unless it comes after this step."
    assert (
        only(problems_of(echo("a"), text("{{ steps.a.total }}", dependsOn=[])))[1].hint
        == "Add 'a' to dependsOn, unless it comes after this step."
    )
    assert only(problems_of(echo("parse"), transform("b", {"x": "steps.prase"})))[1].hint == 'Did you mean "parse"?'


def test_ancestors_may_be_referred_to_over_several_steps() -> None:
    assert problems_of(echo("a"), echo("b"), transform("c", {"x": "steps.a.total + steps['b'].total"})) == {}


def test_a_workflow_without_entities_has_no_entity() -> None:
    assert "no entity type" in only(problems_of(echo("a", when="entity.x"), schema=None))[1].message


def test_a_type_error_of_an_expression_is_found_with_its_place() -> None:
    path, problem = only(problems_of(transform("a", {"x": "1.0 +\n input.number"})))
    assert (path, problem.code, problem.line) == ("steps.0.config.fields.x", ErrorCode.TYPE_MISMATCH, 1)


def test_types_flow_through_the_outputs_of_steps() -> None:
    found = problems_of(
        transform("a", {"double": "input.total * 2.0"}),
        echo("b", when="input.double == 'x' || input.double.size() > 1"),
    )
    assert only(found)[1].code is ErrorCode.TYPE_MISMATCH
    assert problems_of(transform("a", {"price": "input.lines[0].price"}), echo("b", when="input.price > 1.0")) == {}


def test_when_has_to_be_true_or_false() -> None:
    path, problem = only(problems_of(echo("a", when="input.number")))
    assert (path, problem.code) == ("steps.0.when", ErrorCode.TYPE_MISMATCH)


def test_a_syntax_error_has_its_line_and_column() -> None:
    path, problem = only(problems_of(echo("a", when="true &&\n)")))
    assert (path, problem.code, problem.line, problem.column) == ("steps.0.when", ErrorCode.INVALID_EXPRESSION, 2, 1)
    assert only(problems_of(text("a {% if %}")))[1].code is ErrorCode.INVALID_TEMPLATE


def test_an_oversized_expression_is_refused() -> None:
    assert only(problems_of(echo("a", when="true && " * 2000 + "true")))[1].code is ErrorCode.INVALID_EXPRESSION


def test_an_input_that_cannot_fit_is_refused() -> None:
    split = {"id": "a", "type": "text", "config": {"operation": "split", "field": "number"}}
    upper = {"id": "b", "type": "text", "config": {"operation": "upper", "field": "number"}}
    path, problem = only(problems_of(split, upper))
    assert (path, problem.code) == ("steps.1", ErrorCode.TYPE_MISMATCH)
    assert "number" in problem.message
    assert problem.hint == "It comes from 'a'."


def test_a_step_of_which_nothing_is_known_does_not_make_later_ones_wrong() -> None:
    found = problems_of(
        {"id": "a", "type": "nothing"}, echo("b", when="input.anything > 1"), transform("c", {"x": "steps.a.y + 1"})
    )
    assert set(found) == {"steps.0.type"}


def test_one_wrong_field_is_one_problem_and_not_one_per_reader() -> None:
    found = problems_of(
        transform("a", {"x": "input.nope", "y": "1"}), echo("b", when="input.x > 1"), echo("c", when="input.x == 2")
    )
    assert set(found) == {"steps.0.config.fields.x"}


def test_schemas_and_the_output_mapping_are_checked() -> None:
    found = problems_of(
        echo("a"),
        inputSchema={"type": "strin"},
        parametersSchema={"properties": {"limit": {"minimum": "x"}}},
        output={"x": "steps.b", "y": "params.limit"},
    )
    assert found["inputSchema.type"].code is ErrorCode.INVALID_SCHEMA
    assert found["parametersSchema.properties.limit.minimum"].code is ErrorCode.INVALID_SCHEMA
    assert found["output.x"].code is ErrorCode.UNKNOWN_REFERENCE


def test_the_input_of_the_output_mapping_is_what_the_last_steps_gave() -> None:
    step = transform("a", {"double": "input.total * 2.0"})
    assert problems_of(step, output={"x": "input.double + 1.0"}) == {}
    assert only(problems_of(step, output={"x": "input.duoble"}))[1].hint == 'Did you mean "double"?'


def test_the_outputs_of_several_steps_are_one_object() -> None:
    one, two = transform("a", {"x": "1"}, dependsOn=[]), transform("b", {"y": "'t'"}, dependsOn=[])
    assert (
        problems_of(
            one, two, echo("c", dependsOn=["a", "b"], when="input.x > 0 && input.y == 't' && input.total > 0.0")
        )
        == {}
    )
    assert (
        only(problems_of(one, two, echo("c", dependsOn=["a", "b"], when="input.z")))[1].code
        is ErrorCode.UNKNOWN_REFERENCE
    )


ODD: list[Any] = [None, 1, {"steps": [{"type": {}}]}, {"nodes": 3}, {"steps": [{"config": {"a": None}}]}]


@pytest.mark.parametrize("definition", ODD)
def test_any_json_gives_problems_and_never_an_error(definition: Any) -> None:
    assert check(definition, CATALOGUE, None)
