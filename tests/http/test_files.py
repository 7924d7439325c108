"""Upload links of imports, over real HTTP and at their operation."""

import asyncio
import dataclasses
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from socket import socket
from typing import Any

import aiohttp
import orjson
import psutil
import pytest
import uvicorn
from sqlalchemy import func, select, update
from starlette.applications import Starlette

from weft.domain.access import Viewer
from weft.domain.entity import EntityType
from weft.domain.errors import Conflict, NotFound
from weft.domain.imports import Import, ImportFormat, ImportStatus, OnConflict, RejectedRow
from weft.domain.page import Page, PageRequest
from weft.http import files
from weft.kit.clock import utc_now
from weft.operations import imports
from weft.operations.entity_types import create_entity_type
from weft.operations.import_upload import UploadBroken
from weft.operations.import_watching import watch_import
from weft.operations.imports import NewImport
from weft.operations.services import Limits, Services
from weft.storage.imports import ErrorsWanted
from weft.storage.tables import entity, entity_import

SCHEMA = {"type": "object", "properties": {"id": {"type": "string"}, "n": {"type": "number"}}, "required": ["n"]}


@pytest.fixture
def services(services: Services) -> Services:
    return dataclasses.replace(services, limits=Limits(import_errors_kept=5))


@pytest.fixture
async def thing(services: Services, viewer: Viewer) -> EntityType:
    return await create_entity_type(services, viewer, name="thing", description="", schema=SCHEMA)


@dataclass
class Uploads:
    services: Services
    viewer: Viewer
    thing: EntityType
    origin: str
    session: aiohttp.ClientSession

    async def new(
        self, form: ImportFormat = ImportFormat.JSONL, on_conflict: OnConflict = OnConflict.UPDATE
    ) -> tuple[Import, str]:
        wanted = NewImport(self.thing.id, form, on_conflict, "id")
        created = await imports.create_import(self.services, self.viewer, wanted)
        assert created.upload_url.startswith(self.services.public_url)
        return created.made, self.origin + created.upload_url.removeprefix(self.services.public_url)

    async def put(self, url: str, data: Any, **headers: str) -> tuple[int, dict[str, Any]]:
        async with self.session.put(url, data=data, headers=headers) as response:
            assert response.content_type == "application/json"
            return response.status, await response.json()

    async def receive(self, of: Import, url: str, stream: AsyncIterator[bytes]) -> Import:
        return await imports.receive_file(self.services, of.id, url.rsplit("/", 1)[1], stream)

    async def state(self, of: Import) -> Import:
        found = await imports.find_import(self.services, self.viewer, of.id)
        assert found is not None
        assert found.rows_read == found.created + found.updated + found.skipped + found.failed
        return found

    async def errors(self, of: Import, page: PageRequest) -> Page[RejectedRow]:
        (found,) = await imports.load_errors(self.services, self.viewer, [ErrorsWanted(of.id, page)])
        return found

    async def stored(self) -> int:
        async with self.services.database.reading() as connection:
            return await connection.scalar(select(func.count()).select_from(entity)) or 0


@pytest.fixture
async def uploads(services: Services, viewer: Viewer, thing: EntityType) -> AsyncIterator[Uploads]:
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=files.routes(services)), log_level="critical"))
    with socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        running = asyncio.create_task(server.serve([listening]))
        async with aiohttp.ClientSession() as session:
            yield Uploads(services, viewer, thing, f"http://127.0.0.1:{listening.getsockname()[1]}", session)
        server.should_exit = True
        async with asyncio.timeout(20):
            await running


def rows(start: int, end: int) -> bytes:
    return b"".join(orjson.dumps({"id": str(number), "n": number}) + b"\n" for number in range(start, end))


async def pieces(*parts: bytes | Exception) -> AsyncGenerator[bytes]:
    for part in parts:
        if isinstance(part, Exception):
            raise part
        yield part


async def test_a_file_is_stored_row_by_row_and_the_answer_counts_exactly(uploads: Uploads) -> None:
    made, url = await uploads.new()
    status, answer = await uploads.put(url, rows(0, 4_999) + b"broken\n")
    assert status == 200
    assert answer["errors"] == []
    assert answer["import"] == {
        "status": "COMPLETED_WITH_FAILURES", "rowsRead": 5_000, "created": 4_999, "updated": 0, "skipped": 0,
        "failed": 1, "bytesRead": len(rows(0, 4_999)) + 7, "error": None,
    }  # fmt: skip
    assert await uploads.stored() == 4_999
    assert (await uploads.state(made)).status is ImportStatus.COMPLETED_WITH_FAILURES


async def test_a_csv_file_comes_in_by_the_same_way(uploads: Uploads) -> None:
    _, url = await uploads.new(ImportFormat.CSV)
    status, answer = await uploads.put(url, b"id,n\na,1\nb,x\n")
    assert (status, answer["import"]["created"], answer["import"]["failed"]) == (200, 1, 1)


