"""Files in a bucket, in a real S3-compatible store."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import obstore
import pytest
from documents.conftest import Documents, files_in, sha256
from documents.s3 import S3, s3_server

from weft.domain.access import Viewer
from weft.domain.errors import Conflict, Invalid, LimitExceeded, StartupError
from weft.domain.files import Document, Upload, UploadStatus, object_key
from weft.domain.ids import new_id
from weft.domain.step import Fail, Retry
from weft.engine.outside import OutsideOptions, World
from weft.engine.outside.files import WorkspaceFiles
from weft.integrations.object_store import FileOptions, ObjectStore, open_store
from weft.integrations.store_errors import NotStored, StoreUnavailable
from weft.operations import documents
from weft.operations import uploads as operations
from weft.operations.documents import NewDocument
from weft.operations.file_intake import Said, receive_upload
from weft.operations.services import Limits, Services
from weft.operations.uploads import NewUpload

LARGE = os.urandom(1_000_000) * 12
"""More than obstore sends in one part."""


@pytest.fixture(scope="session")
async def endpoint() -> AsyncIterator[str]:
    async with s3_server() as endpoint:
        yield endpoint


@pytest.fixture
async def s3(endpoint: str) -> AsyncIterator[S3]:
    async with aiohttp.ClientSession() as session:
        bucket = f"bucket-{new_id().hex}"
        async with session.put(f"{endpoint}/{bucket}") as reply:
            assert reply.status == 200
        yield S3(endpoint, bucket, session)


@pytest.fixture
async def store(s3: S3, tmp_path: Path) -> AsyncIterator[ObjectStore]:
    store = open_store(s3.options(tmp_path / "scratch"))
    await store.open()
    yield store
    await store.close()
    assert list((tmp_path / "scratch").glob("*")) == []


async def put(store: ObjectStore, data: bytes) -> str:
    async with store.spool.file() as spooled:
        await spooled.write(data)
        await spooled.flush()
        await store.place(spooled, key := object_key(new_id(), sha256(data)))
    return key


@pytest.mark.parametrize("data", [b"small", LARGE], ids=["small", "in parts"])
async def test_a_file_comes_back_as_it_was_put(store: ObjectStore, s3: S3, data: bytes) -> None:
    key = await put(store, data)
    assert (await s3.keys(), await s3.unfinished()) == ([key], 0)
    async with store.local(key) as path:
        assert path.read_bytes() == data
    found = await obstore.get_async(s3.client, key)
    assert found.attributes["Content-Disposition"] == "attachment"


async def test_a_file_that_is_removed_is_gone_and_removing_it_again_is_no_mistake(store: ObjectStore, s3: S3) -> None:
    key = await put(store, b"content")
    for _ in range(2):
        await store.remove(key)
        assert await s3.keys() == []


async def test_an_object_that_was_changed_in_the_bucket_is_not_taken_for_the_file(store: ObjectStore, s3: S3) -> None:
    key = await put(store, b"content")
    await obstore.put_async(s3.client, key, b"tampered")
    with pytest.raises(NotStored):
        async with store.local(key):
            pass


async def test_a_step_is_told_whether_a_file_is_missing_or_only_away(s3: S3, tmp_path: Path) -> None:
    workspace, other, away = new_id(), new_id(), replace(s3.options(tmp_path), s3_endpoint="http://127.0.0.1:9")
    store = open_store(s3.options(tmp_path))
    async with store.spool.file() as spooled:
        await spooled.write(b"x")
        await spooled.flush()
        await store.place(spooled, object_key(workspace, sha256(b"x")))
    async with WorkspaceFiles(workspace, store).local(sha256(b"x")) as path:
        assert path.read_bytes() == b"x"
    for files, named in (
        (WorkspaceFiles(other, store), sha256(b"x")),
        (WorkspaceFiles(workspace, store), sha256(b"y")),
        (WorkspaceFiles(other, store), f"../{workspace}/{sha256(b'x')[:2]}/{sha256(b'x')}"),
    ):
        with pytest.raises(Fail) as failed:
            async with files.local(named):
                pass
        assert failed.value.code == "FILE_NOT_FOUND"
    with pytest.raises(Retry) as later:
        async with WorkspaceFiles(workspace, open_store(away)).local(sha256(b"x")):
            pass
    assert later.value.code == "FILE_STORE_UNAVAILABLE"
    await store.close()


async def test_a_wrong_key_is_an_outage_that_names_nothing(s3: S3, tmp_path: Path) -> None:
    missing = replace(s3.options(tmp_path), url="s3://no-such-bucket-at-all")
    with pytest.raises(StoreUnavailable, match=r"^The file store cannot be used for the moment\.$"):
        await put(open_store(missing), b"x")
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("url", ["ftp://somewhere", "s3://", "s3:///prefix"])
def test_a_url_that_names_no_store_stops_the_start(url: str) -> None:
    with pytest.raises(StartupError, match="WEFT_FILES_URL"):
        open_store(FileOptions(url=url))


def test_the_secret_is_not_shown(tmp_path: Path) -> None:
    assert "a secret" not in repr(FileOptions(s3_secret_access_key="a secret", scratch=tmp_path))


@pytest.fixture
async def direct(
    services: Services, viewer: Viewer, redis_url: str, s3: S3, tmp_path: Path
) -> AsyncIterator[Documents]:
    """Clients PUT into the bucket by themselves."""
    outside = OutsideOptions(services.secret_key, redis_url, files=s3.options(tmp_path / "scratch", presigned=True))
    async with World(services.database, outside) as world, aiohttp.ClientSession() as session:
        served = replace(services, world=world, limits=Limits(file_bytes=20_000_000))
        yield Documents(served, viewer, "", session, tmp_path / "scratch")


async def begun(files: Documents, **given: Any) -> tuple[Upload, str]:
    created = await operations.create_upload(files.services, files.viewer, NewUpload("a.pdf", **given))
    return created.made, created.upload_url


async def send(files: Documents, url: str, data: bytes) -> None:
    async with files.session.put(url, data=data) as reply:
        assert reply.status == 200, await reply.text()


async def made(files: Documents, upload: Upload, **given: Any) -> Document:
    return await documents.create_document(files.services, files.viewer, NewDocument(upload.id, **given))


async def test_a_file_put_into_the_bucket_is_looked_at_before_it_becomes_a_document(direct: Documents, s3: S3) -> None:
    data = b"%PDF-1.7 but not for long"
    upload, url = await begun(direct, sha256=sha256(data), size=len(data))
    assert url.startswith(s3.endpoint)
    with pytest.raises(Conflict, match="has not arrived"):
        await made(direct, upload)
    await send(direct, url, data)
    document = await made(direct, upload)
    assert document.entity.data == {
        "name": "a.pdf", "mimeType": "application/pdf", "size": len(data), "sha256": sha256(data)
    }  # fmt: skip
    assert await s3.keys() == [object_key(direct.viewer.workspace_id, sha256(data))]
    # The link still opens the store, and nothing that is sent by it now reaches the document.
    await send(direct, url, b"something else")
    async with direct.services.world.of(direct.viewer.workspace_id).files.local(sha256(data)) as path:
        assert path.read_bytes() == data


@pytest.mark.parametrize(
    ("given", "data", "error"),
    [
        ({"sha256": sha256(b"meant")}, b"another", Invalid),
        ({"size": 5}, b"longer", Invalid),
        ({"size": 50}, b"shorter", Invalid),
        ({}, b"", Invalid),
        ({}, bytes(20_000_001), LimitExceeded),
    ],
    ids=["another hash", "too long", "too short", "empty", "too large"],
)
async def test_what_does_not_fit_is_refused_and_deleted(
    direct: Documents, s3: S3, given: dict[str, Any], data: bytes, error: type[Exception]
) -> None:
    upload, url = await begun(direct, **given)
    async with direct.session.put(url, data=_streamed(data)) as reply:
        assert reply.status == 200
    with pytest.raises(error):
        await made(direct, upload)
    assert await s3.keys() == []
    assert [path.name for path in direct.folder.glob("*")] == []


async def _streamed(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 1_000_000):
        yield data[start : start + 1_000_000]


async def test_two_requests_for_one_upload_make_one_document(direct: Documents) -> None:
    upload, url = await begun(direct)
    await send(direct, url, b"content")
    results = await asyncio.gather(*(made(direct, upload) for _ in range(3)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "Conflict", "Document"]


async def test_a_store_that_is_away_refuses_a_file_for_now_and_takes_it_later(
    services: Services, viewer: Viewer, redis_url: str, s3: S3, tmp_path: Path
) -> None:
    there = s3.options(tmp_path / "scratch")
    created = await operations.create_upload(services, viewer, NewUpload("a.txt"))
    token = created.upload_url.rpartition("/")[2]
    for options in (replace(there, s3_endpoint="http://127.0.0.1:9"), there):
        outside = OutsideOptions(services.secret_key, redis_url, files=options)
        async with World(services.database, outside) as world:
            served = replace(services, world=world)
            coming = receive_upload(served, created.made.id, token, _streamed(b"content"), Said(7))
            if options is there:
                assert (await coming).status is UploadStatus.RECEIVED
            else:
                with pytest.raises(StoreUnavailable):
                    await coming
                with pytest.raises(Conflict, match="has not arrived"):
                    await documents.create_document(served, viewer, NewDocument(created.made.id))
        assert list((tmp_path / "scratch").iterdir()) == []
    assert await s3.keys() == [object_key(viewer.workspace_id, sha256(b"content"))]
