"""Whatever is written as a definition, checking it ends soon, with a plan or with problems."""

import time
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from weft.domain.errors import ErrorCode
from weft.engine.compiling.compiler import check, examine
from weft.steps import discover

Strategy = st.SearchStrategy[Any]
CATALOGUE = discover()
WORDS = st.sampled_from(
    ["steps", "nodes", "connections", "id", "type", "config", "dependsOn", "when", "retry", "output", "inputSchema", "schema",
     "properties", "required", "$ref", "fields", "rules", "branches", "operation", "template", "from", "to", "a", "b", "a:x"]
)  # fmt: skip
TEXTS = st.sampled_from(
    [
        *CATALOGUE.names,
        "a",
        "a:x",
        "input.x > 1",
        "steps.a",
        "{{ x }}",
        "{% if %}",
        "#/",
        "object",
        "",
        "PT1S",
        "é\0",
        "x" * 70,
    ]
)
VALUES: Strategy = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2**70) | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=25,
)
STEPS: Strategy = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(sorted(CATALOGUE.names))},
        optional={"id": st.sampled_from("abc"), "config": VALUES, "dependsOn": VALUES, "when": TEXTS, "input": VALUES},
    ),
    max_size=5,
)
DEFINITIONS: Strategy = VALUES | st.fixed_dictionaries(
    {"steps": STEPS}, optional={"output": VALUES, "inputSchema": VALUES, "parametersSchema": VALUES}
)


@settings(max_examples=300, deadline=None)
@given(DEFINITIONS)
def test_any_json_is_either_a_plan_or_has_problems(definition: Any) -> None:
    examined = examine(definition, CATALOGUE, None)
    assert (examined.plan is None) == bool(examined.problems)


def test_a_wrong_schema_in_a_config_is_a_problem_and_goes_no_further() -> None:
    wrong = {"type": "object", "properties": {"x": {"default": 1}}, "required": 5}
    steps = [
        {"type": "input", "config": {"schema": wrong}},
        {"type": "transform", "config": {"fields": {"y": "input.x"}}},
    ]
    problems = check({"steps": steps}, CATALOGUE, None)
    assert {problem.code for problem in problems} == {ErrorCode.INVALID_SCHEMA}
    assert problems[0].path[:4] == ("steps", "0", "config", "schema")


def test_many_steps_over_a_wide_entity_are_checked_in_seconds() -> None:
    schema = {"type": "object", "properties": {f"field_{number}": {"type": "string"} for number in range(3_000)}}
    first = {"id": "first", "type": "echo"}
    fan = [{"type": "echo", "when": "input.field_7 == 'x'", "dependsOn": ["first"]} for _ in range(98)]
    join = {
        "type": "transform",
        "config": {"fields": {"x": "input.field_1"}},
        "dependsOn": [f"echo_{n + 2}" for n in range(98)],
    }
    chain = [{"type": "echo", "when": "input.field_2999 != ''"} for _ in range(100)]
    began = time.process_time()
    assert check({"steps": [first, *fan, join, *chain]}, CATALOGUE, schema) == ()
    assert time.process_time() - began < 5
