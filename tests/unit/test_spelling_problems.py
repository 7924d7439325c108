"""Everything that is wrong with how a definition is written is found at once, and where it stands."""

from typing import Any

import pytest

from weft.domain.errors import ErrorCode, Problem
from weft.domain.spelling import read_definition


def problems_of(written: Any) -> dict[str, Problem]:
    found = read_definition(written, max_steps=10).problems
    return {".".join(problem.path): problem for problem in found}


def step(**fields: Any) -> dict[str, Any]:
    return {"steps": [{"id": "a", "type": "echo", **fields}]}


def test_an_unknown_field_names_the_one_that_was_meant() -> None:
    problem = problems_of(step(dependson=[]) | {"ouput": {}})
    assert problem["steps.0.dependson"].code is ErrorCode.UNKNOWN_FIELD
    assert problem["steps.0.dependson"].hint == "Did you mean 'dependsOn'?"
    assert problem["ouput"].hint == "Did you mean 'output'?"


def test_two_spellings_of_one_field_are_one_too_many() -> None:
    assert (
        "mean the same field"
        in problems_of(step(onFailure="CONTINUE", on_failure="STOP_RUN"))["steps.0.on_failure"].message
    )
    assert problems_of({"nodes": [{"id": "a", "type": "echo"}], "steps": [{"type": "echo"}]})["steps"]


def test_every_problem_is_found_in_one_pass() -> None:
    found = problems_of(
        {
            "steps": [
                {"id": "a b", "type": ""},
                {"id": "c", "type": "echo", "retry": {"maxAttempts": 0, "backoff": "quadratic", "jitter": 2}},
                {"id": "c", "type": "echo", "timeout": "soon", "config": [], "when": 3},
                {"type": "echo", "dependsOn": ["c", "c", 7]},
                {"id": "e"},
            ],
            "output": {"x": 1},
            "errorHandling": {"onFailure": "IGNORE"},
        }
    )
    assert set(found) == {
        "steps.0.id",
        "steps.0.type",
        "steps.1.retry.maxAttempts",
        "steps.1.retry.backoff",
        "steps.1.retry.jitter",
        "steps.2.id",
        "steps.2.timeout",
        "steps.2.config",
        "steps.2.when",
        "steps.3.dependsOn.1",
        "steps.3.dependsOn.2",
        "steps.4.type",
        "output.x",
        "errorHandling.onFailure",
    }
    assert found["steps.2.id"].code is ErrorCode.DUPLICATE_STEP


def test_durations_have_limits_and_no_months() -> None:
    for wrong in ("P1M", "PT0S", -1, "PT48H", True, float("inf")):
        assert problems_of(step(timeout=wrong))["steps.0.timeout"]
    assert problems_of(step(retry={"initialDelay": "PT10M", "maxDelay": "PT1M"}))["steps.0.retry.maxDelay"]


def test_a_long_initial_delay_alone_is_no_problem() -> None:
    assert problems_of(step(retry={"initialDelay": "PT10M"})) == {}


def test_too_many_steps_are_one_problem() -> None:
    found = problems_of({"tasks": [{"type": "nothing"}] * 11})
    assert {path: problem.code for path, problem in found.items()} == {"tasks": ErrorCode.LIMIT_EXCEEDED}


def test_connections_must_lead_from_node_to_node() -> None:
    found = problems_of(
        {
            "nodes": [{"id": "first", "type": "echo"}, {"type": "echo"}],
            "connections": [{"from": "first", "to": "frist"}, {"from": "first"}, 3],
        }
    )
    assert found["connections.0.to"].hint == "Did you mean 'first'?"
    assert {"nodes.1.id", "connections.1.to", "connections.2"} < set(found)


def test_a_place_is_named_as_it_was_written() -> None:
    reading = read_definition(
        {
            "nodes": [{"id": "a", "type": "echo"}, {"id": "b", "type": "echo", "data": {"x": 1}, "input": 2}],
            "connections": [{"from": "a", "to": "b"}],
        }
    )
    assert reading.locate(("nodes", "1", "config", "x")) == ("nodes", "1", "data", "x")
    assert reading.locate(("nodes", "1", "config", "input")) == ("nodes", "1", "input")
    assert reading.locate(("nodes", "1", "dependsOn", "0")) == ("connections", "0")


@pytest.mark.parametrize(
    ("cache", "path"),
    [
        ("PT1H", "steps.0.cache"),
        (3600, "steps.0.cache"),
        ({"maxAge": "soon"}, "steps.0.cache.maxAge"),
        ({"maxAge": "PT0S"}, "steps.0.cache.maxAge"),
        ({"maxAge": "P3Y"}, "steps.0.cache.maxAge"),
        ({"maxAge": "P10000D"}, "steps.0.cache.maxAge"),
        ({"age": "PT1H"}, "steps.0.cache.age"),
    ],
)
def test_a_cache_that_cannot_be_read_is_named(cache: Any, path: str) -> None:
    assert list(problems_of(step(cache=cache))) == [path]
