"""Definitions that are wrong: every mistake is told at once, with its place, and nothing is stored."""

from typing import Any

import pytest
from acceptance.bad_input import CREATE_TYPE, CREATE_WORKFLOW, Caller

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(60)]

VALIDATE = """mutation ($input: ValidateWorkflowInput!) {
  validateWorkflow(input: $input) { errors { code message path hint line column } } }"""
WORKFLOWS = "{ workflows { nodes { id } } }"
SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "year": {"type": "integer"}},
    "required": ["title", "year"],
}


def _text(step_id: str, **more: Any) -> dict[str, Any]:
    return {"id": step_id, "type": "text", "config": {"operation": "template", "template": "{{ title }}"}, **more}


async def _problems(caller: Caller, definition: Any) -> list[dict[str, Any]]:
    """The same from both mutations; and nothing is stored."""
    entity_type = await _entity_type(caller)
    before = await caller.data(WORKFLOWS)
    checked = await caller.payload(VALIDATE, input={"definition": definition, "entityTypeId": entity_type})
    made = await caller.payload(
        CREATE_WORKFLOW, input={"name": "wrong", "definition": definition, "entityTypeId": entity_type}
    )
    assert made["workflow"] is None
    assert [(e["code"], e["message"], e["path"]) for e in made["errors"]] == [
        (e["code"], e["message"], e["path"]) for e in checked["errors"]
    ]
    assert await caller.data(WORKFLOWS) == before
    assert all(error["message"] and error["path"] for error in made["errors"]), made["errors"]
    return made["errors"]


async def _entity_type(caller: Caller) -> str:
    known = await caller.data('{ entityTypes(search: "films") { nodes { id } } }')
    nodes = known["entityTypes"]["nodes"]
    return nodes[0]["id"] if nodes else await caller.made(CREATE_TYPE, name="films", schema=SCHEMA)


async def test_a_cycle_is_refused_with_the_steps_on_it(caller: Caller) -> None:
    steps = [_text("one", dependsOn=["three"]), _text("two", dependsOn=["one"]), _text("three", dependsOn=["two"])]
    (problem,) = await _problems(caller, {"steps": steps})
    assert problem["code"] == "CYCLE"
    assert problem["path"][:2] == ["input", "definition"]
    assert all(name in problem["message"] for name in ("one", "two", "three"))


async def test_an_unknown_step_type_is_refused_with_the_one_that_was_meant(caller: Caller) -> None:
    (problem,) = await _problems(caller, {"steps": [{"id": "one", "type": "tranform"}]})
    assert problem["code"] == "UNKNOWN_STEP_TYPE"
    assert problem["path"] == ["input", "definition", "steps", "0", "type"]
    assert "transform" in problem["message"] + (problem["hint"] or "")


async def test_a_bad_config_is_refused_at_its_place(caller: Caller) -> None:
    steps = [{"id": "one", "type": "text", "config": {"operation": "split", "by": ",", "limit": "many"}}]
    problems = await _problems(caller, {"steps": steps})
    assert {problem["code"] for problem in problems} == {"INVALID_CONFIG"}
    assert all(problem["path"][:5] == ["input", "definition", "steps", "0", "config"] for problem in problems)


async def test_a_wrong_reference_is_refused_with_the_name_that_was_meant(caller: Caller) -> None:
    steps = [
        {"id": "shape", "type": "transform", "config": {"fields": {"label": "entity.title"}, "keep": False}},
        {"id": "say", "type": "transform", "config": {"fields": {"loud": "steps.shap.label + '!'"}}},
    ]
    (problem,) = await _problems(caller, {"steps": steps})
    assert problem["code"] == "UNKNOWN_REFERENCE"
    assert problem["path"] == ["input", "definition", "steps", "1", "config", "fields", "loud"]
    assert (problem["line"], problem["column"]) != (None, None)
    assert "shape" in problem["message"] + (problem["hint"] or "")


async def test_a_branch_that_does_not_exist_is_refused(caller: Caller) -> None:
    steps = [
        {"id": "check", "type": "condition", "config": {"branches": {"old": "entity.year < 1950", "new": "true"}}},
        _text("say", dependsOn=["check:odl"]),
    ]
    (problem,) = await _problems(caller, {"steps": steps})
    assert problem["code"] == "UNKNOWN_BRANCH"
    assert "old" in problem["message"] + (problem["hint"] or "")


