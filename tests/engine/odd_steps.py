"""Step types that behave as no step should."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar, cast

from engine.step_types import NoConfig

from weft.domain.step import Call, Effect, Fail, Output, Skip, StepCategory, StepContext, StepType


class CancelsItself(StepType[NoConfig]):
    kind = "test_cancels_itself"
    title = "Cancels itself"
    description = "Awaits a task that somebody cancelled."
    category = StepCategory.PROCESSING
    Config = NoConfig
    calls: ClassVar[Counter[str]] = Counter()

    async def run(self, ctx: StepContext, input: Any) -> Any:  # noqa: ARG002 - the words of the contract
        self.calls[ctx.idempotency_key] += 1
        inner = asyncio.create_task(asyncio.sleep(10))
        inner.cancel()
        await inner


class CancelsTheCrowd(StepType[NoConfig]):
    kind = "test_cancels_the_crowd"
    title = "Cancels the crowd"
    description = "Is cancelled while it serves many."
    category = StepCategory.PROCESSING
    Config = NoConfig

    async def run_many(self, calls: Sequence[Call]) -> Sequence[Any]:  # noqa: ARG002 - the words of the contract
        raise asyncio.CancelledError


class NoEffect(StepType[NoConfig]):
    kind = "test_no_effect"
    title = "No effect"
    description = "Breaks the contract of effects for every third item."
    category = StepCategory.PROCESSING
    Config = NoConfig

    def run(self, ctx: StepContext, input: Any) -> Any:  # noqa: ARG002 - the words of the contract
        if ctx.values["item"]["ordinal"] % 3 == 0:
            return Output({}, effects=(cast("Effect", "no effect at all"),))
        return {}


class Declines(StepType[NoConfig]):
    kind = "test_declines"
    title = "Declines"
    description = "Skips every item."
    category = StepCategory.PROCESSING
    Config = NoConfig

    async def run(self, ctx: StepContext, input: Any) -> Any:  # noqa: ARG002 - the words of the contract
        raise Skip("not for me")


class FailsLate(StepType[NoConfig]):
    kind = "test_fails_late"
    title = "Fails late"
    description = "Fails when the others have completed."
    category = StepCategory.PROCESSING
    Config = NoConfig

    async def run(self, ctx: StepContext, input: Any) -> Any:  # noqa: ARG002 - the words of the contract
        await asyncio.sleep(0.05)
        raise Fail("too late", code="LATE")


class Slow(StepType[NoConfig]):
    """Waits longer than the leases of its test."""

    kind = "test_slow"
    title = "Slow"
    description = "Takes its time."
    category = StepCategory.PROCESSING
    Config = NoConfig
    calls: ClassVar[Counter[str]] = Counter()

    async def run(self, ctx: StepContext, input: Any) -> Any:
        self.calls[ctx.idempotency_key] += 1
        await asyncio.sleep(1.5)
        return input


ODD_TYPES = [CancelsItself, CancelsTheCrowd, NoEffect, Declines, FailsLate, Slow]
