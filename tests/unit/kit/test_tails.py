"""Numbers that many follow: who reads them, what is kept, and what is left of it."""

import asyncio
from dataclasses import dataclass

import pytest

from weft.kit.tails import Tail, Tails

WEIGHT = 10


@dataclass(frozen=True)
class Numbers:
    begin: int
    end: int
    weight: int = WEIGHT


class Source:
    """As many numbers as there are so far, in pages of two."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.read_at: list[int] = []
        self.open = asyncio.Event()
        self.open.set()

    async def read(self, place: int) -> Numbers:
        self.read_at.append(place)
        await self.open.wait()
        return Numbers(place, max(place, min(place + 2, self.last)))


async def follow(tail: Tail[Numbers], source: Source, place: int, until: int) -> int:
    while place < until:
        place = (await tail.behind(place, source.read)).end
    return place


async def test_a_crowd_that_goes_along_together_reads_each_page_once() -> None:
    tails, source = Tails[Numbers](), Source(20)
    with tails.joined("a") as tail:
        for _ in range(99):
            tail.join()
        followers = [asyncio.create_task(follow(tail, source, 0, 20)) for _ in range(100)]
        assert await asyncio.gather(*followers) == [20] * 100
        assert source.read_at == list(range(0, 20, 2))
        for _ in range(99):
            tail.leave()


async def test_who_is_close_behind_needs_no_reading_and_comes_in_anywhere() -> None:
    tails, source = Tails[Numbers](), Source(20)
    with tails.joined("a") as tail, tails.joined("a"):
        await follow(tail, source, 0, 20)
        source.read_at.clear()
        assert await tail.behind(3, source.read) == Numbers(2, 4)
        assert await tail.behind(4, source.read) == Numbers(4, 6)
        await follow(tail, source, 1, 20)
        assert source.read_at == []
        assert await tail.behind(20, source.read) == Numbers(20, 20)
        assert source.read_at == [20]


async def test_who_is_far_behind_reads_for_itself_until_it_has_come_up() -> None:
    tails, source = Tails[Numbers](), Source(20)
    with tails.joined("a") as tail, tails.joined("a"):
        await follow(tail, source, 10, 20)
        source.read_at.clear()
        await follow(tail, source, 0, 20)
        assert source.read_at == [0, 2, 4, 6, 8]
        assert tails.kept == 5 * WEIGHT


async def test_what_is_kept_follows_whoever_is_furthest() -> None:
    tails, source = Tails[Numbers](), Source(100)
    with tails.joined("a") as tail, tails.joined("a"):
        await follow(tail, source, 0, 4)
        await follow(tail, source, 50, 52)
        assert tails.kept == WEIGHT
        source.read_at.clear()
        await tail.behind(50, source.read)
        await tail.behind(2, source.read)
        assert source.read_at == [2]


async def test_the_oldest_pages_of_all_go_when_there_is_no_room() -> None:
    tails = Tails[Numbers](most_kept=5 * WEIGHT)
    source = Source(1_000)
    with tails.joined("a") as a, tails.joined("a"), tails.joined("b") as b, tails.joined("b"):
        await follow(a, source, 0, 6)
        await follow(b, source, 0, 6)
        assert tails.kept == 5 * WEIGHT
        source.read_at.clear()
        await follow(b, source, 0, 6)
        await follow(a, source, 2, 6)
        assert source.read_at == []
        await follow(b, source, 6, 1_000)
        assert tails.kept == 5 * WEIGHT
        await a.behind(0, Source(2).read)
        assert tails.kept == 5 * WEIGHT


async def test_a_page_heavier_than_all_that_may_be_kept_is_handed_on_and_not_kept() -> None:
    tails = Tails[Numbers](most_kept=WEIGHT)

    async def heavy(place: int) -> Numbers:
        return Numbers(place, place + 1, 2 * WEIGHT)

    with tails.joined("a") as tail, tails.joined("a"):
        assert (await tail.behind(0, heavy)).end == 1
        assert tails.kept == 0
        assert (await tail.behind(1, Source(20).read)).end == 3
        assert tails.kept == WEIGHT


async def test_nothing_is_kept_for_one_alone_and_nothing_is_left_behind_the_last() -> None:
    tails, source = Tails[Numbers](), Source(20)
    with tails.joined("a") as tail:
        await follow(tail, source, 0, 6)
        assert tails.kept == 0
        with tails.joined("a"):
            await follow(tail, source, 6, 20)
            assert tails.kept == 7 * WEIGHT
        assert tails.kept == 0
        assert tails.followed == 1
    assert (tails.followed, tails.kept) == (0, 0)


async def test_who_leaves_in_the_middle_of_a_reading_takes_it_from_nobody_and_the_last_one_ends_it() -> None:
    others = asyncio.all_tasks()
    tails, source = Tails[Numbers](), Source(20)
    source.open.clear()
    with tails.joined("a") as tail:
        with tails.joined("a"):
            leaves, stays = (asyncio.create_task(tail.behind(0, source.read)) for _ in range(2))
            await asyncio.sleep(0)
            leaves.cancel()
            await asyncio.gather(leaves, return_exceptions=True)
        source.open.set()
        assert (await stays).end == 2
        source.open.clear()
        alone = asyncio.create_task(tail.behind(2, source.read))
        await asyncio.sleep(0)
        alone.cancel()
        await asyncio.gather(alone, return_exceptions=True)
    await asyncio.sleep(0.01)
    assert source.read_at == [0, 2]
    assert not asyncio.all_tasks() - others


async def test_what_a_reading_raises_all_who_wait_get_and_the_next_one_reads_again() -> None:
    tails, source = Tails[Numbers](), Source(20)

    async def failing(place: int) -> Numbers:
        await asyncio.sleep(0)
        raise ConnectionError(place)

    with tails.joined("a") as tail, tails.joined("a"):
        answers = await asyncio.gather(*(tail.behind(0, failing) for _ in range(3)), return_exceptions=True)
        assert [type(answer) for answer in answers] == [ConnectionError] * 3
        with pytest.raises(ConnectionError):
            await tail.behind(0, failing)
        assert (await tail.behind(0, source.read)).end == 2
