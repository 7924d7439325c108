"""Files that are wrong, and uploads that go wrong: every row is told with its line, and the rest is stored."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import orjson
import psutil
import pytest
from acceptance.bad_input import CREATE_TYPE, Caller, another_workspace
from acceptance.system import System
from sqlalchemy import text

from weft.domain.ids import new_id
from weft.graphql.nodes import decode_id

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(90)]

CREATE_IMPORT = """mutation ($type: ID!, $format: ImportFormat!) {
  createImport(input: {entityTypeId: $type, format: $format, externalIdField: "ref"}) {
    import { id } uploadUrl errors { message } } }"""
IMPORT = """query ($id: ID!) { import(id: $id) {
  status error rowsRead created updated skipped failed
  errors(first: 100) { nodes { line code message path excerpt } } } }"""
COUNT = "query ($type: ID!) { entities(type: $type, first: 1) { totalCount } }"
SCHEMA = {
    "type": "object",
    "properties": {"ref": {"type": "string"}, "amount": {"type": "number"}, "note": {"type": "string"}},
    "required": ["ref", "amount"],
}
LARGEST_GROWTH = 64 * 1024 * 1024
"""Of the API's memory over a file of 100 MB. The garbage of one batch of rows, not the file."""


class Upload:
    """An import that waits for its file."""

    def __init__(self, caller: Caller, type_id: str, import_id: str, url: str) -> None:
        self.caller = caller
        self.type_id = type_id
        self.import_id = import_id
        self.url = url

    @classmethod
    async def begin(cls, caller: Caller, kind: str = "JSONL", type_id: str | None = None) -> "Upload":
        type_id = type_id or await caller.made(CREATE_TYPE, name=f"bills {new_id()}", schema=SCHEMA)
        made = await caller.payload(CREATE_IMPORT, type=type_id, format=kind)
        assert made["errors"] == []
        return cls(caller, type_id, made["import"]["id"], made["uploadUrl"])

    async def put(self, body: Any, url: str | None = None) -> tuple[int, dict[str, Any]]:
        async with self.caller.system.session.put(url or self.url, data=body) as reply:
            return reply.status, await reply.json()

    async def state(self) -> dict[str, Any]:
        return (await self.caller.data(IMPORT, id=self.import_id))["import"]

    async def stored(self) -> int:
        return (await self.caller.data(COUNT, type=self.type_id))["entities"]["totalCount"]


def _row(number: int, **more: Any) -> bytes:
    return orjson.dumps({"ref": f"r{number}", "amount": 1.5, **more})


async def test_broken_rows_are_told_by_line_and_the_good_ones_are_stored(caller: Caller) -> None:
    lines = [
        _row(1),
        b'{"ref": "r2", "amount": ',
        b"not JSON at all",
        orjson.dumps({"ref": "r4", "amount": "much"}),
        orjson.dumps({"ref": "r5"}),
        _row(1, note="a repeated external id"),
        b'{"ref": "r7", "amount": 1, "note": "\xff\xfe"}',
        b'{"ref": "r8", "amount": 1, "note": "a \\u0000"}',
        b'{"ref": "r9", "amount": 1, "note": "half \\ud800"}',
        b'{"ref": "r10", "amount": 1e999}',
        b"[" * 5_000 + b"]" * 5_000,
        orjson.dumps(["r12"]),
        orjson.dumps({"ref": "", "amount": 1}),
        orjson.dumps({"ref": {"a": 1}, "amount": 1}),
        orjson.dumps({"ref": "x" * 600, "amount": 1}),
        b"",
        _row(17),
    ]
    upload = await Upload.begin(caller)
    status, _ = await upload.put(b"\n".join(lines))
    assert status == 200
    state = await upload.state()
    assert state["status"] == "COMPLETED_WITH_FAILURES"
    assert (state["created"], state["failed"], state["rowsRead"]) == (2, 14, 16)
    errors = {error["line"]: error for error in state["errors"]["nodes"]}
    assert sorted(errors) == list(range(2, 16))
    assert all(error["message"] and error["excerpt"] is not None for error in errors.values())
    assert (errors[4]["path"], errors[4]["code"]) == (["amount"], "TYPE_MISMATCH")
    assert errors[5]["path"] == ["amount"]
    assert (errors[6]["path"], errors[6]["code"]) == (["ref"], "CONFLICT")
    assert errors[8]["path"] == ["note"]
    assert await upload.stored() == 2


