"""Files of documents, on their way in over real HTTP."""

import asyncio
import base64
import dataclasses
import hashlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from documents.conftest import Documents, sha256
from sqlalchemy import func, select

from weft.domain.errors import Invalid, NotFound
from weft.domain.files import UploadStatus, object_key
from weft.kit.clock import utc_now
from weft.operations import file_intake
from weft.operations.import_upload import UploadBroken
from weft.storage import tables

CONTENT = b"Invoice 4711\n" * 100


async def stored_files(files: Documents) -> int:
    async with files.services.database.reading() as connection:
        return await connection.scalar(select(func.count()).select_from(tables.file)) or 0


async def test_a_file_is_stored_by_its_content_and_the_answer_tells_what_came(files: Documents) -> None:
    upload, url = await files.new("invoice.txt", size=len(CONTENT), sha256=sha256(CONTENT).upper())
    assert upload.status is UploadStatus.PENDING
    status, answer = await files.put(url, CONTENT)
    assert (status, answer["errors"]) == (200, [])
    assert answer["upload"] == {
        "status": "RECEIVED", "name": "invoice.txt", "size": len(CONTENT), "sha256": sha256(CONTENT)
    }  # fmt: skip
    path = files.folder / object_key(files.viewer.workspace_id, sha256(CONTENT))
    assert path.read_bytes() == CONTENT
    assert files.lying() == [path.name]
    assert (await files.state(upload)).status is UploadStatus.RECEIVED


async def test_the_same_file_again_changes_nothing_and_another_one_is_refused(files: Documents) -> None:
    upload, url = await files.new()
    assert [(await files.put(url, CONTENT))[0] for _ in range(2)] == [200, 200]
    status, answer = await files.put(url, b"another")
    assert (status, answer["errors"][0]["code"]) == (409, "CONFLICT")
    assert (await files.state(upload)).sha256 == sha256(CONTENT)
    assert files.lying() == [sha256(CONTENT)]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"sha256": sha256(b"what was meant")}, "SHA-256"),
        ({"size": len(CONTENT) + 1}, "bytes"),
        ({"size": len(CONTENT) - 1}, "bytes"),
    ],
    ids=["another hash", "too short", "too long"],
)
@pytest.mark.parametrize("streamed", [False, True], ids=["with a length", "in chunks"])
async def test_a_file_that_is_not_what_createUpload_was_told_leaves_nothing_behind(  # noqa: N802 - its name in the API
    files: Documents, given: dict[str, Any], told: str, streamed: bool
) -> None:
    upload, url = await files.new(**given)
    status, answer = await files.put(url, in_parts(CONTENT) if streamed else CONTENT)
    assert (status, answer["upload"], answer["errors"][0]["code"]) == (422, None, "INVALID")
    assert told in answer["errors"][0]["message"]
    assert (await files.state(upload)).status is UploadStatus.PENDING
    assert (files.lying(), await stored_files(files)) == ([], 0)


