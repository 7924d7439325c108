"""Steps that serve many at once: calls that arrive close together become one.

The window opens with the first call. It closes when `WINDOW` has passed without another call, after `LONGEST_WINDOW`, or
when `MOST_CALLS` have come, whichever is first: a lone call waits a few milliseconds, and a batch is served as one.

There is no task and no future per call, which would cost more than most calls: whoever hands one in is called back, one
after the other, in slices that leave the loop to others.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from weft.domain.step import Call, Fail
from weft.engine.outcomes import is_cancelled, outcome_of_error, too_slow
from weft.engine.plan import PlannedStep

WINDOW = timedelta(milliseconds=5)
LONGEST_WINDOW = timedelta(milliseconds=50)
MOST_CALLS = 1_000
"""As many as the largest batch has (`batching`)."""
SLICE_NS = 2_000_000
"""Callers are told between two looks at the event loop."""


class Caller(ABC):
    """Who waits for the answer to one call."""

    __slots__ = ("gone",)

    def __init__(self) -> None:
        self.gone = False
        """It waits no longer. A call that was not made yet is left out; an answer is not told."""

    @abstractmethod
    def answered(self, answer: Any) -> None:
        """With what `run_many` gave for the call, or the signal of what became of it. Never raises."""


class MicroBatches:
    """The open windows of one worker, one per step of a workflow version."""

    def __init__(self) -> None:
        self._windows: dict[int, _Window] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        """The loop itself does not keep a task that only waits."""

    def add(self, step: PlannedStep, call: Call, caller: Caller) -> None:
        key = id(step.type)
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = _Window(step)
            self._look_later(key, window)
        window.calls.append(call)
        window.callers.append(caller)
        if len(window.calls) >= MOST_CALLS:
            self._close(key, window)

    async def call(self, step: PlannedStep, call: Call) -> Any:
        """The answer to this call; raises what became of it instead."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        caller = _Awaiting(answer)
        self.add(step, call, caller)
        try:
            given = await answer
        finally:
            caller.gone = True
        # As a value until here: futures refuse some exceptions, and hand some on in odd ways.
        if isinstance(given, BaseException):
            raise given
        return given

    def _look_later(self, key: int, window: "_Window") -> None:
        loop = asyncio.get_running_loop()
        window.timer = loop.call_later(WINDOW.total_seconds(), self._look, key, window, len(window.calls))

    def _look(self, key: int, window: "_Window", seen: int) -> None:
        if len(window.calls) == seen or time.monotonic() >= window.latest:
            self._close(key, window)
        else:
            self._look_later(key, window)

    def _close(self, key: int, window: "_Window") -> None:
        del self._windows[key]
        if window.timer is not None:
            window.timer.cancel()
        self._start(self._serve(window))

    def _start(self, work: Any) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _serve(self, window: "_Window") -> None:
        calls, callers = window.waiting()
        if not calls:
            return
        answers = await self._answers(window.step, calls)
        slice_ends = time.perf_counter_ns() + SLICE_NS
        for caller, answer in zip(callers, answers, strict=True):
            if not caller.gone:
                caller.answered(answer)
            if time.perf_counter_ns() >= slice_ends:
                await asyncio.sleep(0)
                slice_ends = time.perf_counter_ns() + SLICE_NS

    async def _answers(self, step: PlannedStep, calls: Sequence[Call]) -> Sequence[Any]:
        """Within the time that the step has. Who asked is answered then, even if what was asked refuses to end."""
        limit = step.timeout
        asked = self._start(_asked(step, calls))
        try:
            done, _ = await asyncio.wait((asked,), timeout=limit.total_seconds() if limit else None)
        finally:
            asked.cancel()
        return asked.result() if done else [too_slow(step, limit)] * len(calls)


class _Window:
    __slots__ = ("callers", "calls", "latest", "step", "timer")

    def __init__(self, step: PlannedStep) -> None:
        self.step = step
        self.calls: list[Call] = []
        self.callers: list[Caller] = []
        self.latest = time.monotonic() + LONGEST_WINDOW.total_seconds()
        self.timer: asyncio.TimerHandle | None = None

    def waiting(self) -> tuple[list[Call], list[Caller]]:
        """What somebody still waits for."""
        if not any(caller.gone for caller in self.callers):
            return self.calls, self.callers
        pairs = [pair for pair in zip(self.calls, self.callers, strict=True) if not pair[1].gone]
        return [call for call, _ in pairs], [caller for _, caller in pairs]


class _Awaiting(Caller):
    __slots__ = ("_answer",)

    def __init__(self, answer: asyncio.Future[Any]) -> None:
        super().__init__()
        self._answer = answer

    def answered(self, answer: Any) -> None:
        if not self._answer.done():
            self._answer.set_result(answer)


async def _asked(step: PlannedStep, calls: Sequence[Call]) -> Sequence[Any]:
    """One answer per call. What all of them come to is told, and logged, once."""
    try:
        return checked(step, calls, await step.type.run_many(calls))
    except BaseException as error:
        if isinstance(error, asyncio.CancelledError) and is_cancelled():
            raise
        return [_signal(error, step)] * len(calls)


def checked(step: PlannedStep, calls: Sequence[Call], answers: Sequence[Any]) -> Sequence[Any]:
    if len(answers) != len(calls):
        raise Fail(f"The step type {step.kind!r} gave {len(answers)} answers to {len(calls)} calls.", code="STEP_ERROR")
    return [_signal(answer, step) if isinstance(answer, BaseException) else answer for answer in answers]


def _signal(error: BaseException, step: PlannedStep) -> BaseException:
    return too_slow(step, None) if isinstance(error, TimeoutError) else outcome_of_error(error, step)
