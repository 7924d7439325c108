"""`runEvents` and `runs` as clients get them: below any transport, over a websocket, and as an event stream."""

import asyncio
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest
from asking import ask
from sqlalchemy import text
from watching_clients import RUN, asked, over_sse, over_websocket, workflow_of
from workers import counted, working

from weft.domain.access import Viewer
from weft.graphql.context import Context
from weft.graphql.schema import WeftSchema
from weft.operations.services import Services

pytestmark = pytest.mark.timeout(60)

EVENTS = """subscription ($run: ID!, $after: String) { runEvents(runId: $run, after: $after) {
  __typename cursor at
  ... on RunStatusChanged { status run { id } }
  ... on ItemFinished { item { id ordinal status output steps { stepId status output } } }
  ... on SnapshotReset { progress { finished } } } }"""
ALL = """subscription ($run: ID!, $after: String, $include: [RunEventKind!]! = [STATUS, ITEMS, STEPS, LOGS],
    $filter: RunEventFilterInput) {
  runEvents(runId: $run, after: $after, include: $include, filter: $filter) {
    __typename cursor at
    ... on RunStatusChanged { status }
    ... on ItemFinished { item { ordinal status } }
    ... on StepFinished { step { stepId status attempt durationMs output error { code } input } item { ordinal status output } }
    ... on LogWritten { line { level message stepId item { ordinal } } } } }"""
RUNS = "subscription ($workflow: ID) { runs(workflowId: $workflow) { kind run { id status } } }"
ITEMS = 60
CREATE_KEY = """mutation { createApiKey(input: {name: "short", role: VIEWER}) { key apiKey { id } errors { code } } }"""
REVOKE = "mutation ($id: ID!) { revokeApiKey(input: {id: $id}) { errors { code } } }"

schema = WeftSchema()


async def subscribed(services: Services, viewer: Viewer, query: str, **variables: Any) -> Any:
    context = Context(services, "request", viewer)
    return aclosing(cast("Any", await schema.stream(query, variables, context_value=context)))


@dataclass(frozen=True)
class Below:
    """An API below any transport."""

    services: Services
    viewer: Viewer

    async def post(self, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        return {"data": await ask(self.services, self.viewer, document, **variables)}


async def a_workflow(services: Services, viewer: Viewer) -> str:
    return await workflow_of(Below(services, viewer), ITEMS)


async def a_run(services: Services, viewer: Viewer, workflow: str) -> str:
    return await asked(Below(services, viewer), RUN, workflow=workflow)


async def all_of(services: Services, viewer: Viewer, query: str, **variables: Any) -> list[dict[str, Any]]:
    async with asyncio.timeout(20), await subscribed(services, viewer, query, **variables) as results:
        return [result.data["runEvents"] async for result in results]


async def test_each_event_has_its_fields_and_an_item_costs_no_statement(services: Services, viewer: Viewer) -> None:
    async with working(services) as served:
        run = await a_run(served, viewer, await a_workflow(served, viewer))
        events = await all_of(served, viewer, EVENTS, run=run)
    assert [event["__typename"] for event in events] == [
        *["RunStatusChanged"] * 2,
        *["ItemFinished"] * ITEMS,
        "RunStatusChanged",
    ]
    assert [(event["status"], event["run"]["id"]) for event in (*events[:2], events[-1])] == [
        ("PENDING", run),
        ("RUNNING", run),
        ("COMPLETED_WITH_FAILURES", run),
    ]
    shown = {event["item"]["ordinal"]: event["item"] for event in events[2:-1]}
    assert shown.keys() == set(range(ITEMS))
    assert shown[8]["output"]["text"] == "8"
    assert [(step["stepId"], step["status"]) for step in shown[8]["steps"]] == [
        (step_id, "COMPLETED") for step_id in ("check", "say", "note")
    ]
    assert len({event["cursor"] for event in events}) == len(events)
    with counted(services.database) as statements:
        assert await all_of(services, viewer, EVENTS, run=run, after=events[1]["cursor"]) == events[2:]
    assert statements.count < 12


async def test_steps_and_lines_are_told_where_they_are_asked_for(services: Services, viewer: Viewer) -> None:
    async with working(services) as served:
        run = await a_run(served, viewer, await a_workflow(served, viewer))
        whole = await all_of(served, viewer, ALL, run=run)
    kinds = [event["__typename"] for event in whole]
    failing = len(range(0, ITEMS, 7))
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "RunStatusChanged": 3,
        "ItemFinished": ITEMS,
        "StepFinished": 3 * (ITEMS - failing) + failing,
        "LogWritten": ITEMS - failing,
    }
    at = next(
        n for n, event in enumerate(whole) if event["__typename"] == "ItemFinished" and event["item"]["ordinal"] == 8
    )
    steps = [event["step"] for event in whole[at - 3 : at]]
    assert [(step["stepId"], step["status"], step["attempt"]) for step in steps] == [
        (step_id, "COMPLETED", 1) for step_id in ("check", "say", "note")
    ]
    assert (steps[1]["output"]["text"], steps[0]["input"], whole[at - 1]["item"]["ordinal"]) == ("8", {"number": 8}, 8)
    failed = await all_of(services, viewer, ALL, run=run, include=["STEPS"], filter={"itemStatus": ["FAILED"]})
    assert len(failed) == failing
    assert {(event["step"]["stepId"], event["step"]["error"]["code"]) for event in failed} == {
        ("check", "VALIDATION_FAILED")
    }
    lines = await all_of(
        services, viewer, ALL, run=run, include=["LOGS"], filter={"stepId": "note", "logLevel": "INFO"}
    )
    assert sorted(event["line"]["item"]["ordinal"] for event in lines) == [n for n in range(ITEMS) if n % 7]
    assert {event["line"]["message"] for event in lines} == {f"number {n}" for n in range(ITEMS) if n % 7}
    warnings = {"logLevel": "WARNING"}
    assert await all_of(services, viewer, ALL, run=run, include=["LOGS"], filter=warnings) == []
    behind = await all_of(services, viewer, ALL, run=run, after=lines[0]["cursor"])
    assert behind == whole[whole.index(lines[0]) + 1 :]


