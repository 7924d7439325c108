"""Definitions in every spelling mean the same graph."""

from datetime import timedelta
from typing import Any

import pytest

from weft.domain.definition import Backoff, Dependency, OnFailure, RetryPolicy
from weft.domain.spelling import read_definition, write_definition


def canonical(written: Any) -> dict[str, Any]:
    reading = read_definition(written)
    assert reading.problems == ()
    return write_definition(reading.definition)


def test_a_step_without_depends_on_follows_the_step_before() -> None:
    written: dict[str, Any] = {
        "steps": [
            {"id": "a", "type": "echo"},
            {"id": "b", "type": "echo"},
            {"id": "c", "type": "echo", "dependsOn": []},
        ]
    }
    steps = read_definition(written).definition.steps
    assert [step.depends_on for step in steps] == [(), (Dependency("a"),), ()]


def test_a_dependency_may_name_a_branch() -> None:
    written: dict[str, Any] = {
        "steps": [{"id": "check", "type": "condition"}, {"id": "b", "type": "echo", "dependsOn": ["check:large"]}]
    }
    assert read_definition(written).definition.steps[1].depends_on == (Dependency("check", "large"),)


def test_ids_that_were_left_out_are_made_from_type_and_position_and_stay_unique() -> None:
    written = {"steps": [{"type": "TextOperation.Reverse"}, {"id": "echo_3", "type": "echo"}, {"type": "Echo"}]}
    ids = [step.id for step in read_definition(written).definition.steps]
    assert ids == ["text_operation_reverse_1", "echo_3", "echo_3_"]


def test_nodes_and_connections_are_the_same_graph_as_steps() -> None:
    drawn: dict[str, Any] = {
        "nodes": [
            {"id": "in", "type": "input", "position": {"x": 1, "y": 2}},
            {"id": "check", "type": "condition", "data": {"branches": {"large": "true"}}},
            {"id": "out", "type": "output", "label": "Result", "config": {}},
        ],
        "connections": [
            {"from": "in", "to": "check"},
            {"source": "check", "target": "out", "sourceHandle": "large", "targetHandle": None},
        ],
    }
    written: dict[str, Any] = {
        "steps": [
            {"id": "in", "type": "input"},
            {"id": "check", "type": "condition", "config": {"branches": {"large": "true"}}},
            {"id": "out", "type": "output", "name": "Result", "dependsOn": ["check:large"]},
        ]
    }
    assert canonical(drawn) == canonical(written)


def test_nodes_without_connections_are_roots() -> None:
    drawn = {"nodes": [{"id": "a", "type": "echo"}, {"id": "b", "type": "echo"}], "connections": []}
    assert [step.depends_on for step in read_definition(drawn).definition.steps] == [(), ()]


def test_tasks_in_snake_case_and_lower_case_are_understood() -> None:
    definition = read_definition(
        {
            "tasks": [
                {"id": "parse", "type": "echo", "config": {}},
                {"id": "store", "type": "echo", "depends_on": ["parse"], "on_failure": "continue", "timeout": 1.5},
            ],
            "error_handling": {"retry": {"max_attempts": 3, "backoff": "exponential", "initial_delay": "PT2S"}},
        }
    ).definition
    store = definition.steps[1]
    assert (store.depends_on, store.on_failure, store.timeout) == (
        (Dependency("parse"),),
        OnFailure.CONTINUE,
        timedelta(seconds=1.5),
    )
    assert definition.error_handling.retry == RetryPolicy(3, Backoff.EXPONENTIAL, timedelta(seconds=2))


def test_input_beside_the_type_is_short_for_a_config() -> None:
    written = {"steps": [{"type": "StaticTextInput", "input": "Hello, world!"}]}
    assert canonical(written)["steps"][0]["config"] == {"input": "Hello, world!"}


def test_the_canonical_spelling_is_a_fixed_point() -> None:
    once = canonical(
        {
            "steps": [
                {
                    "type": "condition",
                    "config": {"branches": {"a": "true"}},
                    "retry": {"maxAttempts": 2},
                    "when": "true",
                },
                {"type": "echo", "dependsOn": "condition_1:a", "timeout": 90, "name": "Echo"},
            ],
            "inputSchema": {"type": "object"},
            "parametersSchema": {"type": "object"},
            "output": {"x": "input"},
            "errorHandling": {"onFailure": "stop_run"},
        }
    )
    assert canonical(once) == once
    assert once["steps"][1]["dependsOn"] == ["condition_1:a"]
    assert once["steps"][1]["timeout"] == "PT1M30S"
    assert once["errorHandling"] == {"onFailure": "STOP_RUN"}


@pytest.mark.parametrize("written", [None, [], "steps", 3, {"steps": {}}, {"steps": [3]}, {"steps": []}, {}])
def test_what_is_no_definition_is_a_problem_and_never_an_error(written: Any) -> None:
    assert read_definition(written).problems


@pytest.mark.parametrize(
    ("written", "canonically"),
    [
        (True, {"maxAge": "P30D"}),
        ({}, {"maxAge": "P30D"}),
        ({"maxAge": "PT24H"}, {"maxAge": "P1D"}),
        ({"max_age": 90}, {"maxAge": "PT1M30S"}),
        (False, None),
        (None, None),
    ],
)
def test_the_cache_of_a_step_is_on_or_off_or_has_an_age(written: Any, canonically: Any) -> None:
    (step,) = canonical({"steps": [{"type": "echo", "cache": written}]})["steps"]
    assert step.get("cache") == canonically
    assert canonical({"steps": [step]}) == {"steps": [step]}
