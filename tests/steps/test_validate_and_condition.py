"""The steps that judge an item."""

from typing import Any

import pytest
from steps.items import problems, run, step

from weft.domain.errors import ErrorCode
from weft.domain.step import Fail, Output, Skip

RULES: list[dict[str, Any]] = [
    {"name": "positive", "expression": "input.n > 0", "message": "{{ n }} is not positive.", "code": "NOT_POSITIVE"},
    {"name": "small", "expression": "input.n < 100"},
    {"name": "even", "expression": "input.n % 2 == 0"},
]
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def test_a_valid_item_passes_through_as_it_is() -> None:
    given = {"n": 2}

    assert run(step("validate", {"schema": SCHEMA, "rules": RULES}), given) is given


def test_all_broken_rules_are_in_the_details_and_the_first_is_the_reason() -> None:
    with pytest.raises(Fail) as failure:
        run(step("validate", {"schema": SCHEMA, "rules": RULES}), {"n": -1})

    assert failure.value.code == "NOT_POSITIVE"
    assert failure.value.reason == "-1 is not positive. (and 1 more)"
    assert failure.value.details == [
        {"rule": "positive", "message": "-1 is not positive."},
        {"rule": "even", "message": "The rule 'even' does not hold."},
    ]


def test_what_breaks_the_schema_is_not_reported_again_by_the_rules_it_breaks() -> None:
    with pytest.raises(Fail) as failure:
        run(step("validate", {"schema": SCHEMA, "rules": RULES}), {"n": "x"})

    assert failure.value.code == "VALIDATION_FAILED"
    assert [detail.get("path") for detail in failure.value.details] == [["n"]]


def test_a_rule_that_cannot_be_told_counts_as_broken() -> None:
    with pytest.raises(Fail) as failure:
        run(step("validate", {"rules": RULES}), {})

    assert len(failure.value.details) == 3
    assert failure.value.reason.startswith("positive: ")


def test_a_message_that_cannot_be_written_does_not_hide_the_broken_rule() -> None:
    rules = [{"name": "never", "expression": "false", "message": "{{ input.absent }}"}]

    with pytest.raises(Fail, match="The rule 'never' does not hold"):
        run(step("validate", {"rules": rules}), {})


def test_invalid_items_are_skipped_where_that_is_wanted() -> None:
    with pytest.raises(Skip, match="is not positive"):
        run(step("validate", {"rules": RULES, "onInvalid": "SKIP"}), {"n": -2})


@pytest.mark.parametrize(
    "config", [{}, {"rules": []}, {"rules": [RULES[0], RULES[0]]}, {"rules": [{**RULES[0], "code": "lower"}]}]
)
def test_a_validation_that_makes_no_sense_is_a_problem(config: dict[str, Any]) -> None:
    (problem,) = problems("validate", config)

    assert problem.code is ErrorCode.INVALID_CONFIG


def test_a_rule_that_is_no_condition_is_a_problem_at_its_place() -> None:
    found = problems("validate", {"rules": [RULES[0], {"name": "sum", "expression": "1 + 1"}]})

    assert [(problem.code, problem.path[-2:]) for problem in found] == [(ErrorCode.TYPE_MISMATCH, ("rules", "1"))]


BRANCHES = {"large": "input.n > 10", "even": "input.n % 2 == 0"}


@pytest.mark.parametrize(
    ("config", "n", "taken"),
    [
        ({}, 12, ("large",)),
        ({}, 2, ("even",)),
        ({}, 1, ()),
        ({"otherwise": "rest"}, 1, ("rest",)),
        ({"mode": "ALL"}, 12, ("large", "even")),
        ({"mode": "ALL", "otherwise": "rest"}, 1, ("rest",)),
        ({"mode": "ALL", "otherwise": "rest"}, 11, ("large",)),
    ],
)
def test_an_item_takes_the_branches_whose_conditions_hold(
    config: dict[str, Any], n: int, taken: tuple[str, ...]
) -> None:
    given = {"n": n}
    prepared = step("condition", {"branches": BRANCHES, **config})

    assert run(prepared, given) == Output(given, taken)
    assert set(taken) <= set(prepared.branches or ())


def test_a_condition_behind_the_one_that_decided_is_not_looked_at() -> None:
    prepared = step("condition", {"branches": {"first": "true", "broken": "input.absent"}})

    assert run(prepared, {}).branches == ("first",)


def test_a_condition_that_cannot_be_told_fails_and_names_the_branch() -> None:
    with pytest.raises(Fail, match="large") as failure:
        run(step("condition", {"branches": BRANCHES}), None)

    assert failure.value.code == "EXPRESSION_FAILED"


def test_an_answer_that_is_neither_true_nor_false_fails() -> None:
    with pytest.raises(Fail, match="gives text, not true or false"):
        run(step("condition", {"branches": {"a": "input.flag", "b": "true"}}), {"flag": "false"})


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"branches": {}}, ErrorCode.INVALID_CONFIG),
        ({"branches": {"a b": "true"}}, ErrorCode.INVALID_CONFIG),
        ({"branches": {"a": "true"}, "otherwise": "a"}, ErrorCode.INVALID_CONFIG),
        ({"branches": {"a": "1 + 1"}}, ErrorCode.TYPE_MISMATCH),
        ({"branches": {"a": "nobody"}}, ErrorCode.UNKNOWN_REFERENCE),
    ],
)
def test_a_condition_that_makes_no_sense_is_a_problem(config: dict[str, Any], code: ErrorCode) -> None:
    assert [problem.code for problem in problems("condition", config)] == [code]
