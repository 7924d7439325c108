"""`runs` as a subscription."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(60)

WATCH = """subscription ($workflow: ID, $filter: RunFilterInput) {
  runs(workflowId: $workflow, filter: $filter) { kind run { id status workflow { name } } } }"""
CREATE = """mutation ($name: String!) { createWorkflow(input: {name: $name, definition: {steps: [{type: "echo"}]}}) {
  workflow { id } errors { message } } }"""
RUN = "mutation ($id: ID!) { runWorkflow(input: {workflowId: $id}) { run { id } errors { message } } }"
CANCEL = "mutation ($id: ID!) { cancelRun(input: {runId: $id}) { run { id } errors { message } } }"
CREATE_KEY = """mutation { createApiKey(input: {name: "short", role: VIEWER}) { key apiKey { id } } }"""
REVOKE = "mutation ($id: ID!) { revokeApiKey(input: {id: $id}) { errors { code } } }"


async def workflow(api: Any, name: str) -> str:
    return (await api.post(CREATE, {"name": name}))["data"]["createWorkflow"]["workflow"]["id"]


async def run(api: Any, workflow_id: str) -> str:
    return (await api.post(RUN, {"id": workflow_id}))["data"]["runWorkflow"]["run"]["id"]


@asynccontextmanager
async def watching(api: Any, key: str, **variables: Any) -> AsyncGenerator[Any]:
    async with (
        asyncio.timeout(30),
        api.session.ws_connect(api.url.replace("http", "ws"), protocols=("graphql-transport-ws",)) as socket,
    ):
        await socket.send_json({"type": "connection_init", "payload": {"apiKey": key}})
        assert (await socket.receive_json())["type"] == "connection_ack"
        payload = {"query": WATCH, "variables": variables}
        await socket.send_json({"id": "0", "type": "subscribe", "payload": payload})
        yield socket


async def told(socket: Any) -> tuple[str, str, str]:
    message = await socket.receive_json()
    assert message["type"] == "next", message
    change = message["payload"]["data"]["runs"]
    return change["kind"], change["run"]["id"], change["run"]["status"]


async def test_what_a_filter_names_is_told_and_the_rest_is_not(api: Any) -> None:
    one, other = await workflow(api, "one"), await workflow(api, "other")
    first, elsewhere = await run(api, one), await run(api, other)
    both = {"status": ["PENDING", "CANCELLED"], "workflowId": other}
    async with (
        watching(api, api.key.text, workflow=one) as of_one,
        watching(api, api.key.text, filter={"workflowId": one}) as of_one_too,
        watching(api, api.key.text, workflow=other, filter={"status": ["PENDING"]}) as waiting,
        watching(api, api.key.text, filter=both) as over,
    ):
        for socket, run_id in ((of_one, first), (of_one_too, first), (waiting, elsewhere), (over, elsewhere)):
            assert await told(socket) == ("PROGRESS", run_id, "PENDING")
        await api.post(CANCEL, {"id": elsewhere})
        assert await told(over) == ("ENDED", elsewhere, "CANCELLED")
        later = await run(api, other)
        assert await told(waiting) == ("STARTED", later, "PENDING")
        await api.post(CANCEL, {"id": first})
        for socket in (of_one, of_one_too):
            assert await told(socket) == ("ENDED", first, "CANCELLED")


async def test_two_workflows_cannot_be_meant_at_once(api: Any) -> None:
    one, other = await workflow(api, "one"), await workflow(api, "other")
    async with watching(api, api.key.text, workflow=one, filter={"workflowId": other}) as socket:
        message = await socket.receive_json()
    (error,) = message["payload"]["errors"] if message["type"] == "next" else message["payload"]
    assert error["extensions"]["code"] == "INVALID"
    assert error["message"] == "This names another workflow than `workflowId`."


async def test_what_a_revoked_key_watches_ends_and_what_others_watch_goes_on(api: Any) -> None:
    one = await workflow(api, "one")
    made = (await api.post(CREATE_KEY))["data"]["createApiKey"]
    async with watching(api, made["key"]) as socket, watching(api, api.key.text) as others:
        first = await run(api, one)
        for watcher in (socket, others):
            assert (await told(watcher))[1] == first
        await api.post(REVOKE, {"id": made["apiKey"]["id"]})
        message = await socket.receive_json()
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "UNAUTHENTICATED")
        assert (await socket.receive()).data == 4403
        second = await run(api, one)
        assert await told(others) == ("STARTED", second, "PENDING")
