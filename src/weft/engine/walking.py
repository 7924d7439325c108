"""The general way of the items of a batch: each as far as it can go without waiting for the others.

Steps that compute run inline, one after the other. A step that waits becomes a task; when it answers, its item goes on.
A step that serves many is handed to its window, which calls back. There is no barrier between steps, and no task for an item
that only computes or is served.
"""

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import structlog

from weft.domain.definition import OnFailure
from weft.domain.step import Call, Fail, Outcome, Output, Retry, Shape, Skip
from weft.domain.usage import NO_USAGE
from weft.engine import finishing, words
from weft.engine.attempt import Attending, compute, holds
from weft.engine.context import BatchTools, ItemContext, SteadyClock
from weft.engine.course import Course
from weft.engine.item import OPEN, RUNNING, ItemWay
from weft.engine.microbatch import Caller
from weft.engine.outcomes import outcome_of
from weft.engine.plan import PlannedStep
from weft.engine.recorder import BatchRecord
from weft.engine.retry import GiveUp, decide
from weft.engine.run_here import RunHere
from weft.engine.straight import Departure
from weft.engine.timers import RetryTimers
from weft.kit.storable import storable

log = structlog.get_logger(__name__)


class Walk:
    def __init__(
        self,
        run: RunHere,
        record: BatchRecord,
        tools: BatchTools,
        attempts: Attending,
        clock: SteadyClock,
        course: Course,
        stood_still: Callable[[], bool],
    ) -> None:
        """`stood_still` tells whether this worker renewed its leases so long ago that others may hold its batches."""
        self._plan = run.plan
        self._recorder = run.recorder
        self._tools = tools
        self._record = record
        self._attempts = attempts
        self._clock = clock
        self._course = course
        self._stood_still = stood_still
        self.open: dict[int, ItemWay] = {}
        """By ordinal: the items that were begun and are not finished."""
        self.tasks: dict[asyncio.Task[None], ItemWay] = {}
        """The steps that are waited for."""
        self.callers: set[Caller] = set()
        """The calls in micro-batches that are waited for."""
        self.timers = RetryTimers(clock, self._try_again)

    @property
    def is_waiting(self) -> bool:
        """For a step to answer."""
        return bool(self.tasks or self.callers)

    def begin(self, way: ItemWay) -> None:
        self.open[way.ordinal] = way
        if way.ended_early is None:
            self._advance_safely(way)
        else:
            self._finish(way)

    def go_on(self, way: ItemWay, departure: Departure) -> None:
        """With an item that left the straight way."""
        self.open[way.ordinal] = way
        way.take_up(departure.records)
        try:
            if departure.step is None or departure.outcome is None:
                self._finish(way)
            elif self._answered(way, departure.step, departure.outcome, departure.began_us):
                self._go_further(way)
        except Exception as error:  # noqa: BLE001 - the same as in `_advance_safely`
            self.break_off(way, error)

    def ready_in(self) -> timedelta:
        """When what is open may be taken up again: at once, unless all of it waits for a retry."""
        now = self._clock.now_us()
        waits = [min(way.not_before.values(), default=now) for way in self.open.values()]
        return timedelta(microseconds=max(0, min(waits, default=now) - now))

    def drop_work(self) -> None:
        self.timers.drop_all()
        for task in self.tasks:
            task.cancel()
        for caller in self.callers:
            caller.gone = True
        self.callers.clear()

    def _advance_safely(self, way: ItemWay) -> None:
        try:
            self._advance(way)
        except Exception as error:  # noqa: BLE001 - a fault of our own costs one item, and never its batch again and again
            self.break_off(way, error)

    def break_off(self, way: ItemWay, error: Exception) -> None:
        """A fault of our own: the item fails with it. Left to its lease, its batch would be taken up and break for ever."""
        log.error("An item broke off", run=str(self._tools.run_id), ordinal=way.ordinal, exc_info=error)
        self.open.pop(way.ordinal, None)
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
        if not way.running and way not in self.timers:
            self._finish(way)

    def _begin(self, way: ItemWay, step: PlannedStep) -> bool:
        """Start a due step. False when the item goes no further here."""
        if way.not_before and (not_before := way.not_before.get(step.index)) is not None:
            if not_before > self._clock.now_us():
                self.timers.wait_until(way, not_before)
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
        if step.shape is Shape.COMPUTES and step.cache is None and self._attempts.inline:
            ctx = ItemContext(self._tools, way.ordinal, values, step.id, attempt)
            return self._answered(way, step, compute(step, ctx, value), began)
        if self._stood_still():
            # Somebody else may have paid for this step. What is done is recorded, if it still may be; the rest is given back.
            self._course.pause()
            return False
        # Other steps of the item may run beside this one: its names are its own.
        ctx = ItemContext(self._tools, way.ordinal, {**values, "steps": dict(way.outputs)}, step.id, attempt)
        way.states[step.index] = RUNNING
        way.running += 1
        if step.shape is Shape.SERVES_MANY and step.cache is None and (windows := self._attempts.windows) is not None:
            caller = _ServedStep(self, way, step, began)
            self.callers.add(caller)
            windows.add(step, Call(ctx, value), caller)
            return True
        task = asyncio.create_task(self._attend(way, step, ctx, value, began))
        self.tasks[task] = way
        task.add_done_callback(self._task_ended)
        return True

    async def _attend(self, way: ItemWay, step: PlannedStep, ctx: ItemContext, value: Any, began: int) -> None:
        self.came(way, step, await self._attempts.attend(step, ctx, value), began)

    def came(self, way: ItemWay, step: PlannedStep, outcome: Outcome, began: int) -> None:
        """The answer to a step that was waited for."""
        if self._course.lost or way.ordinal not in self.open:
            return
        try:
            self._answer_came(way, step, outcome, began)
        except Exception as error:  # noqa: BLE001 - the same as in `_advance_safely`
            self.break_off(way, error)

    def _answer_came(self, way: ItemWay, step: PlannedStep, outcome: Outcome, began: int) -> None:
        way.running -= 1
        way.states[step.index] = OPEN
        if not self._answered(way, step, outcome, began):
            return
        way.fresh = True
        self._recorder.worth_keeping()
        self._go_further(way)

    def _go_further(self, way: ItemWay) -> None:
        if not self._course.pausing:
            self._advance(way)
        elif not way.running and OPEN not in way.states:
            self._finish(way)

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        del self.tasks[task]
        self._course.changed.set()

    def call_ended(self, caller: Caller) -> None:
        self.callers.discard(caller)
        if not self.callers:
            self._course.changed.set()

    def _answered(self, way: ItemWay, step: PlannedStep, outcome: Outcome, began: int) -> bool:
        """Note what an attempt came to. False when the item ended with it."""
        ended = self._clock.now_us()
        match outcome:
            case Output():
                if outcome.effects and (fail := finishing.unstorable_effect(step.id, outcome.effects)) is not None:
                    return self._failed(way, step, fail, began, ended)
                saved = outcome.usage if outcome.from_cache else None
                if saved is None and outcome.usage is not NO_USAGE:
                    way.spent(step, outcome.usage)
                way.completed(step, outcome.value, began, ended, outcome.branches, outcome.effects, saved)
            case Skip():
                way.skipped(step, outcome.reason, explicit=True)
            case Retry():
                way.spent(step, outcome.usage)
                return self._failed_for_now(way, step, outcome, began, ended)
            case Fail():
                way.spent(step, outcome.usage)
                return self._failed(way, step, outcome, began, ended)
        return True

    def _failed_for_now(self, way: ItemWay, step: PlannedStep, retry: Retry, began: int, ended: int) -> bool:
        attempt = way.attempts.get(step.index, 0) + 1
        fail = Fail(retry.reason, code=retry.code)
        decision = decide(step.retry, attempt, retry.after, random.random())  # noqa: S311 - spreads load, guards nothing
        if isinstance(decision, GiveUp):
            return self._failed(way, step, fail, began, ended)
        wait = decision.after // timedelta(microseconds=1)
        due = ended + wait
        way.retry_at(step, attempt, due, fail, wait)
        self._record.log.say(
            way.ordinal, step.id, *words.retried(retry, attempt, step.retry.max_attempts, decision.after)
        )
        self._recorder.worth_keeping()
        self.timers.wait_until(way, due)
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
        del self.open[way.ordinal]
        if way.running or way in self.timers:
            self._drop_work_of(way)
        self._recorder.finished(self._record, finishing.finish(way, self._clock.now_us(), stop_reason))

    def _try_again(self, way: ItemWay) -> None:
        if way.ordinal in self.open and not self._course.stopping:
            self._advance_safely(way)
        self._course.changed.set()

    def _drop_work_of(self, way: ItemWay) -> None:
        """The item has ended: what of it is under way beside is no longer waited for."""
        self.timers.drop(way)
        for task, owner in self.tasks.items():
            if owner is way and task is not asyncio.current_task():
                task.cancel()
        for caller in [caller for caller in self.callers if isinstance(caller, _ServedStep) and caller.way is way]:
            caller.gone = True
            self.call_ended(caller)


class _ServedStep(Caller):
    """A step of an item on the general way, as a call of a micro-batch."""

    __slots__ = ("_began", "_step", "_walk", "way")

    def __init__(self, walk: Walk, way: ItemWay, step: PlannedStep, began: int) -> None:
        super().__init__()
        self.way = way
        self._walk = walk
        self._step = step
        self._began = began

    def answered(self, answer: Any) -> None:
        self._walk.came(self.way, self._step, outcome_of(answer), self._began)
        self._walk.call_ended(self)
