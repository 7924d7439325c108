"""Files that nothing uses: deleted with their objects, and never one that somebody uses or is about to use."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from documents.conftest import Documents, sha256
from sqlalchemy import text

from weft.domain.files import StoredFile
from weft.domain.retention import Ages
from weft.domain.run import Selection
from weft.engine.retention import RetentionSweeper
from weft.engine.retention.files import drop_unused_files
from weft.operations.documents import NewDocument, create_document
from weft.operations.entities import delete_entities
from weft.storage import files as stored
from weft.storage import unused_files
from weft.storage.unused_files import FilePlace

CONTENT = b"what was uploaded"
LATER = timedelta(days=9)


async def sweep(files: Documents, ahead: timedelta = LATER) -> dict[str, int]:
    services = files.services
    await do(files, "UPDATE retention_turn SET due_at = now()")
    sweeper = RetentionSweeper(
        services.database, services.world.files, Ages(), lambda: datetime.now(UTC) + ahead, timedelta()
    )
    return await sweeper.run_once()


async def do(files: Documents, statement: str) -> None:
    async with files.services.database.transaction() as connection:
        await connection.execute(text(statement))


async def total(files: Documents) -> tuple[int, int]:
    async with files.services.database.reading() as connection:
        row = (await connection.execute(text("SELECT files, bytes FROM file_total"))).one()
        return row.files, row.bytes


async def delete(files: Documents, *entity_ids: Any) -> None:
    await delete_entities(files.services, files.viewer, Selection(ids=entity_ids))


async def test_the_file_of_a_deleted_document_goes_with_its_object_and_is_not_counted_any_more(
    files: Documents,
) -> None:
    deleted, kept = await files.made(CONTENT), await files.made(b"kept")
    await delete(files, deleted.entity.id)
    assert "files" not in await sweep(files, timedelta(days=6)), "its upload may still be used"
    swept = await sweep(files)
    assert (swept["uploads"], swept["files"]) == (2, 1)
    assert files.lying() == [sha256(b"kept")]
    assert await total(files) == (1, len(b"kept"))
    assert await files.url_of(kept)
    assert await sweep(files) == {}


async def test_a_file_is_kept_for_as_long_as_one_of_its_documents_or_its_uploads_is_there(files: Documents) -> None:
    first, second = await files.made(CONTENT), await files.made(CONTENT)
    await delete(files, first.entity.id)
    assert "files" not in await sweep(files)
    await delete(files, second.entity.id)
    waiting, url = await files.new()
    await files.put(url, CONTENT)
    await do(files, f"UPDATE upload SET expires_at = now() + interval '30 days' WHERE id = '{waiting.id}'")
    assert "files" not in await sweep(files)
    assert (await create_document(files.services, files.viewer, NewDocument(waiting.id))).created
    assert files.lying() == [sha256(CONTENT)]


async def test_what_a_crash_left_between_its_row_and_its_object_goes_too(files: Documents) -> None:
    await files.made(CONTENT)
    await do(files, "DELETE FROM document")
    await do(files, "DELETE FROM upload")
    await do(files, "UPDATE file SET stored_at = NULL")
    (files.folder / files.lying()[0]).unlink(missing_ok=True)
    assert (await sweep(files))["files"] == 1
    assert await total(files) == (0, 0)


async def test_content_that_comes_in_again_while_it_is_deleted_is_there_in_the_end(files: Documents) -> None:
    made = await files.made(CONTENT)
    await delete(files, made.entity.id)
    await do(files, "DELETE FROM document")
    await do(files, "DELETE FROM upload")
    place = FilePlace(files.viewer.workspace_id, sha256(CONTENT))
    upload, url = await files.new()
    async with files.services.database.transaction() as deleting:
        assert await unused_files.drop_file(deleting, place) == len(CONTENT)
        coming = asyncio.create_task(files.put(url, CONTENT))
        # It waits for the row, or it would put its object there before the old one is deleted.
        await asyncio.wait({coming}, timeout=1.0)
        assert not coming.done()
        await files.services.world.files.remove(f"{place.workspace_id}/{place.sha256[:2]}/{place.sha256}")
        await unused_files.count_down(deleting, place, len(CONTENT))
    assert (await coming)[0] == 200
    assert (await create_document(files.services, files.viewer, NewDocument(upload.id))).created
    assert files.lying() == [sha256(CONTENT)]
    assert await total(files) == (1, len(CONTENT))


async def test_what_is_being_taken_in_again_is_not_deleted(files: Documents) -> None:
    made = await files.made(CONTENT)
    await delete(files, made.entity.id)
    await do(files, "DELETE FROM document")
    await do(files, "DELETE FROM upload")
    place = FilePlace(files.viewer.workspace_id, sha256(CONTENT))
    content = StoredFile(place.sha256, len(CONTENT), "text/plain")
    async with files.services.database.transaction() as taking_in:
        assert await stored.reserve_file(taking_in, place.workspace_id, content, most_files=5, most_bytes=1_000)
        async with files.services.database.transaction() as deleting:
            assert await unused_files.drop_file(deleting, place) is None
    assert await total(files) == (1, len(CONTENT))


async def test_a_store_that_is_away_costs_no_row_and_holds_up_nothing_else(files: Documents) -> None:
    made = await files.made(CONTENT)
    await delete(files, made.entity.id)
    await sweep(files, timedelta(days=6))
    folder = files.folder
    away = folder.with_name("away")
    (folder / str(files.viewer.workspace_id)).rename(away)
    (folder / str(files.viewer.workspace_id)).write_text("no folder")
    swept = await sweep(files)
    assert (swept["uploads"], "files" in swept) == (1, False)
    assert await total(files) == (1, len(CONTENT))
    (folder / str(files.viewer.workspace_id)).unlink()
    away.rename(folder / str(files.viewer.workspace_id))
    assert (await sweep(files))["files"] == 1


async def test_a_long_table_is_walked_through_bit_by_bit(files: Documents) -> None:
    for number in range(5):
        made = await files.made(str(number).encode())
        await delete(files, made.entity.id)
    await do(files, "DELETE FROM upload")
    await do(files, "DELETE FROM document")
    services, before = files.services, datetime.now(UTC) + LATER
    dropped = [
        await drop_unused_files(services.database, services.world.files, before, 2, lambda: False) for _ in range(3)
    ]
    assert dropped == [2, 2, 1]
    assert files.lying() == []
