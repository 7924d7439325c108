"""One process of the system: its start, its end, its CPU, its memory."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Self

import psutil

from weft.kit.process import ChildProcess, Command, spawn

START_SECONDS = 60.0
GRACE_SECONDS = 15.0
MIB = 1024 * 1024


class BenchmarkError(Exception):
    """A figure cannot be measured."""


@dataclass(frozen=True, slots=True)
class Process:
    name: str
    child: ChildProcess
    log: Path

    @classmethod
    def start(cls, name: str, module: str, *arguments: str, env: Mapping[str, str], folder: Path) -> Self:
        """A module of Python as a process that ends with ours; what it says goes into a file of the folder."""
        log = folder / f"{name}.log"
        with log.open("wb") as output:
            argv = (sys.executable, "-m", module, *arguments)
            return cls(name, spawn(Command(argv, env=os.environ | env), output), log)

    @property
    def pid(self) -> int:
        return self.child.pid

    async def said(self, words: str) -> None:
        """Returns when it has said this."""
        try:
            async with asyncio.timeout(START_SECONDS):
                while words not in self.output():
                    if not self.child.running:
                        raise BenchmarkError(f"The process {self.name} ended. It said:\n{self.output()}")
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise BenchmarkError(
                f"The process {self.name} was not ready within {START_SECONDS:g} s. It said:\n{self.output()}"
            ) from None

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    async def stop(self) -> None:
        if self.child.running:
            await self.child.stop(GRACE_SECONDS)


def cpu_seconds(pid: int) -> float:
    """Of a process and its children, those that have ended included."""
    root = psutil.Process(pid)
    spent = 0.0
    for process in (root, *root.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            spent += times.user + times.system + times.children_user + times.children_system
    return spent


@dataclass(slots=True)
class Memory:
    """The resident memory of a process over a while, in MiB."""

    samples: list[float] = field(default_factory=list[float])

    @property
    def peak(self) -> float:
        return max(self.samples)

    @property
    def growth(self) -> float:
        """The last quarter against the second: in the first one caches and buffers fill."""
        quarter = max(1, len(self.samples) // 4)
        return median(self.samples[-quarter:]) / median(self.samples[quarter : 2 * quarter] or self.samples)


@asynccontextmanager
async def memory_watched(*pids: int, every: float = 0.1) -> AsyncGenerator[list[Memory]]:
    """The memory of each of the processes while the block runs."""
    memories = [Memory() for _ in pids]
    processes = [psutil.Process(pid) for pid in pids]

    def look() -> None:
        for process, memory in zip(processes, memories, strict=True):
            memory.samples.append(process.memory_info().rss / MIB)

    async def keep_looking() -> None:
        while True:
            look()
            await asyncio.sleep(every)

    looking = asyncio.create_task(keep_looking())
    try:
        yield memories
        look()
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
