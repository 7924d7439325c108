"""The endpoint as clients of every kind meet it: HTTP, event streams, websockets, browsers."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from weft.domain.access import Role
from weft.graphql.nodes import encode_id

WHO = "{ viewer { role } }"
URQL_ACCEPTS = (
    "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed"
)
PROTOCOL = ("graphql-transport-ws",)


async def messages(api: Any, *sent: Any, init: Any = None, headers: dict[str, str] | None = None) -> list[Any]:
    """Everything the server says to `connection_init` and what follows, its close code last."""
    heard: list[Any] = []
    async with (
        asyncio.timeout(15),
        api.session.ws_connect(api.url.replace("http", "ws"), protocols=PROTOCOL, headers=headers or {}) as socket,
    ):
        payload = {"Authorization": f"Bearer {api.key.text}"} if init is None else init
        await socket.send_json({"type": "connection_init", "payload": payload})
        for message in sent:
            await (socket.send_str(message) if isinstance(message, str) else socket.send_json(message))
        async for message in socket:
            heard.append(json.loads(message.data))
            if heard[-1]["type"] in {"complete", "error"}:
                await socket.close()
        heard.append(socket.close_code)
    return heard


def operation(query: str, **more: Any) -> dict[str, Any]:
    return {"id": "1", "type": "subscribe", "payload": {"query": query} | more}


async def test_a_query_by_get_is_answered_and_a_mutation_is_not(api: Any) -> None:
    headers = {"Authorization": f"Bearer {api.key.text}"}
    async with api.session.get(api.url, params={"query": WHO}, headers=headers) as response:
        assert (await response.json())["data"] == {"viewer": {"role": "ADMIN"}}
    mutation = 'mutation { revokeApiKey(input: {id: "x"}) { errors { code } } }'
    async with api.session.get(api.url, params={"query": mutation}, headers=headers) as response:
        assert (response.status, response.headers["Allow"]) == (405, "POST")
        error = (await response.json())["errors"][0]
        assert error["extensions"]["code"] == "BAD_REQUEST"
        assert "A mutation is sent by POST" in error["message"]


async def test_a_client_that_would_take_streams_too_gets_plain_json_for_a_query(api: Any) -> None:
    assert (await api.post(WHO, Accept=URQL_ACCEPTS))["data"] == {"viewer": {"role": "ADMIN"}}
    assert (await api.post("{ viewer {", Accept=URQL_ACCEPTS))["errors"][0]["extensions"][
        "code"
    ] == "GRAPHQL_PARSE_FAILED"


async def test_a_subscription_by_plain_http_says_how_it_can_be_had(api: Any) -> None:
    answer = await api.post('subscription { runProgress(runId: "x") { total } }', Accept="application/json")
    assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert "text/event-stream" in answer["errors"][0]["message"]


async def test_a_subscription_as_an_event_stream_ends_with_its_error(api: Any) -> None:
    body = {"query": f'subscription {{ runProgress(runId: "{encode_id("Run", api.key.api_key.id)}") {{ total }} }}'}
    headers = {"Authorization": f"Bearer {api.key.text}", "Accept": "text/event-stream"}
    async with asyncio.timeout(15), api.session.post(api.url, json=body, headers=headers) as response:
        text = await response.text()
    assert response.content_type == "text/event-stream"
    assert '"code":"NOT_FOUND"' in text
    assert text.endswith("event: complete\ndata:\n\n")


NO_REQUESTS = (b"{", b"\xff", b"[]", b'"x"', b'{"query": 5}', b"{}", b'{"query": "{a}", "variables": 5}', b"")


async def test_what_is_no_graphql_request_gets_an_error_as_json(api: Any) -> None:
    for body, content_type in ((b"query=x", "text/plain"), *((body, "application/json") for body in NO_REQUESTS)):
        async with api.session.post(api.url, data=body, headers={"Content-Type": content_type}) as response:
            assert response.status == (415 if content_type == "text/plain" else 400), body
            assert (await response.json())["errors"][0]["extensions"]["code"] == "BAD_REQUEST", body


async def test_a_body_too_large_is_refused_with_or_without_its_length(api: Any) -> None:
    async def chunks() -> Any:
        for _ in range(20):
            yield b" " * 10_000

    for body in (b" " * 200_000, chunks()):
        async with api.session.post(api.url, data=body, headers={"Content-Type": "application/json"}) as response:
            assert response.status == 413
            assert (await response.json())["errors"][0]["extensions"]["code"] == "BODY_TOO_LARGE"


async def test_every_answer_carries_a_request_id_the_callers_own_where_it_sent_one(api: Any) -> None:
    async with api.session.post(api.url, json={"query": "{ x }"}, headers={"X-Request-ID": "mine-1"}) as response:
        assert response.headers["X-Request-ID"] == "mine-1"
        assert (await response.json())["errors"][0]["extensions"]["requestId"] == "mine-1"
    async with api.session.post(api.url, json={"query": WHO}, headers={"X-Request-ID": "two words"}) as response:
        assert len(response.headers["X-Request-ID"]) == 32


async def test_a_websocket_takes_queries_and_answers_in_text(api: Any) -> None:
    for init in (None, {"apiKey": api.key.text}, {"authorization": api.key.text}):
        ack, following, complete, _ = await messages(api, operation(WHO), init=init)
        assert ack["type"] == "connection_ack"
        assert following["payload"]["data"] == {"viewer": {"role": "ADMIN"}}
        assert complete["type"] == "complete"


async def test_a_websocket_may_bring_its_key_with_the_handshake(api: Any) -> None:
    heard = await messages(api, operation(WHO), init={}, headers={"Authorization": f"Bearer {api.key.text}"})
    assert heard[0]["type"] == "connection_ack"


async def test_a_websocket_without_a_good_key_closes_with_4403(api: Any) -> None:
    for init in ({}, {"Authorization": "Bearer weft_wrong"}, {"apiKey": "weft_" + "A" * 43}):
        assert await messages(api, init=init) == [4403]


async def test_a_mistake_in_a_query_over_a_websocket_is_an_error_and_the_socket_stays(api: Any) -> None:
    for query, code in (
        ("{ viewer {", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("", "BAD_REQUEST"),
    ):
        heard = await messages(api, operation(query))
        assert heard[1]["type"] == "error"
        assert heard[1]["payload"][0]["extensions"]["code"] == code
        assert heard[2] == 1000


MALFORMED: tuple[Any, ...] = (
    "no json",
    [1, 2],
    '"text"',
    {},
    {"type": 5},
    {"type": "dance"},
    {"type": "subscribe"},
    {"type": "subscribe", "id": "1", "payload": "x"},
    {"type": "subscribe", "id": "1", "payload": {"query": 5}},
    {"type": "subscribe", "id": "1", "payload": {"query": "{a}", "variables": [1]}},
    {"type": "complete"},
)


async def test_a_malformed_message_closes_the_socket_with_4400(api: Any) -> None:
    for message in MALFORMED:
        assert (await messages(api, message))[-1] == 4400, message


async def test_the_old_websocket_protocol_is_not_spoken(api: Any) -> None:
    async with (
        asyncio.timeout(10),
        api.session.ws_connect(api.url.replace("http", "ws"), protocols=("graphql-ws",)) as socket,
    ):
        message = await socket.receive()
        assert (message.type, socket.close_code) == (aiohttp.WSMsgType.CLOSE, 4406)


async def test_pages_elsewhere_reach_the_api_only_from_allowed_origins(api: Any) -> None:
    for origin, allowed in (("https://page.example", True), ("https://other.example", False)):
        headers = {"Origin": origin}
        preflight = headers | {
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization",
        }
        async with api.session.options(api.url, headers=preflight) as response:
            assert (response.headers.get("Access-Control-Allow-Origin") == origin) is allowed
        if allowed:
            assert (await messages(api, operation(WHO), headers=headers))[0]["type"] == "connection_ack"
        else:
            with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
                await messages(api, headers=headers)


async def test_a_page_that_was_refused_is_told_once_with_the_setting(
    api: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with capture_logs() as told:
        for _ in range(3):
            with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
                await messages(api, headers={"Origin": "https://told.example/\xa0" + "x" * 300})
    [line] = [line for line in told if "WEFT_ALLOWED_ORIGINS" in line["event"]]
    assert line["origin"].startswith("https://told.example/")
    assert line["origin"].isprintable()
    assert len(line["origin"]) == 200
    assert [record for record in caplog.records if record.name == "strawberry.ws"] == []


async def test_health_and_readiness_are_told_without_a_key(api: Any) -> None:
    async with api.session.get(f"{api.origin}/healthz") as response:
        assert await response.json() == {"healthy": True}
    async with api.session.get(f"{api.origin}/readyz") as response:
        assert response.status == 200
        assert await response.json() == {"ready": True, "checks": {"database": "ok", "redis": "ok"}}


async def test_what_nobody_expected_is_masked_and_named(api: Any) -> None:
    async with api.database.transaction() as connection:
        await connection.exec_driver_sql("ALTER TABLE audit_entry RENAME COLUMN actor TO who")
    answer = await api.post("{ auditLog { nodes { at } } }")
    error = answer["errors"][0]
    assert error["extensions"]["code"] == "INTERNAL"
    assert error["extensions"]["requestId"] in error["message"]
    assert "audit_entry" not in json.dumps(answer)


async def test_what_was_stored_as_deep_as_it_goes_can_be_read_in_a_list(api: Any) -> None:
    deep: Any = "x"
    for _ in range(252):
        deep = {"a": deep}
    emit = 'mutation ($payload: JSON!) { emitEvent(input: {name: "deep.one", payload: $payload}) { errors { code } } }'
    assert (await api.post(emit, {"payload": deep}))["data"]["emitEvent"]["errors"] == []
    query = "{ events { edges { node { payload } } } }"
    expected = {"events": {"edges": [{"node": {"payload": deep}}]}}
    assert (await api.post(query))["data"] == expected
    async with api.session.ws_connect(api.url.replace("http", "ws"), protocols=("graphql-transport-ws",)) as socket:
        await socket.send_json({"type": "connection_init", "payload": {"apiKey": api.key.text}})
        await socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": query}})
        assert (await socket.receive_json())["type"] == "connection_ack"
        assert (await socket.receive_json())["payload"]["data"] == expected


async def test_roles_are_told_apart(api: Any) -> None:
    key = await api.make_key(Role.RUNNER)
    answer = await api.post("{ apiKeys { nodes { id } } }", Authorization=f"Bearer {key.text}")
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert "needs the role ADMIN" in answer["errors"][0]["message"]
