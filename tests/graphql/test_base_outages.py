"""Postgres is away: callers are told to try again, and the log says so in a line. Clients leave: nobody need be told."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import asyncpg
import pytest
from door import Door, door
from progress import states
from progress.stored_runs import store
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from structlog.testing import capture_logs
from structlog.typing import EventDict

from weft.app import create_app
from weft.domain.access import Viewer
from weft.graphql.nodes import encode_id
from weft.operations import watched_keys
from weft.settings import Settings
from weft.storage.outage import outage

pytestmark = pytest.mark.timeout(60)

TYPES = "{ entityTypes { nodes { id } } }"
WATCH = "subscription ($id: ID!) { runProgress(runId: $id) { revision } }"
SOON = "The database cannot be reached for the moment: try again soon."


@pytest.fixture
async def postgres(database_url: str) -> AsyncIterator[Door]:
    async with door(database_url) as opened:
        yield opened


@pytest.fixture
def settings(settings: Settings, postgres: Door) -> Settings:
    return settings.model_copy(update={"database_url": postgres.url})


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[list[EventDict]]:
    """What this server logs; at the end nothing of it, and nothing of uvicorn's and strawberry's, may have had a stack."""
    with capture_logs() as events:
        yield events
    assert [event for event in events if event["log_level"] == "error" or event.get("exc_info")] == []
    assert [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.ERROR] == []


def warnings(logged: list[EventDict]) -> list[str]:
    return [event["event"] for event in logged if event["log_level"] != "debug"]


def told(answer: Any, *, shared: bool = False) -> tuple[str, str]:
    """`shared`: by an execution for several, which has a request id of its own."""
    error = answer["errors"][0]
    assert (error["extensions"]["requestId"] == "mine") is not shared
    return error["extensions"]["code"], error["message"]


async def connect(api: Any, **headers: str) -> Any:
    return await api.session.ws_connect(
        api.url.replace("http", "ws"), protocols=("graphql-transport-ws",), headers={"X-Request-ID": "mine"} | headers
    )


async def begin(socket: Any, api: Any, *operations: dict[str, Any]) -> None:
    await socket.send_json({"type": "connection_init", "payload": {"apiKey": api.key.text}})
    assert (await socket.receive_json())["type"] == "connection_ack"
    for number, payload in enumerate(operations):
        await socket.send_json({"id": str(number), "type": "subscribe", "payload": payload})


async def test_requests_in_an_outage_are_told_to_try_again_and_those_after_it_are_answered(
    api: Any, postgres: Door, logged: list[EventDict]
) -> None:
    assert (await api.post(TYPES))["data"]
    await postgres.shut()
    # The key is remembered for a second: the first fails in its field, the later ones before they begin.
    for _ in range(30):
        answer = await api.post(TYPES, **{"X-Request-ID": "mine"})
        assert told(answer) == ("UNAVAILABLE", SOON)
        await asyncio.sleep(0.05)
    assert 1 <= len(warnings(logged)) <= 5
    assert set(warnings(logged)) == {"The database is away."}
    await postgres.open()
    assert (await api.post(TYPES))["data"] == {"entityTypes": {"nodes": []}}


async def test_a_request_whose_key_cannot_be_checked_gets_503(
    api: Any, postgres: Door, logged: list[EventDict]
) -> None:
    await postgres.shut()
    headers = {"Authorization": f"Bearer {api.key.text}", "X-Request-ID": "mine"}
    for accept in ("application/json", "text/event-stream"):
        async with api.session.post(api.url, json={"query": TYPES}, headers=headers | {"Accept": accept}) as response:
            assert response.status == 503
            assert response.content_type == "application/json"
            assert told(await response.json()) == ("UNAVAILABLE", SOON)
    assert len(warnings(logged)) <= 1
    async with api.session.get(f"{api.origin}/healthz") as response:
        assert response.status == 200


async def test_a_websocket_whose_key_cannot_be_checked_closes_with_1013(
    api: Any, postgres: Door, logged: list[EventDict]
) -> None:
    await postgres.shut()
    async with asyncio.timeout(15), await connect(api) as socket:
        await socket.send_json({"type": "connection_init", "payload": {"apiKey": api.key.text}})
        closing = await socket.receive()
        assert (closing.data, closing.extra) == (1013, SOON)
    async with asyncio.timeout(15), await connect(api, Authorization=f"Bearer {api.key.text}") as socket:
        assert (await socket.receive()).data == 1013
    assert len(warnings(logged)) <= 1


async def test_an_operation_over_a_websocket_is_told_to_try_again_and_the_socket_stays(
    api: Any, postgres: Door, logged: list[EventDict]
) -> None:
    async with asyncio.timeout(15), await connect(api) as socket:
        await begin(socket, api)
        await postgres.shut()
        subscription = {"query": WATCH, "variables": {"id": encode_id("Run", api.key.api_key.id)}}
        for number, payload in enumerate(({"query": TYPES}, subscription)):
            await socket.send_json({"id": str(number), "type": "subscribe", "payload": payload})
            answer = await socket.receive_json()
            errors = answer["payload"] if answer["type"] == "error" else answer["payload"]["errors"]
            assert told({"errors": errors}, shared=number == 1) == ("UNAVAILABLE", SOON)
            if answer["type"] == "next":
                assert (await socket.receive_json())["type"] == "complete"
        await postgres.open()
        await socket.send_json({"id": "after", "type": "subscribe", "payload": {"query": TYPES}})
        assert (await socket.receive_json())["payload"]["data"] == {"entityTypes": {"nodes": []}}
    assert len(warnings(logged)) <= 2


async def test_a_subscription_whose_key_cannot_be_checked_again_ends_with_why(
    api: Any, postgres: Door, logged: list[EventDict], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched_keys, "UNCHECKED_SECONDS", 0.0)
    key, state = api.key.api_key, states.started()
    await store(api.database, Viewer(key.workspace_id, key.id, key.name, key.role, None), state)
    watch = {"query": WATCH, "variables": {"id": encode_id("Run", state.run_id)}}
    async with asyncio.timeout(15), await connect(api) as socket:
        await begin(socket, api, watch)
        assert (await socket.receive_json())["payload"]["data"]["runProgress"] == {"revision": 1}
        await postgres.shut()
        answer = await socket.receive_json()
        assert answer["type"] == "error"
        assert told({"errors": answer["payload"]}) == ("UNAVAILABLE", SOON)
        closing = await socket.receive()
        assert (closing.data, closing.extra) == (1013, SOON)
    assert set(warnings(logged)) <= {
        "The database is away.",
        "Progress cannot be read from Postgres for now.",
        "API keys of open subscriptions cannot be checked for now.",
    }


async def test_an_upload_in_an_outage_gets_503(api: Any, postgres: Door, logged: list[EventDict]) -> None:
    upload_url = await _upload_url(api)
    await postgres.shut()
    async with api.session.put(upload_url, data=b'{"id": "1"}\n') as response:
        assert response.status == 503
        error = (await response.json())["errors"][0]
    assert (error["code"], error["message"]) == ("UNAVAILABLE", SOON)
    assert "Send the same file" in error["hint"]
    await postgres.open()
    async with api.session.put(upload_url, data=b'{"id": "1"}\n') as response:
        assert (await response.json())["import"]["created"] == 1
    assert len(warnings(logged)) <= 1


async def _upload_url(api: Any) -> str:
    schema = {"type": "object", "properties": {"id": {"type": "string"}}}
    answer = await api.post(
        "mutation ($schema: JSON!) { createEntityType(input: {name: "
        '"thing", schema: $schema}) { entityType { id } errors { message } } }',
        {"schema": schema},
    )
    answer = await api.post(
        "mutation ($type: ID!) { createImport(input: {entityTypeId: $type, format: JSONL, externalIdField: "
        '"id"}) { uploadUrl errors { message } } }',
        {"type": answer["data"]["createEntityType"]["entityType"]["id"]},
    )
    path = answer["data"]["createImport"]["uploadUrl"].partition("/files/")[2]
    return f"{api.origin}/files/{path}"


async def test_a_client_that_leaves_while_answers_are_on_their_way_is_nothing_to_log(
    api: Any, settings: Settings, logged: list[EventDict]
) -> None:
    """Served by hand, to be sure of the order: sending fails before anybody is told that the client has left."""
    messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    acknowledged, tried = asyncio.Event(), asyncio.Event()

    async def send(message: Any) -> None:
        if acknowledged.is_set():
            tried.set()
            raise OSError  # as servers do, by the specification of ASGI
        if "connection_ack" in message.get("text", ""):
            acknowledged.set()

    def say(**message: Any) -> None:
        messages.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})

    app = create_app(settings)
    protocol = (b"sec-websocket-protocol", b"graphql-transport-ws")
    scope: dict[str, Any] = {"type": "websocket", "path": "/graphql", "query_string": b"", "headers": [protocol]}
    scope |= {"subprotocols": ["graphql-transport-ws"]}
    async with asyncio.timeout(15), app.router.lifespan_context(app):
        serving = asyncio.create_task(app(scope, messages.get, send))
        messages.put_nowait({"type": "websocket.connect"})
        say(type="connection_init", payload={"apiKey": api.key.text})
        await acknowledged.wait()
        for number in range(3):
            say(id=str(number), type="subscribe", payload={"query": TYPES})
        await tried.wait()
        messages.put_nowait({"type": "websocket.disconnect", "code": 1006})
        await serving
    assert warnings(logged) == []


def _driver(error: asyncpg.PostgresError) -> DBAPIError:
    return DBAPIError("SELECT 1", None, error)


NO_ROOM = "The server has no room left on its disk. Once there is some again, try again."
ERRORS: Sequence[tuple[Exception, str | None]] = (
    (FileNotFoundError(2, "No such file or directory"), SOON),
    (ConnectionRefusedError(111, "Connection refused"), SOON),
    (TimeoutError(), SOON),
    (PoolTimeoutError("QueuePool limit of size 10 overflow 0 reached"), SOON),
    (asyncpg.ProtocolError("got result for unknown protocol state 3"), SOON),
    (_driver(asyncpg.CannotConnectNowError("the database system is starting up")), SOON),
    (_driver(asyncpg.AdminShutdownError("terminating connection due to administrator command")), SOON),
    (_driver(asyncpg.TooManyConnectionsError("sorry, too many clients already")), SOON),
    (_driver(asyncpg.DiskFullError("could not extend file")), NO_ROOM),
    (_driver(asyncpg.UndefinedColumnError("column does not exist")), None),
    (IntegrityError("INSERT", None, asyncpg.UniqueViolationError("duplicate key")), None),
    (RuntimeError("something else"), None),
)


@pytest.mark.parametrize(("error", "message"), ERRORS, ids=[type(error).__name__ for error, _ in ERRORS])
def test_only_what_passes_is_an_outage(error: Exception, message: str | None) -> None:
    assert outage(error) == message
