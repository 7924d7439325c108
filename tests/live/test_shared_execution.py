"""One execution for many watchers, in every order in which they may come, go and be told."""

import asyncio
import random
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from strawberry.types import ExecutionResult

from weft.domain.access import Anyone, Role
from weft.domain.ids import new_id
from weft.graphql.live.execution import TOLD_AT_ONCE, SharedExecution

LAST = 40


class Source:
    """A state with a revision, and executions that read it as those of a run's progress do: the newest, then newer ones."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.revision = 1
        self.opened = 0
        self.open = 0
        self.personal_from = self.broken_from = LAST + 1
        self.moved = asyncio.Event()

    def move(self, revision: int) -> None:
        self.revision = revision
        self.moved.set()
        self.moved = asyncio.Event()

    async def dawdle(self) -> None:
        for _ in range(self.chance.randrange(4)):
            await asyncio.sleep(0)


class Opened:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.viewer = Anyone(new_id(), Role.VIEWER)
        self.revision: int | None = None
        source.opened += 1

    def shown(self, error: Exception) -> object:
        return {"message": str(error)}

    async def results(self) -> AsyncGenerator[Any]:
        await self.source.dawdle()
        return self._results()

    async def _results(self) -> AsyncGenerator[Any]:
        source = self.source
        source.open += 1
        told = 0
        try:
            while told < LAST:
                while source.revision == told:
                    await source.moved.wait()
                told = source.revision
                await source.dawdle()  # the execution takes a moment, and another one may be faster
                if told >= source.broken_from:
                    raise OSError("the source broke")
                self.revision = told
                if told >= source.personal_from:
                    with pytest.raises(Exception, match="depends on who asks"):
                        _ = self.viewer.key_name
                yield ExecutionResult({"revision": told}, None)
        finally:
            source.open -= 1


class Watcher:
    def __init__(self, source: Source) -> None:
        self.told: bytes | None = None
        self.came_at = source.revision
        self.seen: list[int] = []
        self.ended: list[bytes | None] = []
        self.alone = False

    def tell(self, payload: bytes) -> None:
        assert not self.ended
        self.seen.append(int(payload[len(b'{"data":{"revision":') : -2]))

    def end(self, errors: bytes | None) -> None:
        self.ended.append(errors)

    def go_alone(self) -> None:
        self.alone = True


class Shared:
    def __init__(self, source: Source) -> None:
        self.forgotten = self.personal = 0
        self.execution = SharedExecution(lambda: Opened(source), self._forget, self._note_personal)

    def _forget(self) -> None:
        self.forgotten += 1

    def _note_personal(self) -> None:
        self.personal += 1


async def rest() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


@pytest.fixture
def source() -> Source:
    return Source(random.Random(1))


@pytest.mark.parametrize("seed", range(40))
async def test_whoever_comes_and_goes_each_sees_rising_states_from_its_coming_to_the_end(seed: int) -> None:
    chance = random.Random(seed)
    source = Source(chance)
    shared = Shared(source)
    here: list[Watcher] = []
    gone: list[Watcher] = []

    def come() -> None:
        here.append(watcher := Watcher(source))
        shared.execution.join(watcher)

    come()
    for revision in range(2, LAST + 1):
        for _ in range(chance.randrange(6)):
            if chance.random() < 0.7 or len(here) == 1:
                come()
            else:
                gone.append(leaving := here.pop(chance.randrange(len(here))))
                shared.execution.leave(leaving)
            await source.dawdle()
        source.move(revision)
        await source.dawdle()
    async with asyncio.timeout(10):
        while not all(watcher.ended for watcher in here):
            await asyncio.sleep(0)
    for watcher in here:
        assert watcher.seen == sorted(set(watcher.seen))
        assert watcher.came_at <= watcher.seen[0]
        assert watcher.seen[-1] == LAST
        assert watcher.ended == [None]
    for watcher in gone:
        assert watcher.seen == sorted(set(watcher.seen))
        assert not watcher.ended
    await rest()
    assert source.open == 0
    assert shared.forgotten == 1


async def test_those_who_ask_in_the_same_moment_cost_one_opening(source: Source) -> None:
    shared = Shared(source)
    watchers = [Watcher(source) for _ in range(100)]
    for watcher in watchers[:60]:
        shared.execution.join(watcher)
    for watcher in watchers[60:]:  # while the first is being opened: whether that sees their state is not known
        shared.execution.join(watcher)
    await rest()
    source.move(LAST)
    await rest()
    assert source.opened == 2
    assert {tuple(watcher.seen) for watcher in watchers} == {(1, LAST)}


async def test_nobody_misses_the_end_because_somebody_came_while_it_was_told(source: Source) -> None:
    shared = Shared(source)
    watchers = [Watcher(source) for _ in range(3 * TOLD_AT_ONCE)]
    for watcher in watchers:
        shared.execution.join(watcher)
    await rest()
    source.move(LAST)
    while not any(LAST in watcher.seen for watcher in watchers):
        await asyncio.sleep(0)
    assert not all(LAST in watcher.seen for watcher in watchers)
    late = Watcher(source)
    shared.execution.join(late)
    await rest()
    assert all(watcher.seen[-1] == LAST and watcher.ended == [None] for watcher in (*watchers, late))


async def test_an_operation_that_depends_on_who_asks_is_left_to_each_of_them(source: Source) -> None:
    source.personal_from = 3
    shared = Shared(source)
    watchers = [Watcher(source) for _ in range(3)]
    for watcher in watchers:
        shared.execution.join(watcher)
    await rest()
    source.move(3)
    shared.execution.join(late := Watcher(source))
    await rest()
    assert [watcher.seen for watcher in watchers] == [[1]] * 3
    assert all(watcher.alone for watcher in (*watchers, late))
    assert (shared.personal, shared.forgotten, source.open) == (1, 1, 0)


async def test_all_who_watch_are_told_when_the_source_breaks(source: Source) -> None:
    source.broken_from = 2
    shared = Shared(source)
    watchers = [Watcher(source) for _ in range(3)]
    for watcher in watchers:
        shared.execution.join(watcher)
    await rest()
    source.move(2)
    await rest()
    assert [(watcher.seen, watcher.ended) for watcher in watchers] == [([1], [b'[{"message":"the source broke"}]'])] * 3
    assert (shared.forgotten, source.open) == (1, 0)


async def test_the_last_who_leaves_takes_all_of_it_along(source: Source) -> None:
    shared = Shared(source)
    watchers = [Watcher(source) for _ in range(3)]
    for watcher in watchers:
        shared.execution.join(watcher)
    await rest()
    shared.execution.join(late := Watcher(source))  # being opened for it
    for watcher in (*watchers, late):
        assert not shared.forgotten
        shared.execution.leave(watcher)
    shared.execution.leave(late)
    await rest()
    assert (shared.forgotten, source.open) == (1, 0)
