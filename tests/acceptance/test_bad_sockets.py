"""Websockets that break the protocol: each is closed with its code, and the others are served."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from acceptance.bad_input import PROTOCOL, Caller, close_of
from acceptance.system import System

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(60)]

Socket = aiohttp.ClientWebSocketResponse
WHO = {"query": "{ viewer { role } }"}
NEVER_ENDS = {"query": 'subscription { importProgress(importId: "x") { revision } }'}


async def _init(caller: Caller, socket: Socket) -> None:
    await socket.send_json({"type": "connection_init", "payload": caller.headers})
    assert (await socket.receive_json())["type"] == "connection_ack"


async def _closed_by(caller: Caller, *texts: str, init: bool = True) -> int | None:
    async with asyncio.timeout(15), caller.socket() as socket:
        if init:
            await _init(caller, socket)
        for text in texts:
            await socket.send_str(text)
        code, _ = await close_of(socket)
    await caller.is_served()
    return code


@pytest.mark.parametrize(
    "text",
    [
        "hello", "", "null", "1", "[]", "{}", '{"type": 1}', '{"type": "no such type"}', '{"type": "subscribe"}',
        '{"type": "subscribe", "id": 1, "payload": {"query": "{ viewer { role } }"}}',
        '{"type": "subscribe", "id": "1", "payload": null}', '{"type": "subscribe", "id": "1", "payload": {"query": 1}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ viewer { role } }", "variables": "x"}}',
        '{"type": "complete"}', "[" * 100_000, '{"type": "subscribe", "id": "\\ud800", "payload": {}}',
    ],
    ids=lambda text: text[:60],
)  # fmt: skip
async def test_a_message_that_is_none_closes_with_4400(caller: Caller, text: str) -> None:
    assert await _closed_by(caller, text) == 4400


async def test_a_binary_message_closes_the_socket(caller: Caller) -> None:
    async with asyncio.timeout(15), caller.socket() as socket:
        await _init(caller, socket)
        await socket.send_bytes(b"\x00\xff" * 100)
        code, _ = await close_of(socket)
    assert code in {4400, 1003, 1007}
    await caller.is_served()


async def test_an_operation_before_the_key_closes_with_4401(caller: Caller) -> None:
    message = '{"type": "subscribe", "id": "1", "payload": {"query": "{ viewer { role } }"}}'
    assert await _closed_by(caller, message, init=False) == 4401


async def test_a_second_init_closes_with_4429(caller: Caller) -> None:
    assert await _closed_by(caller, '{"type": "connection_init"}') == 4429


async def test_an_id_in_use_closes_with_4409(system: System, caller: Caller) -> None:
    made = await system.ask(
        'mutation { createEntityType(input: {name: "s", schema: {type: "object"}}) { entityType { id } } }'
    )
    document = "mutation ($t: ID!) { createImport(input: {entityTypeId: $t, format: JSONL}) { import { id } } }"
    created = await system.ask(document, t=made["createEntityType"]["entityType"]["id"])
    query = "subscription ($id: ID!) { importProgress(importId: $id) { revision } }"
    payload = {"query": query, "variables": {"id": created["createImport"]["import"]["id"]}}
    async with asyncio.timeout(15), caller.socket() as socket:
        await _init(caller, socket)
        await socket.send_json({"type": "subscribe", "id": "1", "payload": payload})
        assert (await socket.receive_json())["type"] == "next"
        await socket.send_json({"type": "subscribe", "id": "1", "payload": payload})
        code, _ = await close_of(socket)
    assert code == 4409
    await caller.is_served()


async def test_too_many_operations_on_one_socket_are_refused(system: System, caller: Caller) -> None:
    made = await system.ask(
        'mutation { createEntityType(input: {name: "m", schema: {type: "object"}}) { entityType { id } } }'
    )
    document = "mutation ($t: ID!) { createImport(input: {entityTypeId: $t, format: JSONL}) { import { id } } }"
    created = await system.ask(document, t=made["createEntityType"]["entityType"]["id"])
    query = "subscription ($id: ID!) { importProgress(importId: $id) { revision } }"
    payload = {"query": query, "variables": {"id": created["createImport"]["import"]["id"]}}
    async with asyncio.timeout(30), caller.socket() as socket:
        await _init(caller, socket)
        for number in range(150):
            await socket.send_json({"type": "subscribe", "id": str(number), "payload": payload})
        code, messages = await close_of_or_errors(socket, 150)
    kinds = [message["type"] for message in messages]
    assert code in {4429, 1008} or kinds.count("error") >= 50, (code, kinds)
    await caller.is_served()


async def close_of_or_errors(socket: Socket, most: int) -> tuple[int | None, list[dict[str, Any]]]:
    messages: list[dict[str, Any]] = []
    while len(messages) < most:
        message = await socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            break
        messages.append(message.json())
    return socket.close_code, messages


async def test_a_message_that_is_too_large_closes_with_1009(caller: Caller) -> None:
    text = '{"type": "ping", "payload": {"x": "' + "x" * 2_500_000 + '"}}'
    try:
        code = await _closed_by(caller, text)
    except (aiohttp.ClientError, ConnectionError):
        code = 1009  # it hung up before all was sent
    assert code in {1009, 1006}
    await caller.is_served()


async def test_who_never_says_a_key_is_closed_with_4408(caller: Caller) -> None:
    began = time.monotonic()
    async with asyncio.timeout(20), caller.socket() as socket:
        code, _ = await close_of(socket)
    assert code == 4408
    assert time.monotonic() - began < 15


async def test_an_operation_that_is_wrong_ends_with_an_error_and_the_socket_goes_on(caller: Caller) -> None:
    wrong: list[dict[str, Any]] = [
        {"query": "{"}, {"query": "{ nothing }"}, {"query": ""}, {"query": "{ viewer { role } }", "operationName": "x"},
        {"query": "subscription ($a: Int!) { runProgress(runId: $a) { revision } }", "variables": {}},
        {"query": "{ a" * 20_000}, NEVER_ENDS,
        {"query": 'subscription { runProgress(runId: "UnVuOjE") { revision } }'},
        {"query": "subscription { a: viewer b: viewer }"},
    ]  # fmt: skip
    async with asyncio.timeout(20), caller.socket() as socket:
        await _init(caller, socket)
        for number, payload in enumerate([*wrong, WHO]):
            await socket.send_json({"type": "subscribe", "id": str(number), "payload": payload})
            seen = await socket.receive_json()
            assert seen["id"] == str(number)
            if payload is WHO:
                assert seen["payload"]["data"]["viewer"]["role"] == "ADMIN"
            else:
                errors = seen["payload"] if seen["type"] == "error" else seen["payload"]["errors"]
                assert errors[0]["message"], seen
                assert errors[0]["extensions"]["code"] != "INTERNAL", seen
                if seen["type"] == "next":
                    assert (await socket.receive_json())["type"] == "complete"


async def test_the_old_protocol_and_none_at_all_are_refused(system: System) -> None:
    for protocols in (["graphql-ws"], ["soap"]):
        async with system.session.ws_connect(system.url, protocols=protocols) as socket:
            code, _ = await close_of(socket)
            assert code == 4406


async def test_200_sockets_that_come_and_go_leave_the_server_serving(caller: Caller) -> None:
    async def politely(socket: Socket) -> None:
        await _init(caller, socket)
        await socket.send_json({"type": "subscribe", "id": "1", "payload": WHO})
        await socket.receive_json()

    async def rudely(socket: Socket) -> None:
        await _init(caller, socket)
        await socket.send_json({"type": "subscribe", "id": "1", "payload": WHO})

    async def silently(_socket: Socket) -> None:
        return

    async def visit(manner: Callable[[Socket], Awaitable[None]]) -> None:
        async with aiohttp.ClientSession() as session:
            socket = await session.ws_connect(caller.system.url, protocols=[PROTOCOL])
            await manner(socket)
            if manner is politely:
                await socket.close()

    async with asyncio.timeout(40):
        await asyncio.gather(*(visit(manner) for manner in (politely, rudely, silently) * 67))
    await caller.is_served()
