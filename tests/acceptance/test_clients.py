"""Weft as the clients of others see it, each set up as its documentation says: one API, and whatever loses connections."""

import json
import random
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, replace
from typing import Any

import orjson
import pytest
from acceptance.proxy import proxy_to
from acceptance.runs import RUN, WATCH, begin_run, end_of
from acceptance.system import System, running_system
from gql import Client, GraphQLRequest
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.aiohttp_websockets import AIOHTTPWebsocketsTransport
from gql.transport.async_transport import AsyncTransport
from gql.transport.exceptions import TransportError, TransportQueryError
from gql.transport.websockets import WebsocketsTransport
from node import needs_node, run_node

from weft.cli.demonstration.client import Api

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120)]

ITEMS = 600
EVENTS = """subscription ($run: ID!) {
  runEvents(runId: $run) { __typename ... on ItemFinished { item { ordinal } } } }"""
WITH_CURSORS = """subscription ($run: ID!, $after: String) { runEvents(runId: $run, after: $after) { cursor } }"""
WORKFLOW = "query ($run: ID!) { run(id: $run) { workflow { id } } }"
WHO = "{ viewer { role } }"
ADMIN = {"viewer": {"role": "ADMIN"}}


@dataclass
class Tried:
    """What the clients are tried with."""

    system: System
    workflow: str
    run: str
    """A run of that workflow that is over."""

    @property
    def environment(self) -> dict[str, str]:
        return {
            "WEFT_URL": self.system.url,
            "WEFT_KEY": self.system.key,
            "WEFT_WORKFLOW": self.workflow,
            "WEFT_RUN": self.run,
        }

    async def by(self, script: str, **environment: str) -> Any:
        """What a client saw."""
        return json.loads(await run_node(f"clients/{script}.mjs", environment=self.environment | environment))

    async def stream(self, document: str, last_event_id: str = "", **variables: Any) -> tuple[list[str], list[Any]]:
        """The ids that came with the events of a stream, and their payloads."""
        headers = {"Authorization": f"Bearer {self.system.key}", "Accept": "text/event-stream"}
        if last_event_id:
            headers["Last-Event-ID"] = last_event_id
        body = {"query": document, "variables": {"run": self.run} | variables}
        async with self.system.session.post(self.system.url, json=body, headers=headers) as reply:
            text = await reply.text()
        lines = [line.partition(": ") for line in text.splitlines()]
        ids = [value for name, _, value in lines if name == "id"]
        return ids, [orjson.loads(value) for name, _, value in lines if name == "data"]

    async def events(self) -> list[str]:
        """What there is to see in the run."""
        _, payloads = await self.stream(EVENTS)
        return [_named(payload["data"]["runEvents"]) for payload in payloads]


def _named(event: dict[str, Any]) -> str:
    return f"{event['__typename']} {event['item']['ordinal']}" if "item" in event else event["__typename"]


@pytest.fixture(scope="module")
async def tried(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Tried]:
    async with (
        running_system(tmp_path_factory.mktemp("clients"), workers=1, WEFT_HEARTBEAT_SECONDS="3") as system,
        Api.connected(f"http://127.0.0.1:{system.port}", system.key) as api,
    ):
        run = await begin_run(api, items=ITEMS)
        await end_of(api, run)
        workflow = (await api.ask(WORKFLOW, run=run))["run"]["workflow"]["id"]
        yield Tried(system, workflow, run)


def assert_well(seen: dict[str, Any]) -> None:
    """What every client shows of the same operations."""
    assert seen["refused"] == ["INVALID"]
    assert seen["noRun"] == ["INVALID"]
    assert seen["nonsense"] == ["GRAPHQL_VALIDATION_FAILED"]
    assert seen["mistaken"] == [["input", "workflowId"]]
    revisions = [state["revision"] for state in seen["progress"]]
    assert revisions == sorted(revisions)
    last = seen["progress"][-1]
    assert (last["status"], last["finished"], last["total"]) == ("COMPLETED", ITEMS, ITEMS)


async def test_each_event_of_a_stream_has_its_cursor_for_an_id_and_last_event_id_says_where_it_goes_on(
    tried: Tried,
) -> None:
    events = await tried.events()
    ids, payloads = await tried.stream(WITH_CURSORS)
    assert ids == [payload["data"]["runEvents"]["cursor"] for payload in payloads]
    assert (len(ids), len(set(ids))) == (len(events), len(events))
    for place in (0, 5, len(ids) - 2):
        rest, payloads = await tried.stream(EVENTS, ids[place])
        assert [_named(payload["data"]["runEvents"]) for payload in payloads] == events[place + 1 :]
        assert rest == ids[place + 1 :]
        assert (await tried.stream(WITH_CURSORS, ids[place], after=ids[2]))[0] == rest
    none, (refused,) = await tried.stream(EVENTS, "no cursor")
    assert none == []
    assert refused["errors"][0]["extensions"]["code"] == "INVALID"


