"""Items of a batch that wait for their next attempt: one timer each, for the step that is due first."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from weft.engine.context import SteadyClock
from weft.engine.item import ItemWay

Call = Callable[[ItemWay], None]


class RetryTimers:
    """`call` is called with an item when its time has come; then it no longer waits."""

    def __init__(self, clock: SteadyClock, call: Call) -> None:
        self._clock = clock
        self._call = call
        self._timers: dict[int, tuple[int, asyncio.TimerHandle]] = {}
        """Ordinal to when it is due (microseconds) and what will call it."""

    def __bool__(self) -> bool:
        return bool(self._timers)

    def __contains__(self, way: ItemWay) -> bool:
        return way.ordinal in self._timers

    def wait_until(self, way: ItemWay, due_us: int) -> None:
        timer = self._timers.get(way.ordinal)
        if timer is not None:
            if timer[0] <= due_us:
                return
            timer[1].cancel()
        wait = max(0.0, (due_us - self._clock.now_us()) / 1e6)
        self._timers[way.ordinal] = (due_us, asyncio.get_running_loop().call_later(wait, self._due, way))

    def next_due_in(self) -> timedelta:
        """Of the item that is due first; there has to be one."""
        due_us = min(due for due, _ in self._timers.values())
        return timedelta(microseconds=max(0, due_us - self._clock.now_us()))

    def drop(self, way: ItemWay) -> None:
        if (timer := self._timers.pop(way.ordinal, None)) is not None:
            timer[1].cancel()

    def drop_all(self) -> None:
        for _, handle in self._timers.values():
            handle.cancel()
        self._timers.clear()

    def _due(self, way: ItemWay) -> None:
        del self._timers[way.ordinal]
        self._call(way)
