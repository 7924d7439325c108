"""What stays open ends with its key, and watching keys costs the same for one watcher and for thousands."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from progress import states
from progress.stored_runs import store
from sqlalchemy import text
from workers import counted

from weft.domain.access import Role, Viewer
from weft.domain.errors import Unauthenticated
from weft.graphql.nodes import encode_id
from weft.operations import watched_keys
from weft.operations.keys import create_api_key, revoke_api_key, update_api_key
from weft.operations.services import Services
from weft.operations.watched_keys import WatchedKeys

pytestmark = pytest.mark.timeout(60)

WATCH = "subscription ($id: ID!) { runProgress(runId: $id) { revision } }"
CREATE = """mutation ($expiresAt: DateTime) { createApiKey(input: {name: "short", role: VIEWER, expiresAt: $expiresAt}) {
  key apiKey { id } errors { code } } }"""
REVOKE = "mutation ($id: ID!) { revokeApiKey(input: {id: $id}) { errors { code } } }"


async def watched_run(api: Any) -> dict[str, Any]:
    """A subscription that stays, with a first event."""
    key, state = api.key.api_key, states.started()
    await store(api.database, Viewer(key.workspace_id, key.id, key.name, key.role), state)
    return {"query": WATCH, "variables": {"id": encode_id("Run", state.run_id)}}


async def socket_with(api: Any, key: str, *subscriptions: dict[str, Any]) -> Any:
    socket = await api.session.ws_connect(api.url.replace("http", "ws"), protocols=("graphql-transport-ws",))
    await socket.send_json({"type": "connection_init", "payload": {"apiKey": key}})
    for number, payload in enumerate(subscriptions):
        await socket.send_json({"id": str(number), "type": "subscribe", "payload": payload})
    heard = [(await socket.receive_json())["type"] for _ in range(1 + len(subscriptions))]
    assert heard == ["connection_ack", *["next"] * len(subscriptions)]
    return socket


async def test_what_a_revoked_key_watches_ends_with_why_and_what_others_watch_goes_on(api: Any) -> None:
    watch = await watched_run(api)
    made, other = [(await api.post(CREATE))["data"]["createApiKey"] for _ in range(2)]
    headers = {"Authorization": f"Bearer {made['key']}", "Accept": "text/event-stream"}
    async with asyncio.timeout(30), api.session.post(api.url, json=watch, headers=headers) as stream:
        assert await stream.content.readuntil(b"event: next")
        socket = await socket_with(api, made["key"], watch, watch)
        idle = await socket_with(api, made["key"])
        others = await socket_with(api, other["key"], watch)
        await api.post(REVOKE, {"id": made["apiKey"]["id"]})
        ended = [await socket.receive_json() for _ in range(2)]
        assert {(message["type"], message["id"]) for message in ended} == {("error", "0"), ("error", "1")}
        for message in ended:
            assert message["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"
            assert "'short' was revoked" in message["payload"][0]["message"]
        for closed in (socket, idle):
            closing = await closed.receive()
            assert (closing.data, closing.extra) == (4403, "The API key 'short' was revoked.")
        last = (await stream.content.read()).decode()
        event, complete = last.strip().rsplit("\n\n", 2)[-2:]
        assert json.loads(event.partition("data: ")[2])["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert complete == "event: complete\ndata:"
        await others.send_json({"type": "ping"})
        assert (await others.receive_json())["type"] == "pong"
        await others.close()


async def test_what_an_expired_key_watches_ends_on_time(api: Any) -> None:
    watch = await watched_run(api)
    expires = datetime.now(UTC) + timedelta(seconds=3)
    made = (await api.post(CREATE, {"expiresAt": expires.isoformat()}))["data"]["createApiKey"]
    async with asyncio.timeout(30):
        socket = await socket_with(api, made["key"], watch)
        ended = await socket.receive_json()
        assert datetime.now(UTC) >= expires - timedelta(milliseconds=100)
        assert "'short' has expired" in ended["payload"][0]["message"]
        assert (await socket.receive()).data == 4403


async def test_on_a_socket_whose_key_has_ended_nothing_new_begins(api: Any) -> None:
    made = (await api.post(CREATE))["data"]["createApiKey"]
    async with asyncio.timeout(30):
        socket = await socket_with(api, made["key"])
        await api.post(REVOKE, {"id": made["apiKey"]["id"]})
        answers: list[Any] = []
        while not socket.closed:
            if not answers or answers[-1] == "complete":
                payload = {"query": "{ viewer { role } }"}
                await socket.send_json({"id": str(len(answers)), "type": "subscribe", "payload": payload})
            message = await socket.receive()
            answers.append(json.loads(message.data)["type"] if isinstance(message.data, str) else socket.close_code)
    assert answers[-1] in {4403, 4401}
    assert "error" not in answers


async def test_watching_costs_one_statement_a_look_for_however_many_watch(
    services: Services, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched_keys, "LOOK_SECONDS", 0.02)
    keys, ended = WatchedKeys(services), list[str]()
    made = [await create_api_key(services, viewer, name=f"key {number}", role=Role.VIEWER) for number in range(5)]
    viewers = [Viewer(viewer.workspace_id, one.api_key.id, one.api_key.name, Role.VIEWER) for one in made]
    leaves = [keys.join(one, lambda why, one=one: ended.append(f"{one.key_name}: {why}")) for one in viewers * 1_000]
    looked = asyncio.Event()
    looks = 0
    look = keys._look

    async def counted_look() -> None:
        nonlocal looks
        await look()
        looks += 1
        if looks == 3:
            looked.set()

    monkeypatch.setattr(keys, "_look", counted_look)
    with counted(services.database) as statements:
        await asyncio.wait_for(looked.wait(), 20)
        assert statements.count == looks
    assert ended == []
    await revoke_api_key(services, viewer, viewers[0].key_id)
    async with asyncio.timeout(20):
        while len(ended) < 1_000:
            await asyncio.sleep(0.01)
    assert set(ended) == {"key 0: The API key 'key 0' was revoked."}
    for leave in leaves:
        leave()
    with counted(services.database) as statements:
        await asyncio.sleep(0.1)
        assert (statements.count, keys._keys, keys._looking) == (0, {}, None)


async def test_a_key_that_is_prolonged_in_time_goes_on(
    services: Services, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched_keys, "LOOK_SECONDS", 0.02)
    keys, ended = WatchedKeys(services), list[Exception]()
    soon = services.clock() + timedelta(seconds=1.5)
    made = await create_api_key(services, viewer, name="short", role=Role.VIEWER, expires_at=soon)
    joined = Viewer(viewer.workspace_id, made.api_key.id, "short", Role.VIEWER)
    leave = keys.join(joined, ended.append)
    async with asyncio.timeout(20):
        while keys._keys[joined.key_id].timer is None:
            await asyncio.sleep(0.005)
    await update_api_key(services, viewer, joined.key_id, {"expires_at": None})
    async with asyncio.timeout(20):
        while keys._keys[joined.key_id].timer is not None:
            await asyncio.sleep(0.005)
    assert ended == []
    async with services.database.transaction() as connection:
        await connection.execute(text("UPDATE api_key SET expires_at = now() + interval '50 milliseconds'"))
    async with asyncio.timeout(20):
        while not ended:
            await asyncio.sleep(0.01)
    assert isinstance(ended[0], Unauthenticated)
    leave()
