"""Step types that speak: for tests of the log of a run."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any, ClassVar

from engine.step_types import NoConfig
from pydantic import BaseModel

from weft.domain.run import LogLevel
from weft.domain.step import Call, Retry, StepCategory, StepContext, StepType


class SaysConfig(BaseModel):
    lines: int = 1
    only: int | None = None
    """The ordinal of the one item that speaks; all do where it is left out."""
    message: str = "line"
    characters: int = 0


class Says(StepType[SaysConfig]):
    """Computes; each line says which it is."""

    kind = "test_says"
    title = "Says"
    description = "Writes lines into the log."
    category = StepCategory.PROCESSING
    Config = SaysConfig

    def run(self, ctx: StepContext, input: Any) -> Any:
        say(ctx, self.config)
        return input


class SaysAndWaits(StepType[SaysConfig]):
    """The same as a step that waits."""

    kind = "test_says_and_waits"
    title = "Says and waits"
    description = "Writes lines into the log, and waits."
    category = StepCategory.PROCESSING
    Config = SaysConfig

    async def run(self, ctx: StepContext, input: Any) -> Any:
        say(ctx, self.config)
        await asyncio.sleep(0.01)
        return input


class SaysTogether(StepType[SaysConfig]):
    """The same as a step that serves many."""

    kind = "test_says_together"
    title = "Says together"
    description = "Writes lines into the log for many items at once."
    category = StepCategory.PROCESSING
    Config = SaysConfig

    async def run_many(self, calls: Sequence[Call]) -> Sequence[Any]:
        for call in reversed(calls):
            say(call.ctx, self.config)
        return [call.input for call in calls]


class SaysOdd(StepType[NoConfig]):
    """A line for each odd value, under odd names."""

    kind = "test_says_odd"
    title = "Says odd things"
    description = "Writes odd lines into the log."
    category = StepCategory.PROCESSING
    Config = NoConfig
    values: ClassVar[dict[str, Any]] = {}

    def run(self, ctx: StepContext, input: Any) -> Any:
        for name, value in self.values.items():
            ctx.log(LogLevel.INFO, name, value=value, message="m", level=1, self=2)
        return input


class SaysFromThreads(StepType[NoConfig]):
    kind = "test_says_from_threads"
    title = "Says from threads"
    description = "Writes lines into the log from several threads at once."
    category = StepCategory.PROCESSING
    Config = NoConfig

    async def run(self, ctx: StepContext, input: Any) -> Any:
        def speak(name: str) -> None:
            for number in range(20):
                ctx.log(LogLevel.INFO, f"{name} {number} in {threading.current_thread() is threading.main_thread()}")

        await asyncio.gather(*(asyncio.to_thread(speak, name) for name in "abcd"))
        return input


class SaysForEver(StepType[NoConfig]):
    """Until its task is cancelled, and once more then."""

    kind = "test_says_for_ever"
    title = "Says for ever"
    description = "Writes lines into the log until it is stopped."
    category = StepCategory.PROCESSING
    Config = NoConfig

    async def run(self, ctx: StepContext, input: Any) -> Any:  # noqa: ARG002 - the words of the contract
        try:
            while True:
                ctx.log(LogLevel.INFO, "going on")
                await asyncio.sleep(0.3)
        finally:
            ctx.log(LogLevel.WARNING, "cancelled")


class SaysAndTriesAgain(StepType[SaysConfig]):
    kind = "test_says_and_tries_again"
    title = "Says and tries again"
    description = "Speaks in each of two attempts."
    category = StepCategory.PROCESSING
    Config = SaysConfig

    def run(self, ctx: StepContext, input: Any) -> Any:
        say(ctx, self.config)
        return Retry("the key sk-1 is not known here\0", code="BUSY") if ctx.attempt == 1 else input


def say(ctx: StepContext, config: SaysConfig) -> None:
    if config.only in {None, ctx.values["item"]["ordinal"]}:
        for number in range(config.lines):
            ctx.log(LogLevel.INFO, f"{config.message} {number}" + "x" * config.characters, number=number)


SPEAKING_TYPES = (Says, SaysAndWaits, SaysTogether, SaysOdd, SaysFromThreads, SaysForEver, SaysAndTriesAgain)