def encoded(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


MD5, SHA = hashlib.md5(CONTENT).digest(), hashlib.sha256(CONTENT).digest()
DIGESTS: dict[str, Callable[[bytes, bytes], str]] = {
    "Content-MD5": lambda md5, _: encoded(md5),
    "Digest": lambda md5, sha: f"adler32=03da0195, MD5={encoded(md5)},SHA-256={encoded(sha)}",
    "Content-Digest": lambda _, sha: f"sha-256=:{encoded(sha)}:, sha-512=:AAAA:",
    "Repr-Digest": lambda _, sha: f"sha-256=:{encoded(sha)}:",
}  # fmt: skip


@pytest.mark.parametrize("header", DIGESTS)
async def test_a_file_that_changed_on_the_way_is_refused_by_its_digest(files: Documents, header: str) -> None:
    upload, url = await files.new()
    wrong = DIGESTS[header](MD5[:-1] + b"\0", SHA[:-1] + b"\0")
    status, answer = await files.put(url, CONTENT, **{header: wrong})
    assert (status, answer["errors"][0]["code"]) == (422, "INVALID")
    assert files.lying() == []
    status, _ = await files.put(url, CONTENT, **{header: DIGESTS[header](MD5, SHA)})
    assert (status, (await files.state(upload)).sha256) == (200, sha256(CONTENT))


async def test_a_digest_that_is_not_base64_is_refused(files: Documents) -> None:
    _, url = await files.new()
    status, answer = await files.put(url, CONTENT, **{"Content-MD5": "???"})
    assert (status, answer["errors"][0]["message"]) == (422, "A digest in the request's headers is not Base64.")


@pytest.mark.parametrize("streamed", [False, True], ids=["with a length", "in chunks"])
async def test_a_file_larger_than_allowed_is_refused_while_it_comes(files: Documents, streamed: bool) -> None:
    _, url = await files.new()
    data = bytes(3_000_001)
    status, answer = await files.put(url, in_parts(data) if streamed else data)
    assert (status, answer["errors"][0]["code"]) == (413, "LIMIT_EXCEEDED")
    assert files.lying() == []
    assert (await files.put(url, data[:-1]))[0] == 200


async def test_an_empty_file_is_refused(files: Documents) -> None:
    _, url = await files.new()
    status, answer = await files.put(url, b"")
    assert (status, answer["errors"][0]["message"]) == (422, "The file is empty.")


async def test_forms_compressed_bodies_and_parts_are_refused(files: Documents) -> None:
    _, url = await files.new()
    rest = {"Content-Range": f"bytes 5-{len(CONTENT) + 4}/{len(CONTENT) + 5}"}  # what `curl -C 5 -T` sends
    for headers in ({"Content-Type": "multipart/form-data; boundary=x"}, {"Content-Encoding": "gzip"}, rest):
        status, answer = await files.put(url, CONTENT, **headers)
        assert (status, answer["errors"][0]["code"]) == (415, "INVALID")


@pytest.mark.parametrize("change", ["token", "id", "key"])
async def test_a_link_that_is_not_good_takes_nothing(files: Documents, change: str) -> None:
    upload, url = await files.new()
    other, _ = await files.new()
    if change == "key":
        files.services = dataclasses.replace(files.services, secret_key=b"another secret key of 32 bytes...")
        _, foreign = await files.new()
        bad = url.rpartition("/")[0] + "/" + foreign.rpartition("/")[2]
    else:
        bad = url[:-1] + "ö" if change == "token" else url.replace(str(upload.id), str(other.id))
    status, answer = await files.put(bad, CONTENT)
    assert (status, answer["errors"][0]["code"]) == (404, "NOT_FOUND")
    assert files.lying() == []


async def test_a_link_expires(files: Documents) -> None:
    later = dataclasses.replace(files.services, clock=lambda: utc_now() + timedelta(hours=25))
    upload, url = await files.new()
    with pytest.raises(NotFound, match="expired"):
        await file_intake.receive_upload(
            later, upload.id, url.rpartition("/")[2], in_parts(CONTENT), file_intake.Said()
        )


async def test_a_file_that_breaks_off_leaves_nothing_behind_and_may_come_again(files: Documents) -> None:
    upload, url = await files.new()
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    head = f"PUT {parts.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n"
    writer.write(head.encode() + bytes(1_500_000))
    await writer.drain()
    async with asyncio.timeout(10):
        while not files.lying():  # it is on its way
            await asyncio.sleep(0.01)
        writer.close()
        while files.lying():
            await asyncio.sleep(0.01)
    assert await reader.read() == b""
    assert (await files.state(upload)).status is UploadStatus.PENDING
    assert (await files.put(url, CONTENT))[0] == 200


async def test_a_sender_that_falls_silent_is_not_waited_for(files: Documents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_intake, "SILENCE_SECONDS", 0.05)
    upload, url = await files.new()

    async def silent() -> AsyncIterator[bytes]:
        yield b"a beginning"
        await asyncio.Event().wait()

    with pytest.raises(UploadBroken, match="Nothing came"):
        await file_intake.receive_upload(
            files.services, upload.id, url.rpartition("/")[2], silent(), file_intake.Said()
        )
    assert files.lying() == []


async def test_many_uploads_of_the_same_content_at_once_become_one_file(files: Documents) -> None:
    links = [await files.new(f"{number}.txt") for number in range(8)]
    data = bytes(2_500_000)
    answers = await asyncio.gather(*(files.put(url, in_parts(data)) for _, url in links))
    assert [status for status, _ in answers] == [200] * 8
    assert (files.lying(), await stored_files(files)) == ([sha256(data)], 1)


async def test_a_workspace_has_only_so_many_files_and_bytes_and_others_are_not_touched(files: Documents) -> None:
    for number in range(5):
        assert (await files.put((await files.new())[1], b"file %d" % number))[0] == 200
    status, answer = await files.put((await files.new())[1], b"one too many")
    assert (status, answer["errors"][0]["code"]) == (413, "LIMIT_EXCEEDED")
    assert (await files.put((await files.new())[1], b"file 3"))[0] == 200
    assert (len(files.lying()), await stored_files(files)) == (5, 5)


async def test_a_workspace_has_only_so_many_bytes(files: Documents) -> None:
    statuses = [(await files.put((await files.new())[1], bytes([number]) * 2_000_000))[0] for number in (1, 2, 3)]
    assert statuses == [200, 200, 413]
    assert (await files.put((await files.new())[1], b"a little"))[0] == 200


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": "../etc/passwd"}, "name"),
        ({"name": "a\\b"}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": "a", "sha256": "abc"}, "sha256"),
        ({"name": "a", "size": 0}, "size"),
        ({"name": "a", "size": 3_000_001}, "size"),
        ({"name": "a", "idempotency_key": ""}, "idempotencyKey"),
    ],
)
async def test_what_is_wrong_with_an_upload_is_said_before_it_begins(
    files: Documents, given: dict[str, Any], path: str
) -> None:
    with pytest.raises(Invalid) as raised:
        await files.new(**given)
    assert [problem.path for problem in raised.value.problems] == [(path,)]


async def test_the_same_request_again_gives_the_same_upload_and_link(files: Documents) -> None:
    first, again = [await files.new("a.txt", idempotency_key="k") for _ in range(2)]
    assert first == again


async def in_parts(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 300_000):
        yield data[start : start + 300_000]
        await asyncio.sleep(0)