async def test_the_same_file_again_changes_nothing(uploads: Uploads) -> None:
    for expected in ({"created": 3, "skipped": 0}, {"created": 0, "skipped": 3}):
        _, url = await uploads.new()
        _, answer = await uploads.put(url, rows(0, 3))
        assert answer["import"] | expected == answer["import"]


async def test_rows_that_exist_are_refused_where_that_is_wanted(uploads: Uploads) -> None:
    await uploads.put((await uploads.new())[1], rows(0, 3))
    made, url = await uploads.new(on_conflict=OnConflict.FAIL)
    _, answer = await uploads.put(url, b"broken\n" + rows(1, 5))
    assert (answer["import"]["created"], answer["import"]["failed"]) == (2, 3)
    page = await uploads.errors(made, PageRequest())
    assert [(row.line, row.code) for row in page.rows] == [(1, "INVALID"), (2, "CONFLICT"), (3, "CONFLICT")]


async def test_of_many_errors_the_first_are_kept_and_all_are_counted(uploads: Uploads) -> None:
    made, url = await uploads.new()
    _, answer = await uploads.put(url, b'{"id":"x"}\n' * 4_500)
    assert answer["import"]["failed"] == 4_500
    page = await uploads.errors(made, PageRequest(first=3))
    assert ([row.line for row in page.rows], page.has_next) == ([1, 2, 3], True)
    rest = await uploads.errors(made, PageRequest(after=page.keys[-1]))
    assert ([row.line for row in rest.rows], rest.has_next) == ([4, 5], False)


@pytest.mark.parametrize("on_conflict", list(OnConflict))
async def test_rows_that_repeat_a_row_of_an_earlier_batch_are_refused_and_all_others_taken(
    uploads: Uploads, on_conflict: OnConflict
) -> None:
    old, old_url = await uploads.new()
    await uploads.receive(old, old_url, pieces(rows(20_000, 20_002)))
    made, url = await uploads.new(on_conflict=on_conflict)
    again = b'{"id": "7", "n": -1}\n'
    changed = b'{"id":"20000","n":-1}\n'
    ended = await uploads.receive(
        made, url, pieces(rows(0, 5_000), again, rows(5_000, 9_500), changed, again, rows(20_001, 20_002))
    )
    counts = {
        OnConflict.UPDATE: (9_500, 1, 1, 2), OnConflict.SKIP: (9_500, 0, 2, 2), OnConflict.FAIL: (9_500, 0, 0, 4)
    }  # fmt: skip
    assert (ended.created, ended.updated, ended.skipped, ended.failed) == counts[on_conflict]
    assert (await uploads.state(made)).rows_read == 9_504
    found = (await uploads.errors(made, PageRequest(10))).rows
    told = {row.line: (row.code, row.excerpt) for row in found}
    assert told == {5_001: ("CONFLICT", again.decode()[:-1]), 9_503: ("CONFLICT", again.decode()[:-1])} | (
        {9_502: ("CONFLICT", changed.decode()[:-1]), 9_504: ("CONFLICT", rows(20_001, 20_002).decode()[:-1])}
        if on_conflict is OnConflict.FAIL
        else {}
    )
    assert await uploads.stored() == 9_502
    # Behind the conflict all are new again.
    more, more_url = await uploads.new(on_conflict=on_conflict)
    ended = await uploads.receive(more, more_url, pieces(rows(20_000, 40_000)))
    assert (ended.created, await uploads.stored()) == (19_998, 29_500)


@pytest.mark.parametrize("change", ["token", "id"])
async def test_a_link_that_is_not_good_opens_nothing(uploads: Uploads, change: str) -> None:
    made, url = await uploads.new()
    other, _ = await uploads.new()
    bad = url[:-1] + "ö" if change == "token" else url.replace(str(made.id), str(other.id))
    status, answer = await uploads.put(bad, rows(0, 1))
    assert (status, answer["errors"][0]["code"]) == (404, "NOT_FOUND")
    assert await uploads.stored() == 0


async def test_a_link_expires(uploads: Uploads) -> None:
    made, url = await uploads.new()
    uploads.services = dataclasses.replace(uploads.services, clock=lambda: utc_now() + timedelta(hours=25))
    with pytest.raises(NotFound, match="expired"):
        await uploads.receive(made, url, pieces(rows(0, 1)))


async def test_forms_and_compressed_bodies_are_refused_with_a_hint(uploads: Uploads) -> None:
    _, url = await uploads.new()
    form = aiohttp.FormData()
    form.add_field("file", rows(0, 1), filename="rows.jsonl")
    status, answer = await uploads.put(url, form)
    assert (status, answer["errors"][0]["hint"]) == (
        415,
        "Send the file itself as the body: `curl -T file url`, not `curl -F`.",
    )
    assert (await uploads.put(url, rows(0, 1), **{"Content-Encoding": "br"}))[0] == 415
    assert (await uploads.put(url, rows(0, 1)))[0] == 200


