"""Copies of files from elsewhere: one for all who read it, kept while there is room."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from weft.integrations.file_cache import FileCache
from weft.integrations.spool import Spool, SpooledFile
from weft.integrations.store_errors import StoreUnavailable


@dataclass
class Elsewhere:
    spool: Spool
    asked: Counter[str] = field(default_factory=Counter[str])
    away: bool = False
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def fetch(self, key: str) -> SpooledFile:
        self.asked[key] += 1
        await self.gate.wait()
        if self.away:
            raise StoreUnavailable
        spooled = await self.spool.new()
        await spooled.write(key.encode() * 10)
        await spooled.flush()
        return spooled

    @property
    def lying(self) -> list[bytes]:
        return sorted(path.read_bytes()[:1] for path in self.spool.folder.iterdir())


@pytest.fixture
def elsewhere(tmp_path: Path) -> Elsewhere:
    found = Elsewhere(Spool(tmp_path / "scratch"))
    found.gate.set()
    return found


@pytest.fixture
async def cache(elsewhere: Elsewhere) -> AsyncIterator[FileCache]:
    cache = FileCache(elsewhere.fetch, most_bytes=30, most_files=5)
    yield cache
    await cache.close()
    assert elsewhere.lying == []


async def test_all_who_read_a_file_at_once_share_one_copy(cache: FileCache, elsewhere: Elsewhere) -> None:
    elsewhere.gate.clear()

    async def read() -> bytes:
        async with cache.local("a") as path:
            return path.read_bytes()

    reading = [asyncio.create_task(read()) for _ in range(5)]
    await asyncio.sleep(0)
    reading[0].cancel()  # one gives up: the others get it all the same
    elsewhere.gate.set()
    results = await asyncio.gather(*reading, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert results[1:] == [b"a" * 10] * 4
    assert elsewhere.asked == {"a": 1}


async def test_what_nobody_reads_goes_when_there_is_no_room_the_oldest_first(
    cache: FileCache, elsewhere: Elsewhere
) -> None:
    for key in "abacd":
        async with cache.local(key):
            pass
    assert elsewhere.lying == [b"a", b"c", b"d"]
    assert elsewhere.asked["a"] == 1


async def test_what_is_being_read_stays_however_much_it_is(cache: FileCache, elsewhere: Elsewhere) -> None:
    async with AsyncExitStack() as stack:
        paths = [await stack.enter_async_context(cache.local(key)) for key in "abcd"]
        assert [path.read_bytes()[:1] for path in paths] == [b"a", b"b", b"c", b"d"]
    assert len(elsewhere.lying) == 3


async def test_what_could_not_be_fetched_is_tried_again_by_the_next(cache: FileCache, elsewhere: Elsewhere) -> None:
    elsewhere.away = True
    with pytest.raises(StoreUnavailable):
        async with cache.local("a"):
            pass
    elsewhere.away = False
    async with cache.local("a") as path:
        assert path.read_bytes() == b"a" * 10
