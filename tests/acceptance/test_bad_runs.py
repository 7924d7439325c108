"""Runs that cannot be started, and runs whose steps are hostile: nothing half-done, and the others go on."""

import asyncio
import time
from typing import Any

import pytest
from acceptance.bad_input import CREATE_ENTITIES, CREATE_TYPE, CREATE_WORKFLOW, RUN, Caller
from acceptance.system import System
from sqlalchemy import text

from weft.domain.ids import new_id

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(90)]

SCHEMA = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
ECHO = {"steps": [{"id": "say", "type": "echo"}]}


async def _runs(system: System) -> int:
    async with system.database.reading() as connection:
        return (await connection.execute(text("SELECT count(*) FROM run"))).scalar_one()


async def _refused(system: System, caller: Caller, **wanted: Any) -> dict[str, Any]:
    """The first error of a run that is not begun."""
    before = await _runs(system)
    payload = await caller.payload(RUN, input=wanted)
    assert payload["run"] is None
    assert await _runs(system) == before
    return payload["errors"][0]


async def _entities(caller: Caller, count: int = 1) -> tuple[str, list[str]]:
    type_id = await caller.made(CREATE_TYPE, name=f"films {new_id()}", schema=SCHEMA)
    rows = [{"data": {"title": f"t{number}"}} for number in range(count)]
    made = await caller.payload(CREATE_ENTITIES, input={"entityTypeId": type_id, "entities": rows})
    return type_id, [entity["id"] for entity in made["entities"]]


async def _workflow(caller: Caller, definition: Any = ECHO, entity_type: str | None = None) -> str:
    return await caller.made(
        CREATE_WORKFLOW, input={"name": "w", "definition": definition, "entityTypeId": entity_type}
    )


async def test_a_run_of_an_archived_workflow_is_refused(system: System, caller: Caller) -> None:
    workflow = await _workflow(caller)
    await caller.made(
        "mutation ($id: ID!) { archiveWorkflow(input: {id: $id}) { workflow { id } errors { message } } }", id=workflow
    )
    error = await _refused(system, caller, workflowId=workflow, input={})
    assert (error["code"], error["path"]) == ("CONFLICT", ["input", "workflowId"])
    assert "ARCHIVED" in error["message"]


async def test_a_run_of_entities_of_another_type_is_refused_with_their_places(system: System, caller: Caller) -> None:
    type_id, own = await _entities(caller)
    _, others = await _entities(caller)
    workflow = await _workflow(caller, entity_type=type_id)
    error = await _refused(system, caller, workflowId=workflow, entities={"ids": [*own, *others]})
    assert error["path"] == ["input", "entities", "ids", "1"]


@pytest.mark.parametrize(
    "entities",
    [None, {"ids": []}, {"all": False}, {"all": True, "ids": []}, {}, {"ids": ["x"]}, {"filter": None}],
    ids=str,
)
async def test_a_selection_that_is_none_is_refused(system: System, caller: Caller, entities: Any) -> None:
    type_id, _ = await _entities(caller)
    workflow = await _workflow(caller, entity_type=type_id)
    before = await _runs(system)
    answer = await caller.answer(RUN, input={"workflowId": workflow, "entities": entities})
    if entities == {"ids": []} and "errors" not in answer and not answer["data"]["runWorkflow"]["errors"]:
        assert answer["data"]["runWorkflow"]["run"]["progress"]["total"] == 0
        return
    assert answer.get("errors") or answer["data"]["runWorkflow"]["errors"]
    assert await _runs(system) == before


async def test_input_that_breaks_the_schema_is_refused_with_every_path(system: System, caller: Caller) -> None:
    definition = {
        **ECHO,
        "inputSchema": {
            "type": "object",
            "properties": {"total": {"type": "number"}, "lines": {"type": "array", "items": {"type": "integer"}}},
            "required": ["total", "lines"],
            "additionalProperties": False,
        },
    }
    workflow = await _workflow(caller, definition)
    before = await _runs(system)
    payload = await caller.payload(RUN, input={"workflowId": workflow, "input": {"lines": [1, "2"], "odd": 1}})
    paths = {tuple(error["path"]) for error in payload["errors"]}
    assert paths == {("input", "input", "total"), ("input", "input", "lines", "1"), ("input", "input", "odd")}
    assert await _runs(system) == before


async def test_a_key_used_again_with_another_input_is_a_conflict(system: System, caller: Caller) -> None:
    workflow = await _workflow(caller)
    wanted = {"workflowId": workflow, "input": {"a": 1}, "idempotencyKey": f"k {new_id()}"}
    first, *others = await asyncio.gather(*(caller.payload(RUN, input=wanted) for _ in range(10)))
    assert {other["run"]["id"] for other in others} == {first["run"]["id"]}
    error = await _refused(system, caller, **{**wanted, "input": {"a": 2}})
    assert (error["code"], error["path"]) == ("CONFLICT", ["input", "idempotencyKey"])


