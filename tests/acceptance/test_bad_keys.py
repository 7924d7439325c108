"""Keys that open nothing: over HTTP, event streams and websockets, each with the reason."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from acceptance.bad_input import Caller, close_of, first_error
from acceptance.system import System
from sqlalchemy import text

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(60)]

WHO = "{ viewer { role } }"
WATCH = 'subscription { runProgress(runId: "x") { revision } }'
CREATE_KEY = """mutation ($role: Role!, $expiresAt: DateTime) {
  createApiKey(input: {name: "short", role: $role, expiresAt: $expiresAt}) { apiKey { id } key errors { message path } } }"""
REVOKE = "mutation ($id: ID!) { revokeApiKey(input: {id: $id}) { apiKey { revokedAt } errors { message } } }"


async def _new_key(caller: Caller, role: str = "VIEWER") -> tuple[str, str]:
    made = await caller.payload(CREATE_KEY, role=role)
    assert made["errors"] == []
    return made["apiKey"]["id"], made["key"]


async def _bad_keys(system: System, caller: Caller) -> dict[str, str | None]:
    revoked_id, revoked = await _new_key(caller)
    await Caller(system, revoked).is_served()
    await caller.payload(REVOKE, id=revoked_id)
    _, expired = await _new_key(caller)
    async with system.database.transaction() as connection:
        await connection.execute(
            text("UPDATE api_key SET expires_at = :at WHERE prefix = :prefix"),
            {"at": datetime.now(UTC) - timedelta(seconds=1), "prefix": expired[:12]},
        )
        changed = await connection.execute(text("SELECT count(*) FROM api_key WHERE expires_at IS NOT NULL"))
        assert changed.scalar_one() == 1
    await asyncio.sleep(1.1)  # a revoked key counts as good for a second
    return {
        "missing": None,
        "no key": "hello",
        "unknown": "weft_" + "x" * 43,
        "cut": system.key[:-1],
        "long": "weft_" + "x" * 5_000,
        "odd": "weft_é",
        "revoked": revoked,
        "expired": expired,
    }


@pytest.fixture(scope="module")
async def bad_keys(system: System) -> dict[str, str | None]:
    return await _bad_keys(system, Caller(system, system.key))


KINDS = ["missing", "no key", "unknown", "cut", "long", "odd", "revoked", "expired"]


@pytest.mark.parametrize("kind", KINDS)
async def test_over_http_a_bad_key_is_refused_with_the_reason(
    system: System, bad_keys: dict[str, str | None], kind: str
) -> None:
    answer = await Caller(system, bad_keys[kind]).answer(WHO)
    assert not answer.get("data")
    error = first_error(answer)
    assert error["code"] == "UNAUTHENTICATED"
    if kind in {"revoked", "expired"}:
        assert kind in error["message"]


@pytest.mark.parametrize("kind", KINDS)
async def test_over_an_event_stream_a_bad_key_is_refused(
    system: System, bad_keys: dict[str, str | None], kind: str
) -> None:
    headers = {"Accept": "text/event-stream", **Caller(system, bad_keys[kind]).headers}
    async with system.session.post(system.url, json={"query": WATCH}, headers=headers) as reply:
        assert "UNAUTHENTICATED" in await reply.text()


@pytest.mark.parametrize("kind", KINDS)
async def test_over_a_websocket_a_bad_key_closes_with_4403(
    system: System, bad_keys: dict[str, str | None], kind: str
) -> None:
    key = bad_keys[kind]
    payload: Any = {} if key is None else {"payload": {"Authorization": f"Bearer {key}"}}
    async with Caller(system, None).socket() as socket:
        await socket.send_json({"type": "connection_init", **payload})
        code, messages = await close_of(socket)
    assert (code, messages) == (4403, [])


@pytest.mark.parametrize("header", ["Basic d2VmdDp3ZWZ0", "Bearer", "Bearer ", "Bearer a b", "Bearer weft_\xe9"])
async def test_a_header_that_is_no_bearer_key_is_refused(system: System, header: str) -> None:
    async with system.session.post(system.url, json={"query": WHO}, headers={"Authorization": header}) as reply:
        assert first_error(await reply.json())["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("payload", [[], "weft_x", 1, {"Authorization": {}}, {"Authorization": None}, {"apiKey": [1]}])
async def test_a_payload_that_holds_no_key_closes_the_socket(system: System, payload: Any) -> None:
    async with Caller(system, None).socket() as socket:
        await socket.send_json({"type": "connection_init", "payload": payload})
        code, _ = await close_of(socket)
    assert code in {4400, 4403}


async def test_a_revoked_key_opens_nothing_after_a_second(system: System, caller: Caller) -> None:
    key_id, key = await _new_key(caller)
    user = Caller(system, key)
    await user.is_served()
    await caller.payload(REVOKE, id=key_id)
    await asyncio.sleep(1.1)
    assert first_error(await user.answer(WHO))["code"] == "UNAUTHENTICATED"


async def test_a_role_that_is_too_low_changes_nothing(system: System, caller: Caller) -> None:
    _, key = await _new_key(caller, "VIEWER")
    viewer = Caller(system, key)
    for document in (
        'mutation { createEntityType(input: {name: "x", schema: {}}) { errors { message } } }',
        'mutation { createApiKey(input: {name: "x", role: ADMIN}) { key } }',
        "{ apiKeys { nodes { id } } }",
        "{ auditLog { nodes { action } } }",
    ):
        answer = await viewer.answer(document)
        assert first_error(answer)["code"] == "FORBIDDEN", answer


async def test_without_a_key_no_page_of_another_origin_may_open_a_socket(system: System) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await system.session.ws_connect(
            system.url, protocols=["graphql-transport-ws"], headers={"Origin": "https://evil.example"}
        )
