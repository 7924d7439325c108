import sys
from typing import Any

import pytest

from weft.kit.cel import CelEvaluationError, CelScope, CelSyntaxError, compile_cel

ANYTHING = CelScope({"input": None, "steps": None})
VALUES: dict[str, Any] = {
    "input": {"total": 5.5, "count": 2, "name": "Ada", "note": None, "tags": ["a", "b"], "odd name": 1},
    "steps": {"extract": {"date": "2026-01-31"}},
}


def evaluate(source: str) -> Any:
    return compile_cel(source, ANYTHING).evaluate(VALUES)


def problems(source: str) -> list[str]:
    with pytest.raises(CelSyntaxError) as caught:
        compile_cel(source, ANYTHING)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("input.total > 5.0 && input.name == 'Ada'", True),
        ("input.note", None),
        ("input.name.upperAscii()", "ADA"),
        ("input.tags.map(tag, tag + '!')", ["a!", "b!"]),
        ("{'a': [null, {1: true, false: 2}]}", {"a": [None, {"1": True, "false": 2}]}),
        ("timestamp('2026-01-31T10:00:00+02:00')", "2026-01-31T08:00:00Z"),
        ("timestamp('2026-01-31T10:00:00.5Z')", "2026-01-31T10:00:00.500000Z"),
        (
            "[duration('90s'), duration('26h0.5s'), duration('-1s'), duration('0s')]",
            ["PT1M30S", "PT26H0.5S", "-PT1S", "PT0S"],
        ),
        ("b'abc'", "YWJj"),
        ("5u", 5),
        ("input['odd name']", 1),
        ("input.?nope.orValue('none')", "none"),
        ("has(input.nope)", False),
        ("math.greatest(1, 3)", 3),
        ("'ERROR: not one'", "ERROR: not one"),
        ("{?'a': input.?nope}", {}),
    ],
)
def test_results_are_plain_json(source: str, result: Any) -> None:
    found = evaluate(source)
    assert found == result
    assert type(found) is type(result)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("1 / 0", "divide by zero"),
        ("input.nope", 'no "nope"'),
        ("input.total + input.count", '"+" cannot be applied to double and int'),
        ("0.0 / 0.0", "not a JSON number"),
        ("[1.0 / 0.0]", "not a JSON number"),
        ("input.?nope", "optional"),
        ("[null, optional.of(1)]", "optional"),
        ("type(1)", "not a JSON value"),
        ("input.tags[7]", "index=7"),
        ("input.name.matches('(')", "regular expression"),
    ],
)
def test_a_failed_evaluation_says_why(source: str, message: str) -> None:
    with pytest.raises(CelEvaluationError, match=message.replace("(", r"\(").replace("+", r"\+")):
        evaluate(source)


def test_a_name_without_a_value_is_an_error_that_names_it() -> None:
    with pytest.raises(CelEvaluationError, match="steps"):
        compile_cel("steps.a", ANYTHING).evaluate({"input": {}})


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("1 +", "1:4: the expression ends too early"),
        ("1 +\n  inptu.total", '2:3: there is no name "inptu" here (did you mean "input"?)'),
        ("input.name.upperAsci()", '1:12: there is no function "upperAsci" here (did you mean "upperAscii"?)'),
        ("1 + 'a'", '1:3: "+" cannot be applied to int and string'),
        (
            "true ? 1 : 'a'",
            "1:6: both sides of ?: must be of one type, not int and string (dyn(…) around one of them allows it)",
        ),
        ("", "1:1: the expression ends too early"),
        ("\ud800", "1:1: holds a character that is half of one (a lone surrogate)"),
    ],
)
def test_problems_have_their_place_and_a_hint(source: str, problem: str) -> None:
    assert problems(source) == [problem]


def test_all_problems_are_told_at_once() -> None:
    assert problems("one + input.total + two") == [
        '1:1: there is no name "one" here',
        '1:21: there is no name "two" here',
    ]


def test_messages_say_nothing_of_the_library() -> None:
    for source in ("1 +", "@", "foo", "if", "true?true?1", "'abc", "[1].map(1, 2)"):
        for problem in problems(source):
            assert not any(
                noise in problem for noise in ("ERROR", "INVALID_ARGUMENT", "<input>", "container", "<<nil>>", "\n")
            )


@pytest.mark.parametrize(
    ("source", "references"),
    [
        ("input.total + steps.extract.date.size()", {"input.total", "steps.extract.date"}),
        ("input['odd name'] + input.tags[0].x", {"input.odd name", "input.tags"}),
        ("input.lines.all(input, input.x == steps.a)", {"input.lines", "steps.a"}),
        ("has(input.a.b) ? input.?c : optional.none()", {"input.a.b", "input.c"}),
        ("input[steps.key]", {"input", "steps.key"}),
        ("1 + 1", set[str]()),
    ],
)
def test_what_an_expression_reads_is_known(source: str, references: set[str]) -> None:
    assert compile_cel(source, ANYTHING).references == references


def test_only_what_is_read_is_handed_over() -> None:
    values = {"input": {"total": 5.0, "blob": object()}}
    assert compile_cel("input.total > 1.0", ANYTHING).evaluate(values) is True


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None has no reference count there")
def test_nulls_in_results_do_not_use_up_the_interpreters_none() -> None:
    # The library drops a reference to None for each null it returns; 3.11 aborts when none is left.
    expression = compile_cel("[null, null, null, null, null, null, null, null, null, null]", ANYTHING)
    for _ in range(5000):
        expression.evaluate({})
    assert sys.getrefcount(None) > 1 << 39


def test_scopes_with_the_same_schemas_are_equal() -> None:
    one, same = CelScope({"a": {"type": "string"}, "b": None}), CelScope({"b": None, "a": {"type": "string"}})
    assert one == same
    assert hash(one) == hash(same)
    assert one != CelScope({"a": None, "b": None})
    assert one != CelScope({"a": {"type": "string"}, "b": None}, strict=False)


def test_a_scope_refuses_names_that_are_none() -> None:
    with pytest.raises(ValueError, match="cannot be a name"):
        CelScope({"a-b": None})
