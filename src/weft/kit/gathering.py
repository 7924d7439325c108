"""What arrives together is done together: one write for many values, and each caller waits for its own result."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Gathering(Generic[T, R]):
    """While `at_once` writes are under way, what comes meanwhile gathers for the next one. So a single value waits for nobody, and
    a thousand cost few writes.
    """

    def __init__(
        self,
        write: Callable[[Sequence[T]], Awaitable[Sequence[R]]],
        *,
        at_once: int,
        most: int,
        heaviest: int,
        weigh: Callable[[T], int],
        blames_one: Callable[[Exception], bool],
    ) -> None:
        """At most so many values, and so much weight beyond the first, go into one write, whose results are in the order of
        the values. `blames_one`: whether an error may come from one of the values, so that the others are worth another try.
        """
        self._write = write
        self._at_once = at_once
        self._most = most
        self._heaviest = heaviest
        self._weigh = weigh
        self._blames_one = blames_one
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._writers = 0
        self._tasks = set[asyncio.Task[None]]()

    async def put(self, value: T) -> R:
        """The result for this value, once it is written. It is written also when the caller no longer waits."""
        result: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((value, result))
        if self._writers < self._at_once:
            self._writers += 1
            task = asyncio.create_task(self._write_all())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await result

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                await self._write_together(self._taken())
        finally:
            # At once, not when the task is seen to have ended: who comes in between would wait for nobody.
            self._writers -= 1

    def _taken(self) -> list[tuple[T, asyncio.Future[R]]]:
        taken = [self._waiting.popleft()]
        weight = self._weigh(taken[0][0])
        while self._waiting and len(taken) < self._most:
            weight += self._weigh(self._waiting[0][0])
            if weight > self._heaviest:
                break
            taken.append(self._waiting.popleft())
        return taken

    async def _write_together(self, taken: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        try:
            results = await self._write([value for value, _ in taken])
        except Exception as error:  # noqa: BLE001 - raised again, in whoever waits for it
            if len(taken) > 1 and self._blames_one(error):
                for one in taken:
                    await self._write_together([one])
                return
            for _, result in taken:
                if not result.done():
                    result.set_exception(error)
            return
        for (_, result), written in zip(taken, results, strict=True):
            if not result.done():
                result.set_result(written)
