"""What arrives together is written together, and each caller gets its own result."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from weft.kit.gathering import Gathering


@dataclass
class Writer:
    """Doubles numbers, when it is let; a negative one cannot be written."""

    written: list[list[int]] = field(default_factory=list[list[int]])
    let: asyncio.Event = field(default_factory=asyncio.Event)
    under_way: int = 0
    most: int = 0

    async def write(self, values: Sequence[int]) -> Sequence[int]:
        self.written.append(list(values))
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await self.let.wait()
        self.under_way -= 1
        if min(values) < 0:
            raise ValueError("negative")
        return [value * 2 for value in values]

    def gathering(self, at_once: int = 1, most: int = 100, heaviest: int = 1_000) -> Gathering[int, int]:
        return Gathering(
            self.write,
            at_once=at_once,
            most=most,
            heaviest=heaviest,
            weigh=abs,
            blames_one=lambda error: isinstance(error, ValueError),
        )


async def put(gathering: Gathering[int, int], *values: int) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(gathering.put(value)) for value in values]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_a_single_value_waits_for_nobody_and_the_next_ones_go_together() -> None:
    writer = Writer()
    gathering = writer.gathering()
    tasks = [*(await put(gathering, 1)), *(await put(gathering, 2, 3, 4))]
    assert writer.written == [[1]]
    writer.let.set()
    assert await asyncio.gather(*tasks) == [2, 4, 6, 8]
    assert writer.written == [[1], [2, 3, 4]]


async def test_whoever_comes_just_when_a_write_has_ended_begins_the_next() -> None:
    writer = Writer()
    writer.let.set()
    gathering = writer.gathering()
    async with asyncio.timeout(10):
        assert [await gathering.put(value) for value in (1, 2, 3)] == [2, 4, 6]


async def test_there_are_no_more_writes_at_once_than_allowed() -> None:
    writer = Writer()
    gathering = writer.gathering(at_once=2)
    tasks = [task for value in range(1, 6) for task in await put(gathering, value)]
    assert writer.written == [[1], [2]]
    writer.let.set()
    assert await asyncio.gather(*tasks) == [2, 4, 6, 8, 10]
    assert writer.most == 2


async def test_one_write_is_bounded_by_number_and_by_weight() -> None:
    writer = Writer()
    writer.let.set()
    gathering = writer.gathering(most=3, heaviest=100)
    results = await asyncio.gather(*await put(gathering, 1, 2, 3, 4, 99, 5, 1_000))
    assert results == [2, 4, 6, 8, 198, 10, 2_000]
    assert writer.written == [[1, 2, 3], [4], [99], [5], [1_000]]


async def test_a_value_that_cannot_be_written_costs_only_its_own_caller() -> None:
    writer = Writer()
    writer.let.set()
    results = await asyncio.gather(*await put(writer.gathering(), 1, -2, 3), return_exceptions=True)
    assert (results[0], results[2]) == (2, 6)
    assert isinstance(results[1], ValueError)
    assert writer.written == [[1, -2, 3], [1], [-2], [3]]


async def test_an_error_of_nobodys_is_everybodys_and_the_next_value_is_tried() -> None:
    async def away(_values: Sequence[int]) -> Sequence[int]:
        raise OSError("away")

    gathering = Gathering[int, int](away, at_once=1, most=10, heaviest=10, weigh=abs, blames_one=lambda _error: False)
    for value in (1, 2):
        with pytest.raises(OSError, match="away"):
            await gathering.put(value)


async def test_a_value_is_written_also_when_its_caller_has_gone() -> None:
    writer = Writer()
    gathering = writer.gathering()
    first, gone, last = [*(await put(gathering, 1)), *(await put(gathering, 2, 3))]
    gone.cancel()
    writer.let.set()
    assert (await first, await last) == (2, 6)
    assert writer.written == [[1], [2, 3]]
