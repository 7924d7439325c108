"""A batch under way: every item through the plan, each as far as it can go without waiting for the others.

Steps that compute run inline, one item after the other, in slices of a few milliseconds. A step that waits becomes a
task; when it answers, its item goes on. There is no barrier between steps, and no task for an item that only computes.
"""

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import structlog

from weft.domain.definition import OnFailure
from weft.domain.step import Fail, Outcome, Output, Retry, Shape, Skip
from weft.engine import finishing
from weft.engine.attempt import Attempts, compute, holds
from weft.engine.context import ItemContext, SteadyClock
from weft.engine.item import OPEN, RUNNING, ItemWay
from weft.engine.plan import PlannedStep
from weft.engine.retry import GiveUp, decide
from weft.engine.run_here import RunHere
from weft.engine.straight import Departure, straight_way
from weft.engine.timers import RetryTimers
from weft.engine.writes import Ended, FinishedItem
from weft.kit.storable import storable
from weft.storage.batches import Lease
from weft.storage.loading import LoadedItem
from weft.storage.results import CheckpointRow, Publication

log = structlog.get_logger(__name__)

SLICE = timedelta(milliseconds=4)
"""Inline work between two looks at the event loop: heartbeats, other batches and a pause get their turn."""
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
        attempts: Attempts,
        stood_still: Callable[[], bool],
    ) -> None:
        """`stood_still` tells whether this worker renewed its leases so long ago that others may hold its batches."""
        self.lease = lease
        self._plan = run.plan
        self._preparation = run.preparation
        self._turn = run.turn
        self._waiting = items[::-1]
        """Not begun yet; the next one is the last."""
        self._recorder = run.recorder
        self._record = run.recorder.begin(self)
        self._attempts = attempts
        self._tools = run.tools
        self._stood_still = stood_still
        self._clock = SteadyClock()
        self._straight = straight_way(run.plan, run.tools, self._clock.now_us)
        self._open: dict[int, ItemWay] = {}
        self._tasks: dict[asyncio.Task[None], ItemWay] = {}
        self._timers = RetryTimers(self._clock, self._try_again)
        self._changed = asyncio.Event()
        self._pausing = False
        self._lost = False

    async def run(self) -> None:
        """Until every item is finished, or the batch was given back or lost."""
        try:
            async with self._turn:
                await self._feed()
            await self._settle()
            self._drop_work()
            if not self._lost:
                await self._recorder.ended(
                    self._record, Ended(done=not self._open and not self._waiting, ready_in=self._ready_in())
                )
        finally:
            self._drop_work()
            self._recorder.forget(self.lease)

    # What the recorder and the worker say

    def pause(self) -> None:
        self._pausing = True
        self._changed.set()

    def lost(self) -> None:
        self._lost = True
        self._changed.set()

    def take_checkpoints(self) -> tuple[list[CheckpointRow], list[Publication]]:
        checkpoints: list[CheckpointRow] = []
        publications: list[Publication] = []
        for way in self._open.values():
            if way.fresh:
                checkpoint, publication = finishing.checkpoint(way)
                checkpoints.append(checkpoint)
                if publication is not None:
                    publications.append(publication)
        return checkpoints, publications

    # The work

    @property
    def _stopping(self) -> bool:
        return self._pausing or self._lost

    async def _feed(self) -> None:
        """Every item as far as it goes at once."""
        slice_us = SLICE // timedelta(microseconds=1)
        while self._waiting:
            if self._stopping:
                return
            yield_at = self._clock.now_us() + slice_us
            while self._waiting and self._clock.now_us() < yield_at:
                self._carry(self._waiting.pop())
            await asyncio.sleep(0)

    def _carry(self, item: LoadedItem) -> None:
        values = self._preparation.values(item)
        if self._straight is None or item.checkpoint is not None or (item.data is None and item.entity_id is not None):
            self._carry_way(self._preparation.way(item, values, self._clock.now_us()))
            return
        came_to = self._straight.carry(item, values)
        if isinstance(came_to, FinishedItem):
            self._recorder.finished(self._record, came_to)
        else:
            self._depart(self._preparation.way(item, values, came_to.started_us), came_to)

    def _carry_way(self, way: ItemWay) -> None:
        self._open[way.ordinal] = way
        if way.ended_early is None:
            self._advance_safely(way)
        else:
            self._finish(way)

    def _depart(self, way: ItemWay, departure: Departure) -> None:
        """Go on with an item that left the straight way."""
        self._open[way.ordinal] = way
        way.take_up(departure.records)
        try:
            if departure.step is None or departure.outcome is None:
                self._finish(way)
            elif self._answered(way, departure.step, departure.outcome, departure.began_us):
                self._advance(way)
        except Exception as error:  # noqa: BLE001 - the same as in `_advance_safely`
            self._break_off(way, error)

    async def _settle(self) -> None:
        """Wait for the steps under way, as long as that makes sense."""
        while self._tasks or self._timers:
            if self._lost:
                return
            if self._pausing or (not self._tasks and self._timers.next_due_in() > KEEP_WAITING):
                break
            self._changed.clear()
            await self._changed.wait()
        self._timers.drop_all()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GRACE.total_seconds())

    def _advance_safely(self, way: ItemWay) -> None:
        try:
            self._advance(way)
        except Exception as error:  # noqa: BLE001 - a fault of our own costs one item, and never its batch again and again
            self._break_off(way, error)

    def _break_off(self, way: ItemWay, error: Exception) -> None:
        """A fault of our own: the item fails with it. Left to its lease, its batch would be taken up and break for ever."""
        log.error("An item broke off", run=str(self._tools.run_id), ordinal=way.ordinal, exc_info=error)
        self._open.pop(way.ordinal, None)
        self._drop_work_of(way)
        self._recorder.finished(self._record, finishing.broken_off(way, self._clock.now_us(), error))

    def _advance(self, way: ItemWay) -> None:
        """Run or skip every step of this item that is due; the rest follows when a step under way answers."""
        for step in self._plan.steps:
            if way.states[step.index] != OPEN:
                continue
            due = way.due(step)
            if due is None:
                continue
            if not due:
                way.skipped(step, way.why_not(step), explicit=False)
            elif not self._begin(way, step):
                return
        if not way.running and way not in self._timers:
            self._finish(way)

    def _begin(self, way: ItemWay, step: PlannedStep) -> bool:
        """Start a due step. False when the item goes no further here."""
        if way.not_before and (not_before := way.not_before.get(step.index)) is not None:
            if not_before > self._clock.now_us():
                self._timers.wait_until(way, not_before)
                return True
            del way.not_before[step.index]
        values = way.values
        values["input"] = value = way.input_of(step)
        began = self._clock.now_us()
        if step.when is not None:
            try:
                if not holds(step.when, step, values):
                    way.skipped(step, "`when` is false", explicit=True)
                    return True
            except Fail as fail:
                return self._answered(way, step, fail, began)
        attempt = way.attempts.get(step.index, 0) + 1
        if step.shape is Shape.COMPUTES:
            ctx = ItemContext(self._tools, way.ordinal, values, step.id, attempt)
            return self._answered(way, step, compute(step, ctx, value), began)
        if self._stood_still():
            # Somebody else may have paid for this step. What is done is recorded, if it still may be; the rest is given back.
            self.pause()
            return False
        # Other steps of the item may run beside this one: its names are its own.
        ctx = ItemContext(self._tools, way.ordinal, {**values, "steps": dict(way.outputs)}, step.id, attempt)
        way.states[step.index] = RUNNING
        way.running += 1
        task = asyncio.create_task(self._attend(way, step, ctx, value, began))
        self._tasks[task] = way
        task.add_done_callback(self._task_ended)
        return True

    async def _attend(self, way: ItemWay, step: PlannedStep, ctx: ItemContext, value: Any, began: int) -> None:
        outcome = await self._attempts.attend(step, ctx, value)
        if self._lost or way.ordinal not in self._open:
            return
        try:
            self._go_on(way, step, outcome, began)
        except Exception as error:  # noqa: BLE001 - the same as in `_advance_safely`
            self._break_off(way, error)

    def _go_on(self, way: ItemWay, step: PlannedStep, outcome: Outcome, began: int) -> None:
        way.running -= 1
        way.states[step.index] = OPEN
        if not self._answered(way, step, outcome, began):
            return
        way.fresh = True
        self._recorder.worth_keeping()
        if not self._pausing:
            self._advance(way)
        elif not way.running and OPEN not in way.states:
            self._finish(way)

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        self._changed.set()

    def _answered(self, way: ItemWay, step: PlannedStep, outcome: Outcome, began: int) -> bool:
        """Note what an attempt came to. False when the item ended with it."""
        ended = self._clock.now_us()
        match outcome:
            case Output():
                if outcome.effects and (fail := finishing.unstorable_effect(step.id, outcome.effects)) is not None:
                    return self._failed(way, step, fail, began, ended)
                way.completed(step, outcome.value, began, ended, outcome.branches, outcome.effects)
            case Skip():
                way.skipped(step, outcome.reason, explicit=True)
            case Retry():
                return self._failed_for_now(way, step, outcome, began, ended)
            case Fail():
                return self._failed(way, step, outcome, began, ended)
        return True

    def _failed_for_now(self, way: ItemWay, step: PlannedStep, retry: Retry, began: int, ended: int) -> bool:
        attempt = way.attempts.get(step.index, 0) + 1
        fail = Fail(retry.reason, code=retry.code)
        decision = decide(step.retry, attempt, retry.after, random.random())  # noqa: S311 - spreads load, guards nothing
        if isinstance(decision, GiveUp):
            return self._failed(way, step, fail, began, ended)
        due = ended + decision.after // timedelta(microseconds=1)
        way.retry_at(step, attempt, due, fail)
        self._recorder.worth_keeping()
        self._timers.wait_until(way, due)
        return True

    def _failed(self, way: ItemWay, step: PlannedStep, fail: Fail, began: int, ended: int) -> bool:
        way.failed(step, fail, began, ended)
        if step.on_failure is OnFailure.CONTINUE:
            return True
        way.end_with(step)
        stop = f"Step {step.id!r} failed: {storable(fail.reason)}" if step.on_failure is OnFailure.STOP_RUN else None
        self._finish(way, stop)
        return False

    def _finish(self, way: ItemWay, stop_reason: str | None = None) -> None:
        del self._open[way.ordinal]
        if self._tasks or self._timers:
            self._drop_work_of(way)
        self._recorder.finished(self._record, finishing.finish(way, self._clock.now_us(), stop_reason))

    # Retries

    def _try_again(self, way: ItemWay) -> None:
        if way.ordinal in self._open and not self._stopping:
            self._advance_safely(way)
        self._changed.set()

    def _ready_in(self) -> timedelta:
        """When a batch that is given back may be taken up again: at once, unless all that is left waits for a retry."""
        if self._waiting:
            return timedelta()
        now = self._clock.now_us()
        waits = [min(way.not_before.values(), default=now) for way in self._open.values()]
        return timedelta(microseconds=max(0, min(waits, default=now) - now))

    def _drop_work_of(self, way: ItemWay) -> None:
        """The item has ended: what of it is under way beside is no longer waited for."""
        self._timers.drop(way)
        for task, owner in self._tasks.items():
            if owner is way and task is not asyncio.current_task():
                task.cancel()

    def _drop_work(self) -> None:
        self._timers.drop_all()
        for task in self._tasks:
            task.cancel()