@needs_node
async def test_graphql_ws_lazy_and_eager_with_a_good_key_and_a_wrong_one(tried: Tried) -> None:
    seen = await tried.by("graphql-ws")
    lazily, eagerly, wrong = seen["lazily"], seen["eagerly"], seen["wrong"]
    assert_well(lazily)
    assert (lazily["before"], lazily["alone"]) == ([], ["opened", "connected", "closed"])
    assert lazily["who"] == eagerly["who"] == ADMIN
    assert eagerly["before"] == eagerly["after"] == ["opened", "connected"]
    assert min(eagerly["pings"].values()) >= 1
    assert wrong == {"code": 4403, "reason": "Forbidden", "happened": ["opened", "closed"]}


@needs_node
async def test_graphql_ws_goes_on_behind_the_event_it_saw_last_when_the_api_was_killed(tried: Tried) -> None:
    system = tried.system

    async def killed() -> None:
        await system.kill("api")
        await system.start_api(0)
        await system.ready()

    async with proxy_to(system.port, iter([40_000]), killed) as (_, url):
        seen = await tried.by("graphql-ws-resume", WEFT_URL=url)
    assert seen["events"] == await tried.events()
    assert seen["connections"] >= 2


@needs_node
async def test_graphql_sse_in_its_distinct_connections_mode_through_a_proxy_that_buffers(tried: Tried) -> None:
    async with proxy_to(tried.system.port, iter(())) as (_, url):
        seen = await tried.by("graphql-sse", WEFT_URL=url)
    assert_well(seen)
    assert (seen["who"], seen["wrong"]) == (ADMIN, ["UNAUTHENTICATED"])


@needs_node
async def test_graphql_sse_goes_on_by_last_event_id_through_a_proxy_that_loses_connections(tried: Tried) -> None:
    chance = random.Random(5)
    allowances = (chance.randint(1, 20_000) for _ in range(30))
    async with proxy_to(tried.system.port, allowances) as (proxy, url):
        seen = await tried.by("graphql-sse-resume", WEFT_URL=url)
    assert seen["events"] == await tried.events()
    assert proxy.lost > 5


@needs_node
async def test_apollo_client_with_a_websocket_beside_http_and_with_http_alone(tried: Tried) -> None:
    seen = await tried.by("apollo")
    for way in ("split", "http"):
        assert_well(seen[way])
        assert seen[way]["who"] == "ADMIN"


@needs_node
async def test_urql_with_a_websocket_and_with_its_own_event_streams(tried: Tried) -> None:
    seen = await tried.by("urql")
    for way in ("split", "fetching"):
        assert_well(seen[way])
        assert seen[way]["who"]["viewer"]["role"] == "ADMIN"


def gql_transports(tried: Tried) -> list[AsyncTransport]:
    """Those that take subscriptions."""
    key = {"Authorization": f"Bearer {tried.system.key}"}
    websocket = tried.system.url.replace("http", "ws", 1)
    return [
        WebsocketsTransport(
            websocket, init_payload=key, subprotocols=["graphql-transport-ws"], ping_interval=0.1, pong_timeout=30
        ),
        AIOHTTPWebsocketsTransport(websocket, init_payload=key),
        AIOHTTPTransport(tried.system.url, headers=key, ssl=True),
    ]


def request(document: str, **variables: Any) -> GraphQLRequest:
    return GraphQLRequest(document, variable_values=variables)


async def gql_refusal(answer: Awaitable[Any]) -> Any:
    with pytest.raises(TransportQueryError) as refused:
        await answer
    assert refused.value.errors is not None
    return [error["extensions"]["code"] for error in refused.value.errors]


async def test_pythons_gql_over_websockets_and_over_http(tried: Tried) -> None:
    for transport in gql_transports(tried):
        async with Client(transport=transport) as session:
            assert await session.execute(request(WHO)) == ADMIN
            mistake = {"workflowId": "no id", "entities": {"all": True}}
            mistaken = await session.execute(request(RUN, input=mistake))
            started = await session.execute(request(RUN, input=mistake | {"workflowId": tried.workflow}))
            run = started["runWorkflow"]["run"]["id"]
            assert_well(
                {
                    "refused": await gql_refusal(session.execute(request(WORKFLOW, run="no id"))),
                    "noRun": await gql_refusal(anext(session.subscribe(request(WATCH, run="no id")))),
                    "nonsense": await gql_refusal(session.execute(request("{ nothing }"))),
                    "mistaken": [error["path"] for error in mistaken["runWorkflow"]["errors"]],
                    "progress": [state["runProgress"] async for state in session.subscribe(request(WATCH, run=run))],
                }
            )
            seen = [event["runEvents"] async for event in session.subscribe(request(EVENTS, run=tried.run))]
            assert [_named(event) for event in seen] == await tried.events()


async def test_pythons_gql_with_a_wrong_key_is_refused_with_the_reason(tried: Tried) -> None:
    tried = replace(tried, system=replace(tried.system, key="weft_wrong"))
    *websockets, http = gql_transports(tried)
    causes: list[str] = []
    for transport in websockets:
        with pytest.raises(TransportError) as refused:
            await Client(transport=transport).connect_async()
        causes.append(str(refused.value.__cause__))
    assert "4403" in causes[0]  # the other one keeps to itself why
    async with Client(transport=http) as session:
        assert await gql_refusal(session.execute(request(WHO))) == ["UNAUTHENTICATED"]
