"""Imports through the API; what the upload itself does is in `tests/http/test_files.py`."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest
from asking import ask, ask_anything
from counting import counting

from weft.domain.access import Role, Viewer
from weft.domain.errors import Forbidden, NotFound
from weft.domain.ids import UUID
from weft.domain.imports import ImportStatus
from weft.graphql.context import Context
from weft.graphql.nodes import encode_id, read_id
from weft.graphql.schema import WeftSchema
from weft.operations import imports
from weft.operations.entity_types import create_entity_type
from weft.operations.import_watching import watch_import
from weft.operations.services import Services

SCHEMA = {"type": "object", "properties": {"id": {"type": "string"}, "n": {"type": "number"}}, "required": ["n"]}

CREATE = """mutation ($input: CreateImportInput!) { createImport(input: $input) {
  import { id status format onConflict externalIdField revision } uploadUrl errors { code path message } } }"""
READ = """query ($id: ID!) { import(id: $id) {
  status rowsRead created updated skipped failed bytesRead error entityType { name } startedAt finishedAt
  errors(first: 1) { nodes { line code message path excerpt } pageInfo { hasNextPage endCursor } } } }"""


@pytest.fixture
async def type_id(services: Services, viewer: Viewer) -> str:
    made = await create_entity_type(services, viewer, name="thing", description="", schema=SCHEMA)
    return encode_id("EntityType", made.id)


async def create(services: Services, viewer: Viewer, type_id: str, **others: Any) -> dict[str, Any]:
    given = {"entityTypeId": type_id, "format": "JSONL", "externalIdField": "id"} | others
    return (await ask(services, viewer, CREATE, input=given))["createImport"]


def import_id(payload: dict[str, Any]) -> UUID:
    return read_id(payload["import"]["id"], "Import")


async def send(
    services: Services, payload: dict[str, Any], *parts: bytes, between: asyncio.Event | None = None
) -> None:
    async def stream() -> AsyncGenerator[bytes]:
        for part in parts:
            yield part
            if between is not None:
                await between.wait()

    await imports.receive_file(services, import_id(payload), payload["uploadUrl"].rsplit("/", 1)[1], stream())


async def test_an_import_is_made_fed_and_read(services: Services, viewer: Viewer, type_id: str) -> None:
    payload = await create(services, viewer, type_id)
    assert payload["errors"] == []
    assert payload["import"]["status"] == "PENDING"
    await send(services, payload, b'{"id":"a","n":1}\n{"id":"b"}\n{"id":"c","n":"x"}\n')
    found = (await ask(services, viewer, READ, id=payload["import"]["id"]))["import"]
    assert {key: found[key] for key in ("status", "rowsRead", "created", "failed", "bytesRead", "entityType")} == {
        "status": "COMPLETED_WITH_FAILURES", "rowsRead": 3, "created": 1, "failed": 2, "bytesRead": 47,
        "entityType": {"name": "thing"},
    }  # fmt: skip
    assert found["errors"]["nodes"] == [
        {"line": 2, "code": "INVALID", "message": "n: is missing", "path": ["n"], "excerpt": '{"id":"b"}'}
    ]
    assert found["errors"]["pageInfo"]["hasNextPage"]
    listed = await ask(services, viewer, "query ($t: ID) { imports(type: $t) { nodes { id status } } }", t=type_id)
    assert [node["id"] for node in listed["imports"]["nodes"]] == [payload["import"]["id"]]


async def test_the_same_idempotency_key_gives_the_same_import_and_link(
    services: Services, viewer: Viewer, type_id: str
) -> None:
    first = await create(services, viewer, type_id, idempotencyKey="k")
    assert await create(services, viewer, type_id, idempotencyKey="k") == first
    other = await create(services, viewer, type_id, idempotencyKey="k", format="CSV")
    assert [(error["code"], error["path"]) for error in other["errors"]] == [("CONFLICT", ["input", "idempotencyKey"])]
    assert (await create(services, viewer, type_id, idempotencyKey="l"))["import"]["id"] != first["import"]["id"]


async def test_progress_begins_with_a_snapshot_and_ends_with_the_terminal_state(
    services: Services, viewer: Viewer, type_id: str
) -> None:
    payload = await create(services, viewer, type_id)
    states = await watch_import(services, viewer, import_id(payload))
    assert (await anext(states)).status is ImportStatus.PENDING
    go_on = asyncio.Event()
    rows = b"".join(b'{"id":"%d","n":1}\n' % number for number in range(3_000))
    sending = asyncio.create_task(send(services, payload, rows, b"broken\n", between=go_on))
    seen = [await anext(states)]
    go_on.set()
    async with asyncio.timeout(20):
        seen += [state async for state in states]
    await sending
    revisions = [state.revision for state in seen]
    assert revisions == sorted(set(revisions))
    assert (seen[-1].status, seen[-1].created, seen[-1].failed) == (ImportStatus.COMPLETED_WITH_FAILURES, 3_000, 1)


async def test_a_watcher_that_comes_late_gets_the_terminal_state(
    services: Services, viewer: Viewer, type_id: str
) -> None:
    payload = await create(services, viewer, type_id)
    await send(services, payload)
    states = [state async for state in await watch_import(services, viewer, import_id(payload))]
    assert [state.status for state in states] == [ImportStatus.COMPLETED]


async def test_progress_is_a_subscription(services: Services, viewer: Viewer, type_id: str) -> None:
    payload = await create(services, viewer, type_id)
    watching = "subscription ($id: ID!) { importProgress(importId: $id) { id status rowsRead entityType { name } } }"
    variables = {"id": payload["import"]["id"]}
    results: Any = await WeftSchema().subscribe(watching, variables, context_value=Context(services, "request", viewer))
    statuses: list[str] = []
    async with asyncio.timeout(20), aclosing(results):
        async for result in results:
            assert result.errors is None
            assert result.data["importProgress"]["entityType"] == {"name": "thing"}
            statuses.append(result.data["importProgress"]["status"])
            if statuses == ["PENDING"]:
                await send(services, payload, b'{"id":"a","n":1}\n')
    assert statuses == ["PENDING", "COMPLETED"]


async def test_another_workspace_sees_no_import(
    services: Services, viewer: Viewer, stranger: Viewer, type_id: str
) -> None:
    payload = await create(services, viewer, type_id)
    await send(services, payload, b"broken\n")
    assert await ask(services, stranger, READ, id=payload["import"]["id"]) == {"import": None}
    assert (await create(services, stranger, type_id))["errors"][0]["code"] == "NOT_FOUND"
    listed = await ask(services, stranger, "{ imports { nodes { id } } }")
    assert listed["imports"]["nodes"] == []
    with pytest.raises(NotFound):
        await watch_import(services, stranger, import_id(payload))


async def test_only_editors_import(services: Services, viewer: Viewer, type_id: str) -> None:
    runner = replace(viewer, role=Role.RUNNER)
    _, errors = await ask_anything(
        services, runner, CREATE, input={"entityTypeId": type_id, "format": "CSV", "externalIdField": "id"}
    )
    assert errors[0]["extensions"]["code"] == Forbidden.code
    assert (await ask(services, runner, "{ imports { nodes { id } } }"))["imports"]["nodes"] == []


async def test_a_name_of_a_field_that_cannot_be_stored_is_refused(
    services: Services, viewer: Viewer, type_id: str
) -> None:
    for name in ("", "a\0b", "x" * 201):
        payload = await create(services, viewer, type_id, externalIdField=name)
        assert [error["path"] for error in payload["errors"]] == [["input", "externalIdField"]]


async def test_the_errors_of_many_imports_cost_as_many_statements_as_those_of_one(
    services: Services, viewer: Viewer, type_id: str
) -> None:
    for number in range(4):
        await send(services, await create(services, viewer, type_id), b"broken\n" * (number + 1))
    query = (
        "query ($n: Int!) { imports(first: $n) { nodes { entityType { id } errors(first: 2) { nodes { line } } } } }"
    )
    counts: list[int] = []
    for wanted in (1, 4):
        statements: list[str] = []
        with counting(statements):
            found = await ask(services, viewer, query, n=wanted)
        counts.append(len(statements))
        lines = [[row["line"] for row in node["errors"]["nodes"]] for node in found["imports"]["nodes"]]
        assert lines == [[1, 2], [1, 2], [1, 2], [1]][:wanted]
    assert counts[0] == counts[1]
