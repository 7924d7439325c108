"""A batch under way: its items are begun in turn, those with nothing to decide on the straight way, the others on the general.

Items are begun in slices of a few milliseconds, so that heartbeats, other batches and a pause get their turn.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from weft.engine import finishing
from weft.engine.attempt import Attending
from weft.engine.context import BatchTools, SteadyClock
from weft.engine.course import Course
from weft.engine.run_here import RunHere
from weft.engine.served import ServedItem, StraightServedWay, straight_served_way
from weft.engine.straight import Departure, straight_way
from weft.engine.walking import Walk
from weft.engine.writes import Ended, FinishedItem, Unfinished
from weft.storage.batches import Lease
from weft.storage.loading import LoadedItem

SLICE_US = 2_000
"""Inline work between two looks at the event loop."""
KEEP_WAITING = timedelta(seconds=2)
"""A batch in which nothing is left but retries further away than this is given back instead of held."""
GRACE = timedelta(seconds=10)
"""For steps under way when the batch is to be given back: they may finish, so that they need not be done again."""


class BatchExecution:
    def __init__(
        self,
        lease: Lease,
        run: RunHere,
        items: list[LoadedItem],
        attempts: Attending,
        stood_still: Callable[[], bool],
    ) -> None:
        """`stood_still` tells whether this worker renewed its leases so long ago that others may hold its batches."""
        self.lease = lease
        self._run = run
        self._waiting = items[::-1]
        """Not begun yet; the next one is the last."""
        self._record = run.recorder.begin(self)
        self._one_by_one = not attempts.inline
        self._clock = SteadyClock()
        self._course = Course()
        self._stood_still = stood_still
        now_us, windows = self._clock.now_us, attempts.windows
        tools = BatchTools(lease.run_id, run.outside, self._record.log)
        self._straight = straight_way(run.plan, tools, now_us)
        self._served = windows and straight_served_way(run.plan, windows, tools, now_us)
        self._walk = Walk(run, self._record, tools, attempts, self._clock, self._course, stood_still)

    async def run(self) -> None:
        """Until every item is finished, or the batch was given back or lost."""
        try:
            if self._one_by_one:
                await self._begin_one_by_one()
            else:
                async with self._run.turn:
                    await self._begin_items()
            await self._settle()
            ended = self._ended()
            self._walk.drop_work()
            if not self._course.lost:
                await self._run.recorder.ended(self._record, ended)
        finally:
            self._walk.drop_work()
            self._run.recorder.forget(self.lease)

    # What the recorder and the worker say

    def pause(self) -> None:
        self._course.pause()

    def lost(self) -> None:
        self._course.lose()

    def take_checkpoints(self) -> Unfinished:
        kept = Unfinished()
        for way in self._walk.open.values():
            if way.fresh:
                kept.add(finishing.checkpoint(way))
        return kept

    # The work

    async def _begin_items(self) -> None:
        """Every item as far as it goes at once."""
        now_us = self._clock.now_us
        while self._waiting and not self._course.stopping:
            slice_ends = now_us() + SLICE_US
            while self._waiting and now_us() < slice_ends:
                self._begin(self._waiting.pop())
            if self._run.recorder.is_full:
                await self._run.recorder.flush()
            else:
                await asyncio.sleep(0)

    async def _begin_one_by_one(self) -> None:
        """An item is begun when no step of the one before is under way."""
        preparation, course = self._run.preparation, self._course
        while self._waiting and not course.stopping:
            item = self._waiting.pop()
            way = preparation.way(item, preparation.values(item), self._clock.now_us())
            self._walk.begin(way)
            while way.running and way.ordinal in self._walk.open and not course.stopping:
                course.changed.clear()
                await course.changed.wait()

    def _begin(self, item: LoadedItem) -> None:
        preparation = self._run.preparation
        values = preparation.values(item)
        is_new = item.checkpoint is None and not item.lost_its_entity
        try:
            if self._straight is not None and is_new:
                self._came_to(item, self._straight.carry(item, values))
            elif self._served is not None and is_new:
                self._hand_in(item, values, self._served)
            else:
                self._walk.begin(preparation.way(item, values, self._clock.now_us()))
        except Exception as error:  # noqa: BLE001 - a step may have spoilt the names in scope: that costs its item, not the batch
            self._walk.break_off(preparation.way(item, preparation.values(item), self._clock.now_us()), error)

    def _hand_in(self, item: LoadedItem, values: dict[str, Any], way: StraightServedWay) -> None:
        if self._stood_still():
            # As on the general way: somebody else may have done this already.
            self._course.pause()
            self._waiting.append(item)
            return
        served = way.carry(item, values, self._arrived)
        if isinstance(served, Departure):
            self._came_to(item, served)
        else:
            self._walk.callers.add(served)

    def _arrived(self, served: ServedItem, came_to: FinishedItem | Departure) -> None:
        if not self._course.lost:
            self._came_to(served.item, came_to)
        self._walk.call_ended(served)

    def _came_to(self, item: LoadedItem, came_to: FinishedItem | Departure) -> None:
        if isinstance(came_to, FinishedItem):
            self._run.recorder.finished(self._record, came_to)
        else:
            preparation = self._run.preparation
            self._walk.go_on(preparation.way(item, preparation.values(item), came_to.started_us), came_to)

    async def _settle(self) -> None:
        """Wait for the steps under way, as long as that makes sense."""
        walk, course = self._walk, self._course
        while walk.is_waiting or walk.timers:
            if course.lost:
                return
            if course.pausing or (not walk.is_waiting and walk.timers.next_due_in() > KEEP_WAITING):
                break
            course.changed.clear()
            await course.changed.wait()
        walk.timers.drop_all()
        try:
            async with asyncio.timeout(GRACE.total_seconds()):
                while walk.is_waiting and not course.lost:
                    course.changed.clear()
                    await course.changed.wait()
        except TimeoutError:
            pass

    def _ended(self) -> Ended:
        """Done; or given back, to be taken up again at once where an item was not even begun."""
        due_at_once = bool(self._waiting or self._walk.callers)
        done = not self._walk.open and not due_at_once
        return Ended(done=done, ready_in=timedelta() if due_at_once else self._walk.ready_in())
