"""Step types for tests: they count what they do, wait for signals, and fail on demand."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar

from pydantic import BaseModel

from weft.domain.definition import RetryPolicy
from weft.domain.step import Call, Fail, Retry, Skip, StepCategory, StepContext, StepType


class NoConfig(BaseModel):
    pass


class Counting(StepType[NoConfig]):
    """Waits for nothing, but as a step that waits; counts its calls by idempotency key."""

    kind = "test_counting"
    title = "Counting"
    description = "Counts its calls."
    category = StepCategory.PROCESSING
    Config = NoConfig
    calls: ClassVar[Counter[str]] = Counter()

    async def run(self, ctx: StepContext, input: Any) -> Any:
        self.calls[ctx.idempotency_key] += 1
        await asyncio.sleep(0)
        return input


class Gate(StepType[NoConfig]):
    """Waits until the test opens it."""

    kind = "test_gate"
    title = "Gate"
    description = "Waits for a signal."
    category = StepCategory.PROCESSING
    Config = NoConfig
    opened: ClassVar[asyncio.Event] = asyncio.Event()
    waiting: ClassVar[list[str]] = []

    async def run(self, ctx: StepContext, input: Any) -> Any:
        self.waiting.append(ctx.idempotency_key)
        await self.opened.wait()
        return input


class SometimesConfig(BaseModel):
    fail_first: int = 0
    """How many attempts fail before one succeeds."""
    fail_where: int | None = None
    """Items whose ordinal divides by this number fail for good."""
    skip_where: int | None = None
    delay_ms: int = 0


class Sometimes(StepType[SometimesConfig]):
    kind = "test_sometimes"
    title = "Sometimes"
    description = "Fails on demand."
    category = StepCategory.PROCESSING
    Config = SometimesConfig
    default_retry = RetryPolicy(max_attempts=3, initial_delay=timedelta(milliseconds=10))

    async def run(self, ctx: StepContext, input: Any) -> Any:  # noqa: ARG002 - the words of the contract
        ordinal = ctx.values["item"]["ordinal"]
        await asyncio.sleep(self.config.delay_ms / 1000)
        if self.config.skip_where is not None and ordinal % self.config.skip_where == 0:
            raise Skip("not this one")
        if self.config.fail_where is not None and ordinal % self.config.fail_where == 0:
            raise Fail(f"item {ordinal} is broken", code="BROKEN", details={"ordinal": ordinal})
        if ctx.attempt <= self.config.fail_first:
            raise Retry("come back later")
        return {"attempt": ctx.attempt}


class Crowd(StepType[NoConfig]):
    """Serves many at once; remembers how many came together."""

    kind = "test_crowd"
    title = "Crowd"
    description = "Serves many at once."
    category = StepCategory.PROCESSING
    Config = NoConfig
    sizes: ClassVar[list[int]] = []

    async def run_many(self, calls: Sequence[Call]) -> Sequence[Any]:
        self.sizes.append(len(calls))
        return [
            Fail("the third is not served") if call.ctx.values["item"]["ordinal"] == 2 else {"with": len(calls)}
            for call in calls
        ]


class Raises(StepType[NoConfig]):
    kind = "test_raises"
    title = "Raises"
    description = "Has a bug."
    category = StepCategory.PROCESSING
    Config = NoConfig

    def run(self, ctx: StepContext, input: Any) -> Any:  # noqa: ARG002 - the words of the contract
        return 1 // 0


class Unstorable(StepType[NoConfig]):
    kind = "test_unstorable"
    title = "Unstorable"
    description = "Gives what is no JSON."
    category = StepCategory.PROCESSING
    Config = NoConfig

    def run(self, ctx: StepContext, input: Any) -> Any:  # noqa: ARG002 - the words of the contract
        return {"when": object()}


TEST_TYPES = [Counting, Gate, Sometimes, Crowd, Raises, Unstorable]