HOSTILE: dict[str, dict[str, Any]] = {
    "lists of lists": {"type": "transform", "config": {"fields": {"x": "[1,2,3,4,5,6,7,8,9].map(a, [1,2,3,4,5,6,7,8,9].map(b, [1,2,3,4,5,6,7,8,9].map(c, [1,2,3,4,5,6,7,8,9].map(d, [1,2,3,4,5,6,7,8,9].map(e, [1,2,3,4,5,6,7,8,9].map(f, [1,2,3,4,5,6,7,8,9].map(g, a+b+c+d+e+f+g)))))))"}}},
    "a list against itself": {"type": "transform", "config": {"fields": {"x": "params.many.map(a, params.many.filter(b, a == b)).size()"}}},
    "a long text": {"type": "transform", "config": {"fields": {"x": "params.many.map(a, params.text + params.text)"}}},
    "a pattern": {"type": "transform", "config": {"fields": {"x": "params.text.matches('(a+)+$')"}}},
    "a loop": {"type": "text", "config": {"operation": "template", "template": "{% for a in (1..1000000) %}{% for b in (1..1000000) %}x{% endfor %}{% endfor %}"}},
    "a doubling": {"type": "text", "config": {"operation": "template", "template": "{% assign x = 'xxxxxxxxxxxxxxxx' %}{% for a in (1..60) %}{% assign x = x | append: x %}{% endfor %}{{ x }}"}},
    "a replacement": {"type": "text", "config": {"operation": "replace", "search": "a", "replacement": "a" * 1_000}},
    "itself": {"type": "text", "config": {"operation": "template", "template": "{% render 'itself' %}{% include 'itself' %}"}},
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
async def test_a_hostile_step_stalls_no_worker(caller: Caller, kind: str) -> None:
    """It is refused when it is saved, or ends within its limits; and a run beside it is as quick as ever."""
    quick = await _workflow(caller)
    payload = await caller.payload(
        CREATE_WORKFLOW, input={"name": kind, "definition": {"steps": [{"id": "bad", **HOSTILE[kind]}]}}
    )
    if payload["errors"]:
        assert all(error["path"] and error["message"] for error in payload["errors"])
        return
    parameters = {"many": list(range(5_000)), "text": "a" * 200_000 + "!"}
    bad = {"workflowId": payload["workflow"]["id"], "input": {"text": "a" * 100_000}, "parameters": parameters}
    hostile = [asyncio.create_task(caller.payload(RUN, input={**bad, "wait": "PT20S"})) for _ in range(3)]
    await asyncio.sleep(0.1)
    began = time.monotonic()
    beside = await caller.payload(RUN, input={"workflowId": quick, "input": {}, "wait": "PT20S"})
    assert beside["run"]["status"] == "COMPLETED"
    assert time.monotonic() - began < 8
    async with asyncio.timeout(30):
        for ended in await asyncio.gather(*hostile):
            assert ended["errors"] == []
            assert ended["run"]["status"] in {"COMPLETED", "FAILED"}, ended
            if ended["run"]["status"] == "FAILED":
                assert ended["run"]["items"]["nodes"][0]["error"]["message"]


async def test_a_step_may_not_call_private_addresses(caller: Caller) -> None:
    for url in (
        "http://127.0.0.1:1/",
        "http://169.254.169.254/latest",
        "http://[::1]/",
        "http://0/",
        "file:///etc/passwd",
        "http://localhost/",
    ):
        definition = {
            "steps": [
                {"id": "call", "type": "http", "config": {"url": url, "method": "GET"}, "retry": {"maxAttempts": 1}}
            ]
        }
        payload = await caller.payload(CREATE_WORKFLOW, input={"name": "calls", "definition": definition})
        if payload["errors"]:
            continue
        ended = await caller.payload(RUN, input={"workflowId": payload["workflow"]["id"], "input": {}, "wait": "PT20S"})
        assert ended["run"]["status"] == "FAILED", (url, ended)


async def test_a_published_nul_fails_its_item_alone_and_the_run_ends(caller: Caller) -> None:
    type_id, _ = await _entities(caller, 50)
    fields = {"title": "entity.title == 't7' ? 'a\\u0000b' : entity.title + '!'"}
    steps = [{"id": "write", "type": "publish", "config": {"fields": fields}}]
    workflow = await _workflow(caller, {"steps": steps}, type_id)
    ended = await caller.payload(RUN, input={"workflowId": workflow, "entities": {"all": True}, "wait": "PT20S"})
    assert ended["run"]["status"] == "COMPLETED_WITH_FAILURES", ended
    assert ended["run"]["progress"] == {"total": 50, "completed": 49, "failed": 1}
    failures = await caller.data(
        "query ($id: ID!) { run(id: $id) { failures { stepId code message count } } }", id=ended["run"]["id"]
    )
    (group,) = failures["run"]["failures"]
    assert (group["stepId"], group["count"]) == ("write", 1)
    assert "NUL" in group["message"]
