"""Real processes: a key that is revoked on the command line, while its owner watches through the API."""

import asyncio
import sys
from typing import Any

import pytest
from acceptance.bad_input import CREATE_TYPE, Caller, close_of
from acceptance.system import System

from weft.domain.ids import new_id

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120)]

CREATE_KEY = """mutation ($name: String!) {
  createApiKey(input: {name: $name, role: VIEWER}) { apiKey { id prefix } key errors { message } } }"""
CREATE_IMPORT = """mutation ($id: ID!) {
  createImport(input: {entityTypeId: $id, format: JSONL}) { import { id } errors { message } } }"""
WATCH = "subscription ($id: ID!) { importProgress(importId: $id) { status } }"


async def weft_keys(system: System, *arguments: str) -> tuple[int | None, str, str]:
    """The exit status of `weft keys …`, and what it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "weft.cli",
        "keys",
        *arguments,
        "--workspace",
        "acceptance",
        env=system.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    return process.returncode, output.decode(), errors.decode()


async def watching(caller: Caller, socket: Any, import_id: str) -> None:
    await socket.send_json({"type": "connection_init", "payload": caller.headers})
    payload = {"query": WATCH, "variables": {"id": import_id}}
    await socket.send_json({"type": "subscribe", "id": "1", "payload": payload})
    assert [(await socket.receive_json())["type"] for _ in range(2)] == ["connection_ack", "next"]


async def test_a_key_revoked_on_the_command_line_ends_what_it_watches(system: System, caller: Caller) -> None:
    type_id = await caller.made(CREATE_TYPE, name=f"watched {new_id()}", schema={"type": "object"})
    import_id = await caller.made(CREATE_IMPORT, id=type_id)  # which waits for its file
    made, other = [await caller.payload(CREATE_KEY, name=name) for name in ("left\x1b[2J", "stays")]
    owner, neighbour = Caller(system, made["key"]), Caller(system, other["key"])
    prefix = made["apiKey"]["prefix"]
    status, listed, _ = await weft_keys(system, "list")
    assert status == 0
    (line,) = [line for line in listed.splitlines() if line.startswith(prefix)]
    assert line.split() == [prefix, "VIEWER", "good", "never", "left?[2J"]
    async with asyncio.timeout(60), owner.socket() as socket, neighbour.socket() as stays:
        await watching(owner, socket, import_id)
        await watching(neighbour, stays, import_id)
        status, said, _ = await weft_keys(system, "revoke", prefix)
        assert (status, "Revoked" in said) == (0, True)
        code, (error,) = await close_of(socket)
        assert code == 4403
        assert (error["type"], error["payload"][0]["extensions"]["code"]) == ("error", "UNAUTHENTICATED")
        await stays.send_json({"type": "ping"})
        assert (await stays.receive_json())["type"] == "pong"
    status, _, wrong = await weft_keys(system, "revoke", prefix)
    assert (status, "is revoked already" in wrong) == (1, True)
    status, _, wrong = await weft_keys(system, "revoke", "weft_nothing")
    assert (status, "no key begins with" in wrong) == (1, True)
    log = await caller.data(
        "query ($id: ID!) { auditLog(filter: {subject: $id}) { nodes { action actor apiKeyId address } } }",
        id=made["apiKey"]["id"],
    )
    assert log["auditLog"]["nodes"][0] == {
        "action": "apiKey.revoked",
        "actor": "the command line",
        "apiKeyId": None,
        "address": None,
    }