async def test_broken_rows_of_a_table_are_told_by_line(caller: Caller) -> None:
    table = b'ref,amount,note\na,1,x\nb,much,y\nc,2,"open\nd,3,\xff\xfe\na,4,again\n'
    upload = await Upload.begin(caller, "CSV")
    status, answer = await upload.put(table)
    state = await upload.state()
    assert status in {200, 422}, answer
    assert state["failed"] or state["error"]
    assert state["rowsRead"] == state["created"] + state["updated"] + state["skipped"] + state["failed"]
    assert await upload.stored() == state["created"]


@pytest.mark.parametrize(
    "body",
    [b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, b"\x1f\x8b" + b"\x00" * 2_000, b"\xff\xfe" + "ref,amount".encode("utf-16le")],
    ids=["picture", "packed", "UTF-16"],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["CSV", "JSONL"])
async def test_a_file_of_another_kind_stores_nothing_and_says_so(caller: Caller, kind: str, body: bytes) -> None:
    upload = await Upload.begin(caller, kind)
    status, answer = await upload.put(body)
    assert status in {200, 422}, answer
    state = await upload.state()
    assert state["error"] or state["failed"]
    assert await upload.stored() == 0


async def test_an_empty_file_is_complete_with_nothing_in_it(caller: Caller) -> None:
    upload = await Upload.begin(caller)
    status, _ = await upload.put(b"")
    assert (status, (await upload.state())["status"]) == (200, "COMPLETED")


async def test_a_file_of_100_mb_goes_through_in_bounded_memory(system: System, caller: Caller) -> None:
    upload = await Upload.begin(caller)
    padding = "x" * 200_000
    rows = 500
    api = psutil.Process(system.processes["api"].pid)
    before = api.memory_info().rss
    most = before

    async def lines() -> AsyncIterator[bytes]:
        nonlocal most
        for number in range(rows):
            yield _row(number, note=padding if number % 2 else padding[::-1]) + b"\n"
            most = max(most, api.memory_info().rss)

    status, answer = await upload.put(lines())
    assert (status, answer["import"]["created"]) == (200, rows)
    assert answer["import"]["bytesRead"] > 100_000_000
    assert most - before < LARGEST_GROWTH
    await system.ask(
        "mutation ($type: ID!) { deleteEntities(input: {entityTypeId: $type, entities: {all: true}}) { deleted } }",
        type=upload.type_id,
    )


async def test_one_line_without_an_end_does_not_fill_the_memory(system: System, caller: Caller) -> None:
    upload = await Upload.begin(caller)
    api = psutil.Process(system.processes["api"].pid)
    before = api.memory_info().rss

    async def endless() -> AsyncIterator[bytes]:
        yield b'{"ref": "'
        for _ in range(400):
            yield b"x" * 100_000

    with suppress(aiohttp.ClientError):
        status, _ = await upload.put(endless())
        assert status in {200, 422}
    assert api.memory_info().rss - before < LARGEST_GROWTH
    assert await upload.stored() == 0
    state = await upload.state()
    assert state["failed"] == 1 or state["error"]


async def test_a_wrong_a_foreign_and_an_expired_link_open_nothing(system: System, caller: Caller) -> None:
    upload, other = await Upload.begin(caller), await Upload.begin(caller)
    base, token = upload.url.rsplit("/", 1)
    foreign = other.url.rsplit("/", 1)[1]
    unknown = base.rsplit("/", 1)[0] + f"/{new_id()}/{token}"
    for url in (f"{base}/x", f"{base}/{foreign}", f"{base}/{token}x", f"{base}/%00", f"{base}/%ff%fe", unknown):
        status, answer = await upload.put(_row(1), url)
        assert status == 404, (url, answer)
        assert answer["errors"][0]["message"]
    expired = datetime.now(UTC) - timedelta(seconds=1)
    async with system.database.transaction() as connection:
        await connection.execute(
            text("UPDATE entity_import SET upload_expires_at = :at WHERE id = :id"),
            {"at": expired, "id": decode_id(upload.import_id)[1]},
        )
    status, answer = await upload.put(_row(1))
    assert status == 404
    assert "expired" in answer["errors"][0]["message"]
    assert (await upload.state())["status"] == "PENDING"


