"""Temporary files: locked while they are used, gone when nobody does, whatever became of their process."""

import asyncio
import errno
import hashlib
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
from documents.conftest import files_in

from weft.integrations.local_folder import LocalFolder
from weft.integrations.spool import Spool
from weft.integrations.store_errors import NotStored, StoreUnavailable


async def test_digests_are_computed_on_the_way_and_the_file_goes_with_the_block(tmp_path: Path) -> None:
    data = os.urandom(3_000_001)
    async with Spool(tmp_path).file() as spooled:
        for start in range(0, len(data), 70_000):
            await spooled.write(data[start : start + 70_000])
        await spooled.flush()
        assert (spooled.size, spooled.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        assert spooled.path.read_bytes() == data
        assert spooled.path.stat().st_mode & 0o077 == 0
    assert files_in(tmp_path) == []


async def test_a_writer_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def write() -> None:
        async with Spool(tmp_path).file() as spooled:
            await spooled.write(b"x")
            begun.set()
            while True:
                await spooled.write(bytes(4_000_000))

    writing = asyncio.create_task(write())
    await begun.wait()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert files_in(tmp_path) == []


_WRITER = """
import asyncio, sys
from pathlib import Path
from weft.integrations.local_folder import LocalFolder

async def write():
    async with LocalFolder(Path(sys.argv[1])).spool.file() as spooled:
        await spooled.write(bytes(2_000_000))
        print("half of it is there", flush=True)
        await asyncio.Event().wait()

asyncio.run(write())
"""


async def test_what_a_killed_process_leaves_is_swept_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _WRITER, str(tmp_path), stdout=PIPE)
    assert process.stdout is not None
    async with asyncio.timeout(30):
        assert await process.stdout.readline() == b"half of it is there\n"
    store = LocalFolder(tmp_path)
    async with store.spool.file() as mine:
        assert store.spool.sweep(youngest_seconds=-1) == 0
        process.kill()
        await process.wait()
        assert len(list(store.spool.folder.iterdir())) == 2
        assert store.spool.sweep() == 0  # too young: it may be about to be locked
        assert store.spool.sweep(youngest_seconds=-1) == 1
        assert list(store.spool.folder.iterdir()) == [mine.path]


async def test_a_start_sweeps_what_is_old(tmp_path: Path) -> None:
    store = LocalFolder(tmp_path)
    store.spool.folder.mkdir()
    old, foreign = store.spool.folder / "old.part", store.spool.folder / "notes.txt"
    for path in (old, foreign):
        path.write_bytes(b"x")
        os.utime(path, (1, 1))
    await store.open()
    assert list(store.spool.folder.iterdir()) == [foreign]


async def test_a_file_is_placed_whole_and_read_where_it_lies(tmp_path: Path) -> None:
    store = LocalFolder(tmp_path)
    for _ in range(2):  # the same content again takes the place of the first
        async with store.spool.file() as spooled:
            await spooled.write(b"content")
            await spooled.flush()
            await store.place(spooled, "workspace/ab/abcd")
    async with store.local("workspace/ab/abcd") as path:
        assert (path, path.read_bytes()) == (tmp_path / "workspace/ab/abcd", b"content")
    assert list(store.spool.folder.iterdir()) == []
    with pytest.raises(NotStored):
        async with store.local("workspace/ab/other"):
            pass


async def test_a_disk_that_is_full_is_said_without_a_path(tmp_path: Path) -> None:
    error = OSError(errno.ENOSPC, "No space left on device", str(tmp_path))
    assert str(StoreUnavailable.of(error)) == "The file store has no room left."
    (tmp_path / "blocked").write_bytes(b"a file where a folder is needed")
    with pytest.raises(StoreUnavailable, match=r"^The file store cannot be used for the moment\.$"):
        await Spool(tmp_path / "blocked").new()
