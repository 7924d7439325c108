"""Files of documents, out again by their links."""

import dataclasses
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from documents.conftest import Documents, sha256
from sqlalchemy import update

from weft.domain.access import Viewer
from weft.domain.files import object_key
from weft.domain.run import Selection
from weft.http.downloads import disposition
from weft.kit.clock import utc_now
from weft.operations import documents, entities
from weft.storage import tables

PAGE = b"<!doctype html><script>alert(1)</script>"


async def test_a_download_is_an_attachment_that_no_browser_runs(files: Documents) -> None:
    made = await files.made(PAGE, name='Rechnung Ü "4".pdf')
    async with files.session.get(await files.url_of(made)) as response:
        assert (response.status, await response.read()) == (200, PAGE)
        assert response.headers["Content-Type"].startswith("text/html")
        assert response.headers["Content-Length"] == str(len(PAGE))
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert response.headers["ETag"] == f'"{sha256(PAGE)}"'
        assert response.headers["Content-Disposition"] == (
            "attachment; filename=\"Rechnung _ _4_.pdf\"; filename*=UTF-8''Rechnung%20%C3%9C%20%224%22.pdf"
        )


def test_a_plain_name_is_spelt_once() -> None:
    assert disposition("a b.txt") == 'attachment; filename="a b.txt"'


async def test_parts_heads_and_what_did_not_change_are_answered(files: Documents) -> None:
    url = await files.url_of(await files.made(b"0123456789"))
    async with files.session.get(url, headers={"Range": "bytes=2-4"}) as response:
        assert (response.status, await response.read()) == (206, b"234")
        assert response.headers["Content-Range"] == "bytes 2-4/10"
    async with files.session.get(url, headers={"Range": "bytes=20-"}) as response:
        assert response.status == 416
    async with files.session.head(url) as response:
        assert (response.status, response.headers["Content-Length"], await response.read()) == (200, "10", b"")
        etag = response.headers["ETag"]
    async with files.session.get(url, headers={"If-None-Match": f'"x", {etag}'}) as response:
        assert (response.status, await response.read()) == (304, b"")


@pytest.mark.parametrize("change", ["signature", "expires", "entity", "workspace", "nothing", "odd expires"])
async def test_a_link_that_was_changed_opens_nothing(files: Documents, stranger: Viewer, change: str) -> None:
    made, other = await files.made(b"mine"), await files.made(b"another")
    url = await files.url_of(made)
    query = parse_qs(urlsplit(url).query)
    bad = {
        "signature": url[:-1] + ("0" if url[-1] != "0" else "1"),
        "expires": url.replace(query["expires"][0], str(int(query["expires"][0]) + 1)),
        "entity": url.replace(str(made.entity.id), str(other.entity.id)),
        "workspace": url.replace(str(files.viewer.workspace_id), str(stranger.workspace_id)),
        "nothing": url.partition("?")[0],
        "odd expires": url.replace(query["expires"][0], "9" * 30),
    }[change]
    async with files.session.get(bad) as response:
        assert (response.status, (await response.json())["errors"][0]["code"]) == (404, "NOT_FOUND")


async def test_a_link_expires(files: Documents) -> None:
    made = await files.made(b"mine")
    files.services = dataclasses.replace(files.services, clock=lambda: utc_now() - timedelta(minutes=16))
    async with files.session.get(await files.url_of(made)) as response:
        assert response.status == 404
        assert "expired" in (await response.json())["errors"][0]["message"]


async def test_the_file_of_a_deleted_document_is_not_given_out_while_others_keep_theirs(files: Documents) -> None:
    made, twin = await files.made(b"the same"), await files.made(b"the same")
    url, other = await files.url_of(made), await files.url_of(twin)
    await entities.delete_entities(files.services, files.viewer, Selection(ids=(made.entity.id,)))
    async with files.session.get(url) as response:
        assert response.status == 404
    async with files.session.get(other) as response:
        assert await response.read() == b"the same"


async def test_a_renamed_document_is_downloaded_under_its_new_name(files: Documents) -> None:
    made = await files.made(b"text")
    await entities.update_entity(files.services, files.viewer, made.entity.id, {"name": "new.txt"})
    async with files.session.head(await files.url_of(made)) as response:
        assert response.headers["Content-Disposition"] == 'attachment; filename="new.txt"'


async def test_whatever_is_written_into_its_data_a_document_keeps_its_own_file(files: Documents) -> None:
    """Steps write what they like: the file is not looked up by it."""
    made, other = await files.made(b"mine"), await files.made(b"another")
    async with files.services.database.transaction() as connection:
        forged = {**made.entity.data, "sha256": other.entity.data["sha256"], "name": 7}
        await connection.execute(update(tables.entity).where(tables.entity.c.id == made.entity.id).values(data=forged))
    async with files.session.get(await files.url_of(made)) as response:
        assert await response.read() == b"mine"


async def test_a_file_that_is_gone_from_the_store_is_said_to_be(files: Documents) -> None:
    made = await files.made(b"mine")
    (files.folder / object_key(files.viewer.workspace_id, sha256(b"mine"))).unlink()
    async with files.session.get(await files.url_of(made)) as response:
        assert (response.status, (await response.json())["errors"][0]["code"]) == (404, "NOT_FOUND")


async def test_no_stranger_is_shown_a_file(files: Documents, stranger: Viewer) -> None:
    made = await files.made(b"mine")
    assert await documents.load_files(files.services, stranger, [made.entity.id]) == [None]