async def test_a_link_that_is_no_link_is_refused(system: System) -> None:
    base = system.url.removesuffix("/graphql") + "/files/imports"
    for path in ("", "/x", "/x/y", "/../../etc/passwd", f"/{new_id()}", f"/{new_id()}/a/b"):
        async with system.session.put(base + path, data=b"x") as reply:
            assert reply.status in {404, 405}
    async with system.session.get(f"{base}/{new_id()}/x") as reply:
        assert reply.status == 405


async def test_the_import_of_another_workspace_cannot_be_seen_or_begun(system: System, caller: Caller) -> None:
    upload = await Upload.begin(caller)
    stranger = await another_workspace(system, f"strangers {new_id()}")
    assert (await stranger.data(IMPORT, id=upload.import_id))["import"] is None
    begun = await stranger.payload(CREATE_IMPORT, type=upload.type_id, format="JSONL")
    assert begun["uploadUrl"] is None
    assert begun["errors"]


async def test_of_two_uploads_at_the_same_time_one_is_refused_and_every_row_is_stored_once(caller: Caller) -> None:
    upload = await Upload.begin(caller)
    body = b"\n".join(_row(number) for number in range(2_000))

    async def slowly() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 20_000):
            yield body[start : start + 20_000]
            await asyncio.sleep(0.05)

    answers = await asyncio.gather(upload.put(slowly()), upload.put(slowly()))
    assert sorted(status for status, _ in answers) == [200, 409]
    assert (await upload.state())["created"] == await upload.stored() == 2_000


async def test_an_upload_that_breaks_off_can_be_sent_again(caller: Caller) -> None:
    upload = await Upload.begin(caller)
    rows = [_row(number) + b"\n" for number in range(1_000)]

    async def half() -> AsyncIterator[bytes]:
        yield b"".join(rows[:500])
        await asyncio.sleep(0.7)
        raise RuntimeError("the sender dies")

    with pytest.raises((RuntimeError, aiohttp.ClientError)):
        await upload.put(half())
    async with asyncio.timeout(10):
        while (await upload.state())["status"] == "RUNNING":
            await asyncio.sleep(0.05)
    assert (await upload.state())["status"] == "INTERRUPTED"
    status, answer = await upload.put(b"".join(rows))
    assert (status, answer["import"]["created"]) == (200, 1_000)
    assert await upload.stored() == 1_000


async def test_slow_uploads_keep_nobody_from_being_served(caller: Caller) -> None:
    stop = asyncio.Event()

    async def trickle() -> AsyncIterator[bytes]:
        while not stop.is_set():
            yield b" "
            await asyncio.sleep(0.05)

    uploads = [await Upload.begin(caller) for _ in range(20)]
    sending = [asyncio.create_task(upload.put(trickle())) for upload in uploads]
    await asyncio.sleep(0.3)
    began = time.monotonic()
    for _ in range(20):
        await caller.is_served()
    assert time.monotonic() - began < 3
    stop.set()
    async with asyncio.timeout(20):
        assert {status for status, _ in await asyncio.gather(*sending)} == {200}


async def test_a_packed_body_and_a_form_are_refused(caller: Caller) -> None:
    upload = await Upload.begin(caller)
    for headers in ({"Content-Encoding": "gzip"}, {"Content-Type": "multipart/form-data; boundary=x"}):
        async with caller.system.session.put(upload.url, data=b"x", headers=headers) as reply:
            assert reply.status == 415
    assert (await upload.state())["status"] == "PENDING"
