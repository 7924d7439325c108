"""Step types that end, hang or burst the worker that runs them, for the items that their config names.

A worker process finds them as it finds those of any other package: by an entry point.
"""

import asyncio
import ctypes
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from weft.domain.step import Call, StepCategory, StepContext, StepType

GIGABYTE = 1024**3


class PoisonConfig(BaseModel):
    how: Mapping[str, list[int]]
    """Name of a poison below to the ordinals of the items that it is given to."""
    wait_ms: int = 0
    note: Path | None = None
    """A file that gets a line for each item that is begun: its ordinal, and our process."""


def _endless() -> Any:
    while True:
        pass


def _native_loop() -> Any:
    """Keeps the interpreter to itself for some hundred years."""
    return re.match(r"(a+)+$", "a" * 60 + "b")


def _slow() -> Any:
    """Computes for two seconds, and is none: it gives its answer."""
    ends = time.monotonic() + 2
    while time.monotonic() < ends:
        pass
    return {"slow": True}


def _raise(error: BaseException) -> Any:
    raise error


def _recursion() -> Any:
    return _recursion()


POISONS: dict[str, Callable[[], Any]] = {
    "endless": _endless,
    "native": _native_loop,
    "slow": _slow,
    "blocked": lambda: time.sleep(1_000),
    "segfault": lambda: ctypes.string_at(0),
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "gone": lambda: os._exit(3),
    "exits": lambda: sys.exit(3),
    "interrupts": lambda: _raise(KeyboardInterrupt()),
    "cancels": lambda: _raise(asyncio.CancelledError()),
    "closes": lambda: _raise(GeneratorExit()),
    "recurses": _recursion,
    "allocates": lambda: bytearray(100 * GIGABYTE),
    "gigabyte": lambda: {"text": "x" * GIGABYTE},
    "large": lambda: {"text": "x" * (GIGABYTE // 4)},
    "prints": lambda: [sys.stdout.write("x" * 1024 * 1024) for _ in range(1024)],
}


def poisoned(config: PoisonConfig, ctx: StepContext) -> Any:
    ordinal = ctx.values["item"]["ordinal"]
    if config.note is not None:
        with config.note.open("a", encoding="utf-8") as file:
            file.write(f"{ordinal} {os.getpid()}\n")
    for name, ordinals in config.how.items():
        if ordinal in ordinals:
            return POISONS[name]()
    return {"fine": ordinal}


class PoisonInline(StepType[PoisonConfig]):
    kind = "poison_inline"
    title = "Poison"
    description = "Poisons its worker, inline."
    category = StepCategory.PROCESSING
    Config = PoisonConfig

    def run(self, ctx: StepContext, input: Any) -> Any:  # noqa: ARG002 - the words of the contract
        return poisoned(self.config, ctx)


class PoisonAwaited(StepType[PoisonConfig]):
    kind = "poison_awaited"
    title = "Poison awaited"
    description = "Poisons its worker after a wait."
    category = StepCategory.PROCESSING
    Config = PoisonConfig

    async def run(self, ctx: StepContext, input: Any) -> Any:  # noqa: ARG002 - the words of the contract
        await asyncio.sleep(self.config.wait_ms / 1000)
        return poisoned(self.config, ctx)


class PoisonMany(StepType[PoisonConfig]):
    kind = "poison_many"
    title = "Poison many"
    description = "Poisons its worker while it serves many."
    category = StepCategory.PROCESSING
    Config = PoisonConfig

    async def run_many(self, calls: Sequence[Call]) -> Sequence[Any]:
        return [poisoned(self.config, call.ctx) for call in calls]


class PoisonHeavy(StepType[PoisonConfig]):
    kind = "poison_heavy"
    title = "Poison heavy"
    description = "Poisons its sandbox."
    category = StepCategory.PROCESSING
    Config = PoisonConfig
    isolated = True

    def run(self, ctx: StepContext, input: Any) -> Any:  # noqa: ARG002 - the words of the contract
        return poisoned(self.config, ctx)


POISON_TYPES = [PoisonInline, PoisonAwaited, PoisonMany, PoisonHeavy]
