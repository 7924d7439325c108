"""The disk is full, truly: a run waits, says so, loses nothing, and goes on when there is room."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine.conftest import Bench
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from weft.domain.progress import RunStatus
from weft.domain.run import Run
from weft.embedded import EmbeddedServices
from weft.storage.database import Database, is_passing

pytestmark = pytest.mark.timeout(60)

ITEMS = 4_000
FULL = "No space left on device"


def _mount(options: str, path: Path) -> bool:
    command = ("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path))
    return (
        shutil.which("mount") is not None and subprocess.run(command, check=False, capture_output=True).returncode == 0
    )


@pytest.fixture
def small_disk(embedded: EmbeddedServices) -> Iterator[Path]:
    """A file system of one megabyte that belongs to Postgres."""
    sockets = Path(str(make_url(embedded.database_url).query["host"]))
    with tempfile.TemporaryDirectory(prefix="weft-disk-") as folder:
        disk = Path(folder)
        if os.geteuid() != 0 or not _mount("size=1m", disk):
            pytest.skip("only root can mount a file system, and not everywhere")
        os.chown(disk, sockets.stat().st_uid, sockets.stat().st_gid)
        yield disk
        subprocess.run(("umount", "--lazy", folder), check=True)


async def _administer(database: Database, *statements: str) -> None:
    async with database.reading() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def _finished(bench: Bench, run: Run) -> int:
    return (await bench.until(run, lambda _: True)).finished


async def test_a_run_waits_for_room_on_the_disk_and_loses_nothing(small_disk: Path, bench: Bench) -> None:
    database = bench.services.database
    run = await bench.start(
        await bench.workflow(
            {"id": "shape", "type": "transform", "config": {"fields": {"label": "input.title + ' of 2000 or later'"}}},
            {"id": "publish", "type": "publish", "config": {"fields": {"gross": "1.5"}}},
            entity_type=await bench.movies(ITEMS),
        )
    )
    worker = bench.new_worker()
    try:
        await _administer(
            database, f"CREATE TABLESPACE small LOCATION '{small_disk}'", "ALTER TABLE run_item SET TABLESPACE small"
        )
        with capture_logs() as logs:
            working = asyncio.create_task(worker.run())
            async with asyncio.timeout(20):
                while sum(FULL in line.get("error", "") for line in logs) < 2:
                    await asyncio.sleep(0.02)
        before = await _finished(bench, run)
        assert 0 < before < ITEMS
        with pytest.raises(DBAPIError, match=FULL) as refused:
            await _fill(database)
        assert is_passing(refused.value), "whoever asks the API is told to try again"
        assert await _finished(bench, run) == before
        assert await asyncio.to_thread(_mount, "remount,size=64m", small_disk)
        progress = await bench.until(run, lambda progress: progress.status.is_terminal)
    finally:
        await worker.stop()
        await _administer(database, "ALTER TABLE run_item SET TABLESPACE pg_default", "DROP TABLESPACE small")
    await working
    assert (progress.status, progress.completed) == (RunStatus.COMPLETED, ITEMS)
    (counted,) = await bench.rows("SELECT count(*) AS n, count(DISTINCT ordinal) AS items FROM run_item")
    (entities,) = await bench.rows("SELECT min(version) AS least, max(version) AS most FROM entity")
    assert (counted["n"], counted["items"]) == (ITEMS, ITEMS)
    assert (entities["least"], entities["most"]) == (2, 2)
    assert {item["error"] for item in await bench.items(run)} == {None}


async def _fill(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(
            text(
                "INSERT INTO run_item (run_id, ordinal, status, steps, started_at, finished_at) "
                "SELECT gen_random_uuid(), n, 'COMPLETED', '[]', now(), now() FROM generate_series(1, 100000) AS n"
            )
        )
