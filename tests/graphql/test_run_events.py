"""`runEvents` and `runs` as clients get them: below any transport, over a websocket, and as an event stream."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from typing import Any, cast

import orjson
import pytest
from asking import ask
from workers import counted, working

from weft.domain.access import Viewer
from weft.graphql.context import Context
from weft.graphql.schema import WeftSchema
from weft.operations.services import Services

pytestmark = pytest.mark.timeout(60)

EVENTS = """subscription ($run: ID!, $after: String) { runEvents(runId: $run, after: $after) {
  __typename cursor at
  ... on RunStatusChanged { status run { id } }
  ... on ItemFinished { item { id ordinal status output steps { id status output } } }
  ... on SnapshotReset { progress { finished } } } }"""
RUNS = "subscription ($workflow: ID) { runs(workflowId: $workflow) { kind run { id status } } }"
TYPE = """mutation { createEntityType(input: {name: "n", schema: {type: "object",
  properties: {number: {type: "integer"}}}}) { entityType { id } } }"""
ENTITIES = """mutation ($type: ID!, $rows: [NewEntityInput!]!) {
  createEntities(input: {entityTypeId: $type, entities: $rows}) { errors { message } } }"""
WORKFLOW = """mutation ($type: ID!) { createWorkflow(input: {name: "w", entityTypeId: $type, definition: {steps: [
  {id: "say", type: "text", config: {operation: "template", template: "{{ number }}"}}]}}) { workflow { id } } }"""
RUN = """mutation ($workflow: ID!) {
  runWorkflow(input: {workflowId: $workflow, entities: {all: true}}) { run { id } } }"""
ITEMS = 60
"""More than 50, in which slices the entities are made."""

schema = WeftSchema()


async def subscribed(services: Services, viewer: Viewer, query: str, **variables: Any) -> Any:
    context = Context(services, "request", viewer)
    return aclosing(cast("Any", await schema.stream(query, variables, context_value=context)))


async def a_workflow(services: Services, viewer: Viewer) -> str:
    made = await ask(services, viewer, TYPE)
    type_id = made["createEntityType"]["entityType"]["id"]
    rows = [{"data": {"number": number}} for number in range(ITEMS)]
    await ask(services, viewer, ENTITIES, type=type_id, rows=rows)
    made = await ask(services, viewer, WORKFLOW, type=type_id)
    return made["createWorkflow"]["workflow"]["id"]


async def a_run(services: Services, viewer: Viewer, workflow: str) -> str:
    return (await ask(services, viewer, RUN, workflow=workflow))["runWorkflow"]["run"]["id"]


async def test_each_event_has_its_fields_and_an_item_costs_no_statement(services: Services, viewer: Viewer) -> None:
    async with working(services) as served:
        run = await a_run(served, viewer, await a_workflow(served, viewer))
        async with asyncio.timeout(20), await subscribed(served, viewer, EVENTS, run=run) as results:
            events = [result.data["runEvents"] async for result in results]
    assert [event["__typename"] for event in events] == [
        *["RunStatusChanged"] * 2,
        *["ItemFinished"] * ITEMS,
        "RunStatusChanged",
    ]
    assert [(event["status"], event["run"]["id"]) for event in (*events[:2], events[-1])] == [
        ("PENDING", run),
        ("RUNNING", run),
        ("COMPLETED", run),
    ]
    shown = {event["item"]["ordinal"]: event["item"] for event in events[2:-1]}
    assert shown.keys() == set(range(ITEMS))
    assert shown[7]["output"]["text"] == "7"
    assert shown[7]["steps"] == [{"id": "say", "status": "COMPLETED", "output": shown[7]["output"]}]
    assert len({event["cursor"] for event in events}) == len(events)
    with counted(services.database) as statements:
        async with await subscribed(services, viewer, EVENTS, run=run, after=events[1]["cursor"]) as results:
            assert [result.data["runEvents"] async for result in results] == events[2:]
    assert statements.count < 12


async def test_what_cannot_be_watched_is_refused_by_a_coded_error(
    services: Services, viewer: Viewer, stranger: Viewer
) -> None:
    workflow = await a_workflow(services, viewer)
    run = await a_run(services, viewer, workflow)
    cases: list[tuple[Viewer, str, dict[str, str], str]] = [
        (viewer, EVENTS, {"run": run, "after": "nonsense!"}, "INVALID"),
        (viewer, EVENTS, {"run": run, "after": "AAAA"}, "INVALID"),
        (stranger, EVENTS, {"run": run}, "NOT_FOUND"),
        (stranger, RUNS, {"workflow": workflow}, "NOT_FOUND"),
    ]
    for caller, query, variables, code in cases:
        async with asyncio.timeout(20), await subscribed(services, caller, query, **variables) as results:
            (result,) = [result async for result in results]
        (error,) = result.errors
        assert error.extensions["code"] == code


async def over_websocket(api: Any, query: str, variables: dict[str, Any]) -> AsyncGenerator[dict[str, Any]]:
    async with api.session.ws_connect(api.url, protocols=["graphql-transport-ws"]) as socket:
        await socket.send_json({"type": "connection_init", "payload": {"apiKey": api.key.text}})
        assert (await socket.receive_json())["type"] == "connection_ack"
        payload = {"query": query, "variables": variables}
        await socket.send_json({"id": "1", "type": "subscribe", "payload": payload})
        while (message := await socket.receive_json())["type"] != "complete":
            yield message["payload"]["data"]


async def over_sse(api: Any, query: str, variables: dict[str, Any]) -> AsyncGenerator[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {api.key.text}", "Accept": "text/event-stream"}
    body = {"query": query, "variables": variables}
    async with api.session.post(api.url, json=body, headers=headers) as response:
        event = b""
        async for line in response.content:
            field, _, value = line.strip().partition(b": ")
            if field == b"event":
                event = value
            elif field == b"data" and event == b"next":
                yield orjson.loads(value)["data"]
        assert event == b"complete"


async def asked(api: Any, document: str, **variables: Any) -> str:
    """The id in the answer."""
    answer = await api.post(document, variables)
    (made,) = answer["data"].values()
    (thing,) = made.values()
    return thing["id"]


async def workflow_of(api: Any) -> str:
    type_id = await asked(api, TYPE)
    rows = [{"data": {"number": number}} for number in range(ITEMS)]
    assert (await api.post(ENTITIES, {"type": type_id, "rows": rows}))["data"]["createEntities"]["errors"] == []
    return await asked(api, WORKFLOW, type=type_id)


transports = pytest.mark.parametrize("over", [over_websocket, over_sse], ids=["websocket", "sse"])


@transports
async def test_a_page_that_loses_its_connection_goes_on_with_the_cursor_of_its_last_event(
    api: Any, services: Services, over: Any
) -> None:
    chance, events, ended = random.Random(4), list[dict[str, Any]](), False
    run = await asked(api, RUN, workflow=await workflow_of(api))
    async with working(services), asyncio.timeout(40):
        while not ended:
            variables = {"run": run, "after": events[-1]["cursor"] if events else None}
            left = chance.randint(1, 20)
            async with aclosing(over(api, EVENTS, variables)) as stream:
                async for data in stream:
                    events.append(data["runEvents"])
                    left -= 1
                    if not left:
                        break
                else:
                    ended = True
        whole = [data["runEvents"] async for data in over(api, EVENTS, {"run": run})]
    assert events == whole
    assert len(whole) == ITEMS + 3


@transports
async def test_a_page_sees_the_runs_of_a_workflow_start_and_end(api: Any, services: Services, over: Any) -> None:
    workflow = await workflow_of(api)
    before = await asked(api, RUN, workflow=workflow)
    told: dict[str, list[str]] = {}
    started: list[str] = []
    async with asyncio.timeout(40), AsyncExitStack() as stack:
        stream = await stack.enter_async_context(aclosing(over(api, RUNS, {"workflow": workflow})))
        async for data in stream:
            change = data["runs"]
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
