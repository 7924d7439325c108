"""The log of a run as clients get it: as a list, and followed below any transport and as an event stream."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial
from typing import Any, cast

import orjson
import pytest
from asking import ask
from workers import counted, working

from weft.domain.access import Viewer
from weft.engine.run_log import ITEM_LINES
from weft.graphql.context import Context
from weft.graphql.schema import WeftSchema
from weft.operations.services import Services

pytestmark = pytest.mark.timeout(60)

TYPE = """mutation { createEntityType(input: {name: "n", schema: {type: "object",
  properties: {number: {type: "integer"}}}}) { entityType { id } } }"""
ENTITIES = """mutation ($type: ID!, $rows: [NewEntityInput!]!) {
  createEntities(input: {entityTypeId: $type, entities: $rows}) { errors { message } } }"""
WORKFLOW = """mutation ($type: ID!) { createWorkflow(input: {name: "w", entityTypeId: $type, definition: {steps: [
  {id: "say", type: "echo", config: {message: "number {{ number }}"}}]}}) { workflow { id } } }"""
RUN = """mutation ($workflow: ID!) {
  runWorkflow(input: {workflowId: $workflow, entities: {all: true}}) { run { id } } }"""
FOLLOW = """subscription ($run: ID!, $after: String, $level: LogLevel, $step: String) {
  runLogs(runId: $run, after: $after, level: $level, stepId: $step) {
    cursor at level message stepId fields item { ordinal status } } }"""
LOGS = """query ($run: ID!, $first: Int, $after: String) { run(id: $run) { logLinesLeftOut
  logs(first: $first, after: $after) { nodes { cursor at level message stepId fields item { ordinal status } }
    edges { cursor } pageInfo { hasNextPage endCursor } } } }"""
LINES = 30

schema = WeftSchema()


async def followed(services: Services, viewer: Viewer, **variables: Any) -> list[Any]:
    context = Context(services, "request", viewer)
    results = cast("Any", await schema.stream(FOLLOW, variables, context_value=context))
    async with asyncio.timeout(30), aclosing(results):
        return [
            result.data["runLogs"] if result.data else result.errors[0].extensions["code"] async for result in results
        ]


async def a_run(asked: Callable[..., Awaitable[dict[str, Any]]]) -> str:
    type_id = (await asked(TYPE))["createEntityType"]["entityType"]["id"]
    rows = [{"data": {"number": number}} for number in range(LINES)]
    await asked(ENTITIES, type=type_id, rows=rows)
    made = await asked(WORKFLOW, type=type_id)
    started = await asked(RUN, workflow=made["createWorkflow"]["workflow"]["id"])
    return started["runWorkflow"]["run"]["id"]


async def test_the_log_is_read_as_a_list_and_followed_from_where_the_list_ends(
    services: Services, viewer: Viewer
) -> None:
    async with working(services) as served:
        run = await a_run(partial(ask, served, viewer))
        lines = await followed(served, viewer, run=run)
    assert [line["message"] for line in sorted(lines, key=lambda line: line["item"]["ordinal"])] == [
        f"number {number}" for number in range(LINES)
    ]
    assert {(line["level"], line["stepId"]) for line in lines} == {("INFO", "say")}
    assert len({line["cursor"] for line in lines}) == LINES
    page = (await ask(services, viewer, LOGS, run=run, first=10))["run"]
    assert [edge["cursor"] for edge in page["logs"]["edges"]] == [line["cursor"] for line in page["logs"]["nodes"]]
    assert page["logs"]["pageInfo"] == {"hasNextPage": True, "endCursor": lines[9]["cursor"]}
    assert page["logLinesLeftOut"] == 0
    done = [line | {"item": line["item"] | {"status": "COMPLETED"}} for line in lines]
    assert page["logs"]["nodes"] == done[:10]
    assert await followed(services, viewer, run=run, after=lines[9]["cursor"]) == done[10:]
    rest = (await ask(services, viewer, LOGS, run=run, first=100, after=lines[9]["cursor"]))["run"]["logs"]["nodes"]
    assert rest == done[10:]
    assert await followed(services, viewer, run=run, level="WARNING") == []
    assert await followed(services, viewer, run=run, step="other") == []


async def test_a_page_of_lines_with_their_items_costs_as_many_statements_as_one(
    services: Services, viewer: Viewer
) -> None:
    async with working(services) as served:
        run = await a_run(partial(ask, served, viewer))
        await followed(served, viewer, run=run)
    found: list[int] = []
    for first in (1, LINES):
        with counted(services.database) as statements:
            data = await ask(services, viewer, LOGS, run=run, first=first)
        assert len(data["run"]["logs"]["nodes"]) == first
        found.append(statements.count)
    assert found[0] == found[1]


async def test_what_cannot_be_followed_is_refused_by_a_coded_error(
    services: Services, viewer: Viewer, stranger: Viewer
) -> None:
    run = await a_run(partial(ask, services, viewer))
    cases: list[tuple[Viewer, dict[str, str], str]] = [
        (viewer, {"run": run, "after": "nonsense!"}, "INVALID"),
        (viewer, {"run": run, "after": "AAAA"}, "INVALID"),
        (stranger, {"run": run}, "NOT_FOUND"),
    ]
    for caller, variables, code in cases:
        assert await followed(services, caller, **variables) == [code]


async def test_a_client_that_comes_back_is_told_the_lines_behind_the_one_that_it_saw_last(
    api: Any, services: Services
) -> None:
    async def asked(query: str, **variables: Any) -> dict[str, Any]:
        return (await api.post(query, variables))["data"]

    async def streamed(**headers: str) -> list[tuple[str, Any]]:
        sent = {"Authorization": f"Bearer {api.key.text}", "Accept": "text/event-stream"} | headers
        body = {"query": FOLLOW, "variables": {"run": run}}
        events: list[tuple[str, Any]] = []
        async with asyncio.timeout(30), api.session.post(api.url, json=body, headers=sent) as response:
            id = ""
            async for line in response.content:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name == "id":
                    id = value
                elif name == "data" and value:
                    events.append((id, orjson.loads(value)["data"]["runLogs"]["cursor"]))
        return events

    async with working(services):
        run = await a_run(asked)
        events = await streamed()
    assert len(events) == LINES
    assert all(id == cursor for id, cursor in events)
    assert await streamed(**{"Last-Event-ID": events[20][0]}) == events[21:]


SAYS_MUCH = """mutation ($definition: JSON!) {
  createWorkflow(input: {name: "w", definition: $definition}) { workflow { id } errors { message } } }"""
RUN_ALONE = (
    "mutation ($workflow: ID!) { runWorkflow(input: {workflowId: $workflow}) { run { id } errors { message } } }"
)


async def test_lines_that_are_left_out_are_counted(services: Services, viewer: Viewer) -> None:
    steps = [
        {"id": f"s{number}", "type": "echo", "config": {"message": f"step {number}"}}
        for number in range(ITEM_LINES + 2)
    ]
    made = await ask(services, viewer, SAYS_MUCH, definition={"steps": steps})
    async with working(services) as served:
        started = await ask(served, viewer, RUN_ALONE, workflow=made["createWorkflow"]["workflow"]["id"])
        run = started["runWorkflow"]["run"]["id"]
        lines = await followed(served, viewer, run=run)
    assert len(lines) == ITEM_LINES + 1
    assert (lines[-1]["level"], lines[-1]["fields"], lines[-1]["stepId"]) == ("WARNING", {"leftOut": 2}, None)
    assert (await ask(services, viewer, LOGS, run=run))["run"]["logLinesLeftOut"] == 2
