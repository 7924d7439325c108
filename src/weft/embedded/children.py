"""Weft's own processes under the same supervision: the API and the workers of `weft up`."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from weft.embedded.supervisor import Supervisor
from weft.kit.process import Command
from weft.kit.together import together

_REFUSALS_ALLOWED = 6  # with the growing pauses about four seconds: a port in use, a broken setting


@dataclass(frozen=True)
class Child:
    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict[str, str])  # on top of ours

    @property
    def command(self) -> Command:
        # Killed with its parent: a graceful stop may hang when the services are gone, and the engine survives crashes.
        return Command(self.argv, env=os.environ | self.env, death_signal=signal.SIGKILL)

    async def prepare(self, log: IO[bytes]) -> None:
        """A process of ours finds what it needs by itself."""

    async def is_ready(self) -> bool:
        return True


class Children:
    """Runs the children until it is left; one that ends is started again.

    Their output goes to ours, or to the end of the file `log`. All are asked to stop at once with SIGTERM, and killed
    after the grace time.
    """

    def __init__(self, children: Sequence[Child], *, log: Path | None = None, grace_seconds: float = 10.0) -> None:
        self._children = children
        self._log_path = log
        self._grace_seconds = grace_seconds
        self._open = contextlib.AsyncExitStack()
        self._supervisors: dict[str, Supervisor] = {}

    @property
    def pids(self) -> dict[str, int | None]:
        return {name: supervisor.pid for name, supervisor in self._supervisors.items()}

    async def wait(self) -> None:
        """Waits for ever; raises ServiceFailedError when a child ended so often that it was given up."""
        await together(*(supervisor.wait() for supervisor in self._supervisors.values()))

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as opening:
            log = opening.enter_context(self._log_path.open("ab")) if self._log_path else sys.stderr.buffer
            opening.push_async_callback(self._stop)
            for child in self._children:
                supervisor = Supervisor(
                    child, log, grace_seconds=self._grace_seconds, refusals_allowed=_REFUSALS_ALLOWED
                )
                self._supervisors[child.name] = supervisor
                await supervisor.start()
            self._open = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    async def _stop(self) -> None:
        await asyncio.gather(*(supervisor.stop() for supervisor in self._supervisors.values()))


@contextlib.asynccontextmanager
async def ended_by_signals() -> AsyncGenerator[None]:
    """Lets SIGINT, SIGTERM and SIGHUP end the block: it is cancelled once, unwinds in order, and execution goes on after it."""
    task, loop, received = asyncio.current_task(), asyncio.get_running_loop(), list[signal.Signals]()
    if task is None:
        raise RuntimeError("ended_by_signals needs a task to cancel")

    def end_block(number: signal.Signals) -> None:
        if not received:  # a second one would cut the orderly stop short
            task.cancel()
        received.append(number)

    # One that is ignored already was ignored on purpose: nohup, a script's background job.
    chosen = [
        number
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is not signal.SIG_IGN
    ]
    for number in chosen:
        loop.add_signal_handler(number, end_block, number)
    try:
        yield
    except asyncio.CancelledError:
        if not received or task.uncancel() > 0:
            raise
    finally:
        for number in chosen:
            loop.remove_signal_handler(number)
