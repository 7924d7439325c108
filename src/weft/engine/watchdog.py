"""The watchdog: a thread that ends the worker when its event loop no longer turns, so that its supervisor replaces it.

A step that computes has the loop to itself. One that never returns takes everything from its worker: leases are not
renewed, signals are not heard. Nothing inside the loop can help, so a thread asks it every tick for a sign of life.

Time is counted in ticks of this thread, never by a clock: a process that was stopped, or got no processor, ticks no more
than its loop turns. Code that keeps the interpreter to itself (a native loop) stops this thread too. Against that stands a
timer of the kernel, which counts only processor time that was used: the thread winds it up again as long as it lives.

Until the patience ends the step may be an honest one: meanwhile the thread keeps the leases, or another worker would take
the batch over from one that is alive, and both would compute the same for ever.
"""

import asyncio
import faulthandler
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import timedelta
from types import FrameType
from typing import Any

import structlog

from weft.domain.step import Call, StepContext

log = structlog.get_logger(__name__)

STALLED = 70
"""The exit status of a worker that ended itself: "internal software error" of sysexits.h."""
TICK = timedelta(seconds=1)
LAST_WORDS_SECONDS = 2.0
"""For the log: the loop may stand still because nobody reads what we write."""
LINES_TOLD = 12
LONGEST_MEANWHILE_SECONDS = 3.0
"""What is counted of it: a process that was stopped in the middle did not stand still for so long."""


@contextmanager
def watched(
    loop: asyncio.AbstractEventLoop, patience: timedelta, look: timedelta, meanwhile: Callable[[], None]
) -> Generator[None]:
    """Ends this process when the loop, which has to be that of this thread, does not turn for longer than `patience`.

    It is looked at every `look` at the least; `meanwhile` is called in the watchdog's thread whenever it does not turn.
    """
    watchdog = Watchdog(loop, threading.get_ident(), patience.total_seconds(), look.total_seconds(), meanwhile)
    faulthandler.register(signal.SIGPROF, all_threads=True, chain=True)  # tells where, then ends the process
    watchdog.start()
    try:
        yield
    finally:
        watchdog.stop()
        faulthandler.unregister(signal.SIGPROF)


class Watchdog:
    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        thread: int,
        patience_seconds: float,
        look_seconds: float,
        meanwhile: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._watched = thread
        self._patience_seconds = patience_seconds
        self._tick_seconds = min(TICK.total_seconds(), look_seconds, patience_seconds / 5)
        self._meanwhile = meanwhile
        self._turned = True
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _watch(self) -> None:
        silent = 0.0
        while not self._stopped.wait(self._tick_seconds):
            if self._turned:
                silent, self._turned = 0.0, False
                # Half as much again: where this thread can act, it says more than the kernel does.
                signal.setitimer(signal.ITIMER_PROF, 1.5 * self._patience_seconds)
                self._loop.call_soon_threadsafe(self._sign_of_life)
            else:
                silent += self._tick_seconds
                if silent >= self._patience_seconds:
                    self._end(silent)
                silent += self._do_meanwhile()

    def _do_meanwhile(self) -> float:
        """How long it took, as far as it is not this process that stood still."""
        began = time.monotonic()
        try:
            self._meanwhile()
        except Exception as error:  # noqa: BLE001 - whatever it is, the watch goes on
            log.warning("The leases could not be renewed beside a step that computes", error=str(error))
        return min(time.monotonic() - began, LONGEST_MEANWHILE_SECONDS)

    def _sign_of_life(self) -> None:
        self._turned = True

    def _end(self, silent: float) -> None:
        signal.setitimer(signal.ITIMER_REAL, LAST_WORDS_SECONDS)
        frame = sys._current_frames().get(self._watched)  # noqa: SLF001 - documented, and the only way to ask
        log.critical(
            "The worker stood still and ends itself, to be replaced",
            seconds=round(silent, 1),
            step=step_under_way(frame),
            stack="".join(traceback.format_stack(frame)[-LINES_TOLD:]),
        )
        os._exit(STALLED)


def step_under_way(frame: FrameType | None) -> str | None:
    """Of a thread that stands still: the idempotency key of the call that it is in.

    Read from the local variables of its frames, which by contract hold the context or the calls that a step was handed:
    so an item that goes well pays nothing for it.
    """
    while frame is not None:
        ctx = frame.f_locals.get("ctx") or _first_of(frame.f_locals.get("calls"))
        if isinstance(ctx, StepContext):
            return ctx.idempotency_key
        frame = frame.f_back
    return None


def _first_of(calls: Any) -> StepContext | None:
    match calls:
        case [Call(ctx=ctx), *_]:
            return ctx
        case _:
            return None
