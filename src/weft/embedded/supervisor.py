"""Keeps one service running: starts it, notices its end, starts it again with growing pauses."""

import asyncio
import contextlib
import os
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO

from weft.embedded.errors import ServiceFailedError
from weft.embedded.service import Service
from weft.kit.process import ChildProcess, spawn

_READY_SECONDS = 120.0  # PostgreSQL replays up to 1 GB of its log after a crash
_POLL_SECONDS = 0.02
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
_FIRST_SYSEXIT = 64  # from here on a program says that something failed within; below, that it cannot start, or why not
_STEADY_SECONDS = 10.0  # one that ran this long has recovered: its next end is a new trouble


def next_pause(deaths_in_a_row: int) -> float:
    return min(_FIRST_PAUSE_SECONDS * 2 ** min(deaths_in_a_row - 1, 10), _LONGEST_PAUSE_SECONDS)


@dataclass(frozen=True, slots=True)
class _End:
    told: str
    refused: bool
    misconfigured: bool = False


class Supervisor:
    def __init__(
        self, service: Service, log: IO[bytes], *, grace_seconds: float, refusals_allowed: int | None = None
    ) -> None:
        """`refusals_allowed`: after that many ends of its own in a row it is given up, and `wait` raises. None: never.

        One that was killed, or broke within, is always started again: what it worked on may have done that. One that ends
        with `os.EX_CONFIG` is given up at once, unless it has worked before: then it is not the configuration alone.
        """
        self._service = service
        self._log = log
        self._grace_seconds = grace_seconds
        self._refusals_allowed = refusals_allowed
        self._child: ChildProcess | None = None
        self._answers = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Of the running child, None while there is none."""
        return self._child.pid if self._child is not None and self._child.running else None

    async def start(self) -> None:
        """Returns when the service answers; raises when it ends instead."""
        await self._start_once()
        self._keeping = asyncio.create_task(self._keep(), name=f"keep-{self._service.name}")

    async def ready(self) -> None:
        """Returns when it answers, as far as is known."""
        await self._answers.wait()

    async def wait(self) -> None:
        """Returns when it was stopped; raises ServiceFailedError when it was given up."""
        if self._keeping is not None:
            await asyncio.wait([self._keeping])
            if not self._keeping.cancelled():
                self._keeping.result()

    async def stop(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
        if self._child is not None and self._child.running:
            await self._child.stop(self._grace_seconds)

    async def _keep(self) -> None:
        deaths, refusals, started, has_worked = 0, 0, time.monotonic(), False
        while True:
            end = await self._end_of_child()
            self._answers.clear()
            if time.monotonic() - started > _STEADY_SECONDS:
                deaths, refusals, has_worked = 0, 0, True
            deaths += 1
            refusals = refusals + 1 if end.refused else 0
            if self._refusals_allowed is not None and end.misconfigured and not has_worked:
                raise ServiceFailedError(f"{self._service.name} cannot start: the reason stands {self._where()}.")
            if refusals == self._refusals_allowed:
                raise ServiceFailedError(
                    f"{end.told}, {refusals} times in a row: given up, see its log {self._where()}"
                )
            self._report(f"{end.told}; starting it again in {next_pause(deaths):.1f} s")
            await asyncio.sleep(next_pause(deaths))
            started = time.monotonic()
            try:
                await self._start_once()
            except (ServiceFailedError, OSError) as error:
                self._report(str(error))

    async def _end_of_child(self) -> _End:
        if self._child is None:
            return _End(f"{self._service.name} is not running", refused=False)
        code = await self._child.wait()
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        misconfigured = code == os.EX_CONFIG
        return _End(
            f"{self._service.name} (process {self._child.pid}) {how}",
            refused=0 <= code < _FIRST_SYSEXIT or misconfigured,
            misconfigured=misconfigured,
        )

    def _where(self) -> str:
        return "above" if self._log is sys.stderr.buffer else f"in {self._log.name}"

    async def _start_once(self) -> None:
        self._answers.clear()
        await self._service.prepare(self._log)
        child = self._child = spawn(self._service.command, self._log)
        deadline = time.monotonic() + _READY_SECONDS
        while not await self._service.is_ready():
            if not child.running:
                raise ServiceFailedError(f"{(await self._end_of_child()).told} at its start, see {self._log.name}")
            if time.monotonic() > deadline:
                await child.stop(self._grace_seconds)
                raise ServiceFailedError(
                    f"{self._service.name} does not answer after {_READY_SECONDS:.0f} s, see {self._log.name}"
                )
            await asyncio.sleep(_POLL_SECONDS)
        self._answers.set()

    def _report(self, text: str) -> None:
        with contextlib.suppress(OSError):  # a full disk must not end the supervision
            self._log.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} weft: {text}\n".encode())
            self._log.flush()