async def test_an_expression_of_wrong_types_is_refused_with_line_and_column(caller: Caller) -> None:
    steps = [{"id": "sum", "type": "transform", "config": {"fields": {"sum": "entity.title\n  + entity.year"}}}]
    (problem,) = await _problems(caller, {"steps": steps})
    assert problem["code"] in {"TYPE_MISMATCH", "INVALID_EXPRESSION"}
    assert problem["path"][-1] == "sum"
    assert problem["line"] == 2


@pytest.mark.parametrize(
    "expression",
    ["1" + " + 1" * 200_000, "(" * 50_000 + "1" + ")" * 50_000, "[" * 3_000 + "]" * 3_000, "!" * 100_000 + "true"],
    ids=["long", "nested", "lists", "signs"],
)
async def test_an_oversized_expression_is_refused_and_the_server_lives(caller: Caller, expression: str) -> None:
    (problem,) = await _problems(
        caller, {"steps": [{"id": "sum", "type": "transform", "config": {"fields": {"sum": expression}}}]}
    )
    assert problem["path"][-1] == "sum"
    assert len(problem["message"]) < 1_000
    await caller.is_served()


async def test_all_problems_are_told_at_once(caller: Caller) -> None:
    steps = [
        {"id": "one", "type": "tranform"},
        {"id": "two", "type": "transform", "config": {"fields": {"sum": "entity.title + entity.year", "odd": "(("}}},
        {"id": "two", "type": "text", "config": {"operation": "template", "template": "{{ tilte }}{% if %}"}},
        _text("three", dependsOn=["nobody"], retry={"maxAttempts": -1}),
    ]
    problems = await _problems(caller, {"steps": steps, "surprise": 1, "inputSchema": {"type": "strnig"}})
    codes = [problem["code"] for problem in problems]
    assert len(codes) >= 7
    assert {"UNKNOWN_STEP_TYPE", "DUPLICATE_STEP", "UNKNOWN_FIELD", "UNKNOWN_REFERENCE", "INVALID_SCHEMA"} <= set(codes)


NONSENSE: list[Any] = [
    None, 1, "steps", [], {}, {"steps": None}, {"steps": {}}, {"steps": []}, {"steps": [None]}, {"steps": [[]]},
    {"steps": [{"id": 1, "type": 2}]}, {"steps": [{"id": "", "type": "echo"}]}, {"nodes": 1, "connections": 2},
    {"nodes": [{"id": "a", "type": "echo"}], "connections": [{"from": "a", "to": "a"}]},
    {"nodes": [{}], "connections": [[]]}, {"steps": [{"id": "a", "type": "echo", "dependsOn": "a"}]},
    {"steps": [{"id": "a\x00b", "type": "echo"}]}, {"steps": [{"id": "a", "type": "ec\x00ho"}]},
    {"steps": [{"id": "a", "type": "echo", "timeout": "P99999999999W"}]},
    {"steps": [{"id": "a", "type": "echo", "timeout": -1}]},
    {"steps": [{"id": "a" * 100_000, "type": "echo"}]},
    {"steps": [{"id": f"s{number}", "type": "echo"} for number in range(5_000)]},
    {"steps": [{"id": "a", "type": "echo"}], "output": {"x": 1}},
    {"steps": [{"id": "a", "type": "echo"}], "errorHandling": {"retry": {"maxAttempts": 10**30}}},
    {"steps": [{"id": "a", "type": "echo"}], "errorHandling": []},
    {"steps": [{"id": "a", "type": "echo"}], "inputSchema": {"$ref": "http://127.0.0.1:1/schema"}},
    {"steps": [{"id": "a", "type": "echo"}], "inputSchema": {"$ref": "#"}, "triggers": {}},
    {"steps": [{"id": "a", "type": "text", "config": {"operation": "template", "template": "{{ 'a\x00' }}" * 9_000}}]},
]  # fmt: skip


@pytest.mark.parametrize("definition", NONSENSE, ids=lambda definition: str(definition)[:40].replace("\x00", "NUL"))
async def test_nonsense_in_the_place_of_a_definition_is_refused_with_a_path(caller: Caller, definition: Any) -> None:
    if definition is None:
        answer = await caller.answer(CREATE_WORKFLOW, input={"name": "wrong", "definition": None})
        assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
        return
    assert await _problems(caller, definition)


async def test_a_definition_nested_too_deeply_is_refused(caller: Caller) -> None:
    deep: Any = {}
    for _ in range(240):
        deep = {"a": deep}
    problems = await _problems(caller, {"steps": [{"id": "a", "type": "echo", "config": deep}]})
    assert problems
    await caller.is_served()
