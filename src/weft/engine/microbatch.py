"""Steps that serve many at once: calls that arrive within a short window become one.

The window opens with the first call. It closes after `WINDOW`, or when `MOST_CALLS` have come, whichever is first, so a
lone call waits a few milliseconds and a flood is served in large groups.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from weft.domain.step import Call, Fail
from weft.engine.plan import PlannedStep

WINDOW = timedelta(milliseconds=5)
MOST_CALLS = 500


class MicroBatches:
    """The open windows of one worker, one per step of a workflow version."""

    def __init__(self) -> None:
        self._windows: dict[int, _Window] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        """The loop itself does not keep a task that only waits."""

    async def call(self, step: PlannedStep, call: Call) -> Any:
        """The answer to this call; raises what `run_many` raised for all of them."""
        key = id(step.type)
        window = self._windows.get(key)
        if window is None or window.is_full:
            window = _Window(step)
            self._windows[key] = window
            task = asyncio.create_task(self._serve(key, window))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        answer = await window.add(call)
        # As a value until here: futures refuse some exceptions, and hand some on in odd ways.
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def _serve(self, key: int, window: "_Window") -> None:
        await window.closed()
        if self._windows.get(key) is window:
            del self._windows[key]
        await window.serve()


class _Window:
    def __init__(self, step: PlannedStep) -> None:
        self._step = step
        self._calls: list[Call] = []
        self._answers: list[asyncio.Future[Any]] = []
        self._full = asyncio.Event()

    @property
    def is_full(self) -> bool:
        return self._full.is_set()

    def add(self, call: Call) -> asyncio.Future[Any]:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._calls.append(call)
        self._answers.append(answer)
        if len(self._calls) >= MOST_CALLS:
            self._full.set()
        return answer

    async def closed(self) -> None:
        try:
            async with asyncio.timeout(WINDOW.total_seconds()):
                await self._full.wait()
        except TimeoutError:
            self._full.set()

    async def serve(self) -> None:
        # A caller that gave up (timeout, cancel) has cancelled its future; its call is left out.
        waiting = [pair for pair in zip(self._calls, self._answers, strict=True) if not pair[1].done()]
        calls = [call for call, _ in waiting]
        if not calls:
            return
        limit = self._step.timeout
        try:
            # Nobody waits longer for an answer: a call that hangs must not live on behind those who gave up.
            async with asyncio.timeout(limit.total_seconds() if limit else None):
                answers = checked(self._step, calls, await self._step.type.run_many(calls))
        except asyncio.CancelledError:
            for _, future in waiting:
                future.cancel()
            raise
        except BaseException as error:  # noqa: BLE001 - handed to every caller, which knows what it means
            answers = [error] * len(calls)
        for (_, future), answer in zip(waiting, answers, strict=True):
            if not future.done():
                future.set_result(answer)


def checked(step: PlannedStep, calls: Sequence[Call], answers: Sequence[Any]) -> Sequence[Any]:
    if len(answers) != len(calls):
        raise Fail(f"The step type {step.kind!r} gave {len(answers)} answers to {len(calls)} calls.", code="STEP_ERROR")
    return answers