async def test_what_cannot_be_watched_is_refused_by_a_coded_error(
    services: Services, viewer: Viewer, stranger: Viewer
) -> None:
    workflow = await a_workflow(services, viewer)
    run = await a_run(services, viewer, workflow)
    cases: list[tuple[Viewer, str, dict[str, Any], str]] = [
        (viewer, EVENTS, {"run": run, "after": "nonsense!"}, "INVALID"),
        (viewer, EVENTS, {"run": run, "after": "AAAA"}, "INVALID"),
        (viewer, ALL, {"run": run, "include": []}, "INVALID"),
        (viewer, ALL, {"run": run, "filter": {"itemStatus": ["CANCELLED"]}}, "INVALID"),
        (viewer, ALL, {"run": run, "filter": {"stepId": "sya"}}, "INVALID"),
        (stranger, EVENTS, {"run": run}, "NOT_FOUND"),
        (stranger, RUNS, {"workflow": workflow}, "NOT_FOUND"),
    ]
    for caller, query, variables, code in cases:
        async with asyncio.timeout(20), await subscribed(services, caller, query, **variables) as results:
            (result,) = [result async for result in results]
        (error,) = result.errors
        assert error.extensions["code"] == code


transports = pytest.mark.parametrize("over", [over_websocket, over_sse], ids=["websocket", "sse"])


@transports
async def test_watching_ends_with_the_reason_when_the_run_is_deleted(api: Any, over: Any) -> None:
    run = await asked(api, RUN, workflow=await workflow_of(api, 1))
    async with asyncio.timeout(40), aclosing(over(api, EVENTS, {"run": run})) as stream:
        assert (await anext(stream))["data"]["runEvents"]["status"] == "PENDING"
        async with api.database.transaction() as connection:
            await connection.execute(text("DELETE FROM run"))
        (last,) = [payload async for payload in stream]
    assert last["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    assert "was deleted" in last["errors"][0]["message"]


@transports
async def test_watching_ends_with_the_reason_when_its_key_is_revoked(api: Any, over: Any) -> None:
    run = await asked(api, RUN, workflow=await workflow_of(api, 1))
    made = (await api.post(CREATE_KEY))["data"]["createApiKey"]
    watcher = replace(api, key=replace(api.key, text=made["key"]))
    async with asyncio.timeout(40), aclosing(over(watcher, EVENTS, {"run": run})) as stream:
        await anext(stream)
        await api.post(REVOKE, {"id": made["apiKey"]["id"]})
        (last,) = [payload async for payload in stream]
    assert last["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@transports
async def test_a_page_sees_the_runs_of_a_workflow_start_and_end(api: Any, services: Services, over: Any) -> None:
    workflow = await workflow_of(api, 5)
    before = await asked(api, RUN, workflow=workflow)
    told: dict[str, list[str]] = {}
    started: list[str] = []
    async with asyncio.timeout(40), AsyncExitStack() as stack:
        stream = await stack.enter_async_context(aclosing(over(api, RUNS, {"workflow": workflow})))
        async for payload in stream:
            change = payload["data"]["runs"]
            told.setdefault(change["run"]["id"], []).append(change["kind"])
            if not started:  # the first message says that it is watched
                await stack.enter_async_context(working(services))
                started = [await asked(api, RUN, workflow=workflow) for _ in range(3)]
            if all(told.get(run, [""])[-1] == "ENDED" for run in started):
                break
    assert told.pop(before)[0] == "PROGRESS"
    for run in started:
        kinds = told.pop(run)
        assert (kinds[0], kinds[-1], kinds.count("STARTED"), kinds.count("ENDED")) == ("STARTED", "ENDED", 1, 1)
    assert told == {}
