"""A definition that is right becomes a plan."""

from datetime import timedelta
from typing import Any

import pytest

from weft.domain.definition import Backoff, OnFailure
from weft.domain.entity import JsonSchema
from weft.domain.errors import Invalid
from weft.domain.step import Shape
from weft.engine.compiling.compiler import compile_plan
from weft.engine.plan import Edge, Plan
from weft.steps import discover

CATALOGUE = discover()
INVOICE: JsonSchema = {
    "type": "object",
    "properties": {"number": {"type": "string"}, "total": {"type": "number"}},
    "required": ["total"],
}
BRANCHED: dict[str, Any] = {
    "steps": [
        {
            "id": "check",
            "type": "condition",
            "dependsOn": [],
            "config": {"branches": {"large": "input.total > 1000.0", "small": "true"}},
        },
        {"id": "approve", "type": "transform", "dependsOn": ["check:large"], "config": {"fields": {"ok": "false"}}},
        {"id": "accept", "type": "transform", "dependsOn": ["check:small"], "config": {"fields": {"ok": "true"}}},
        {"id": "end", "type": "output", "dependsOn": ["approve", "accept"], "config": {"fields": {"ok": "input.ok"}}},
    ]
}


def compiled(definition: Any, entity_schema: JsonSchema | None = INVOICE) -> Plan:
    return compile_plan(definition, CATALOGUE, entity_schema)


def test_steps_stand_after_what_they_depend_on_however_they_were_written() -> None:
    plan = compiled({"steps": list(reversed(BRANCHED["steps"]))})
    assert [step.id for step in plan.steps] == ["check", "accept", "approve", "end"]
    assert [step.index for step in plan.steps] == [0, 1, 2, 3]
    assert plan.steps[3].edges == (Edge(2, None), Edge(1, None))
    assert plan.steps[2].edges == (Edge(0, "large"),)
    assert plan.leaves == (3,)


def test_nodes_and_connections_compile_to_the_same_plan() -> None:
    nodes = [{name: value for name, value in step.items() if name != "dependsOn"} for step in BRANCHED["steps"]]
    connections = [
        {"from": "check", "to": "approve", "branch": "large"},
        {"from": "check", "to": "accept", "branch": "small"},
        {"from": "approve", "to": "end"},
        {"from": "accept", "to": "end"},
    ]
    drawn = compiled({"nodes": nodes, "connections": connections})
    assert [step.fingerprint for step in drawn.steps] == [step.fingerprint for step in compiled(BRANCHED).steps]


def test_a_steps_own_policy_stands_before_that_of_all_steps_and_that_before_its_types() -> None:
    steps = [
        {"type": "echo", "retry": {"maxAttempts": 5}, "onFailure": "CONTINUE", "timeout": "PT3S"},
        {"type": "echo"},
    ]
    handling = {"retry": {"maxAttempts": 2, "backoff": "FIXED"}, "onFailure": "STOP_RUN"}
    first, second = compiled({"steps": steps, "errorHandling": handling}).steps
    assert (first.retry.max_attempts, first.on_failure, first.timeout) == (5, OnFailure.CONTINUE, timedelta(seconds=3))
    assert (second.retry.max_attempts, second.retry.backoff) == (2, Backoff.FIXED)
    assert second.on_failure is OnFailure.STOP_RUN
    alone = compiled({"steps": [{"type": "echo"}]}).steps[0]
    assert alone.retry == alone.type.default_retry


def test_an_alias_brings_its_config_and_input_is_short_for_it() -> None:
    plan = compiled(
        {"steps": [{"type": "StaticTextInput", "input": "Hi"}, {"type": "TextOperation.Reverse"}, {"type": "Echo"}]},
        None,
    )
    assert [step.kind for step in plan.steps] == ["text", "text", "echo"]
    assert plan.computes_only
    assert {step.shape for step in plan.steps} == {Shape.COMPUTES}


def test_a_plan_tells_which_names_are_read() -> None:
    assert compiled(BRANCHED).names_read == {"input"}
    text = {"operation": "template", "template": "{{ number }} of {{ run.id }}"}
    when = {"type": "text", "config": text, "when": "entity.total > 1.0"}
    output = {"all": "steps.text_1.text", "limit": "params.limit"}
    assert compiled({"steps": [when], "output": output}).names_read == {"input", "run", "entity", "steps", "params"}


def test_schemas_of_input_and_parameters_are_compiled() -> None:
    schema = {"type": "object", "required": ["x"], "properties": {"x": {"type": "integer"}}}
    plan = compiled(
        {"steps": [{"type": "echo", "when": "input.x > params.x"}], "inputSchema": schema, "parametersSchema": schema},
        None,
    )
    assert plan.input_schema is not None
    assert plan.parameters_schema is not None
    assert not plan.input_schema.is_valid({})
    assert plan.parameters_schema.is_valid({"x": 1})


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({"timeout": "PT9S"}, True),
        ({"retry": {"maxAttempts": 9}}, True),
        ({"name": "Echo"}, True),
        ({"when": "true"}, False),
        ({"config": {"message": "x"}}, False),
    ],
)
def test_a_fingerprint_changes_with_what_the_result_depends_on(changed: dict[str, Any], same: bool) -> None:
    def fingerprints(fields: dict[str, Any]) -> list[str]:
        steps: list[dict[str, Any]] = [
            {"id": "a", "type": "echo", **fields},
            {"id": "b", "type": "echo"},
            {"id": "c", "type": "echo", "dependsOn": []},
        ]
        return [step.fingerprint for step in compiled({"steps": steps}).steps]

    before, after = fingerprints({}), fingerprints(changed)
    assert [one == other for one, other in zip(before, after, strict=True)] == [same, same, True]


def test_compiling_a_wrong_definition_raises_all_its_problems() -> None:
    with pytest.raises(Invalid) as raised:
        compiled({"steps": [{"type": "nothing"}, {"type": "echo", "when": "1 +"}]})
    assert len(raised.value.problems) == 2