async def test_a_file_that_cannot_be_used_fails_the_import_and_says_why(uploads: Uploads) -> None:
    _, url = await uploads.new(ImportFormat.CSV)
    status, answer = await uploads.put(url, b"id,m\na,1\n")
    assert (status, answer["import"]["status"]) == (422, "FAILED")
    assert "'m'" in answer["errors"][0]["message"]
    status, answer = await uploads.put(url, b"id,n\na,1\n")
    assert (status, answer["errors"][0]["message"]) == (409, "This import has ended: it is FAILED.")


async def test_a_file_larger_than_allowed_fails_whether_it_says_its_size_or_not(uploads: Uploads) -> None:
    uploads.services = dataclasses.replace(uploads.services, limits=Limits(import_bytes=1_000))
    made, url = await uploads.new()
    token = url.rsplit("/", 1)[1]
    ended = await imports.receive_file(uploads.services, made.id, token, pieces(), size=1_001)
    assert (ended.status, ended.rows_read) == (ImportStatus.FAILED, 0)
    made, url = await uploads.new()
    ended = await uploads.receive(made, url, pieces(rows(0, 40), rows(40, 100)))
    assert (ended.status, ended.rows_read) == (ImportStatus.FAILED, 40)
    assert ended.error == "The file has more than 1,000 bytes, the most allowed."
    assert (await uploads.state(made)).created == 40


async def test_after_a_broken_connection_the_same_file_goes_on_behind_what_is_stored(uploads: Uploads) -> None:
    made, url = await uploads.new()
    whole = rows(0, 3_000) + rows(5, 6) + rows(3_000, 6_000)

    async def breaking() -> AsyncGenerator[bytes]:
        yield whole[: len(whole) // 2]
        await wait_for(uploads, made, lambda state: state.status is ImportStatus.RUNNING)
        raise ConnectionError

    with pytest.raises(aiohttp.ClientError):
        await uploads.put(url, breaking())
    broken = await wait_for(uploads, made, lambda state: state.status is ImportStatus.INTERRUPTED)
    assert 2_000 < broken.rows_read < 6_000
    status, answer = await uploads.put(url, whole)
    assert status == 200
    assert (answer["import"]["rowsRead"], answer["import"]["created"], answer["import"]["failed"]) == (6_001, 6_000, 1)
    assert answer["import"]["bytesRead"] == len(whole)
    assert await uploads.stored() == 6_000
    ended = await uploads.state(made)
    assert ended.revision > broken.revision


async def test_rows_before_the_break_are_stored_even_when_they_are_few(uploads: Uploads) -> None:
    made, url = await uploads.new()
    with pytest.raises(UploadBroken):
        await uploads.receive(made, url, pieces(rows(0, 3) + b'{"id":"half', UploadBroken("It broke.")))
    state = await uploads.state(made)
    assert (state.status, state.rows_read, state.created) == (ImportStatus.INTERRUPTED, 3, 3)


async def test_a_second_upload_at_the_same_time_is_refused(uploads: Uploads) -> None:
    made, url = await uploads.new()
    begun, release = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncGenerator[bytes]:
        begun.set()
        await release.wait()
        yield rows(0, 3)

    first = asyncio.create_task(uploads.receive(made, url, slow()))
    await begun.wait()
    status, answer = await uploads.put(url, rows(0, 3))
    assert (status, answer["errors"][0]["code"]) == (409, "CONFLICT")
    release.set()
    assert (await first).status is ImportStatus.COMPLETED


async def test_an_upload_that_was_taken_over_writes_nothing_more(uploads: Uploads) -> None:
    made, url = await uploads.new()
    begun, release = asyncio.Event(), asyncio.Event()

    async def dying() -> AsyncGenerator[bytes]:
        begun.set()
        await release.wait()
        yield rows(10, 13)

    first = asyncio.create_task(uploads.receive(made, url, dying()))
    await begun.wait()
    async with uploads.services.database.transaction() as connection:
        await connection.execute(update(entity_import).values(updated_at=func.now() - timedelta(seconds=31)))
    assert (await uploads.state(made)).status is ImportStatus.INTERRUPTED
    assert (await uploads.put(url, rows(0, 3)))[0] == 200
    release.set()
    with pytest.raises(Conflict):
        await first
    assert await uploads.stored() == 3


async def test_a_hundred_megabytes_need_no_memory_to_speak_of(uploads: Uploads) -> None:
    made, url = await uploads.new()
    process = psutil.Process()
    most = before = process.memory_info().rss

    async def large() -> AsyncGenerator[bytes]:
        nonlocal most
        padding = "x" * 100_000
        for number in range(1_000):
            yield orjson.dumps({"id": str(number), "n": number, "padding": padding}) + b"\n"
            most = max(most, process.memory_info().rss)

    ended = await uploads.receive(made, url, large())
    assert (ended.created, ended.bytes_read > 100_000_000) == (1_000, True)
    assert most - before < 60_000_000


async def wait_for(uploads: Uploads, of: Import, holds: Callable[[Import], bool]) -> Import:
    async with asyncio.timeout(20):
        async for state in await watch_import(uploads.services, uploads.viewer, of.id):
            if holds(state):
                return await uploads.state(of)
    raise AssertionError("The import ended before.")
