"""Step types that cost something, and count what they do."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any, ClassVar

from pydantic import BaseModel

from weft.domain.definition import RetryPolicy
from weft.domain.ids import new_id
from weft.domain.step import (
    Fail,
    Output,
    PublishEntity,
    Retry,
    SendMessage,
    StepCategory,
    StepContext,
    StepScope,
    StepType,
)
from weft.domain.usage import Usage

PRICE = Usage(calls=1, input_tokens=100, output_tokens=10, cached_tokens=40, cost_nanos=1_500)
FAILED_PRICE = Usage(calls=1, input_tokens=100, cost_nanos=1_000)


class AskConfig(BaseModel):
    text: str = "{{ title }}"
    fail_first: int = 0
    """Attempts that are paid and fail before one succeeds."""
    fail: bool = False
    delay_ms: int = 0
    looks_at: str | None = None
    """A name in scope that it takes by itself."""


class Ask(StepType[AskConfig]):
    """Costs `PRICE` an answer, and `FAILED_PRICE` a failure. Counts its calls by the text it was asked."""

    kind = "test_ask"
    title = "Ask"
    description = "Stands for a model."
    category = StepCategory.AI
    Config = AskConfig
    default_retry = RetryPolicy(max_attempts=5, initial_delay=timedelta(milliseconds=1))
    calls: ClassVar[Counter[str]] = Counter()

    def prepare(self, scope: StepScope) -> None:
        self._text = scope.template(self.config.text, "text")

    async def run(self, ctx: StepContext, input: Any) -> Any:  # noqa: ARG002 - the words of the contract
        text = self._text.render(ctx.values)
        self.calls[text] += 1
        await asyncio.sleep(self.config.delay_ms / 1000)
        if self.config.fail:
            raise Fail("no answer", code="REFUSED", usage=FAILED_PRICE)
        if ctx.attempt <= self.config.fail_first:
            raise Retry("busy", usage=FAILED_PRICE)
        if self.config.looks_at is not None:
            return Output({"saw": sorted(ctx.values)}, usage=PRICE)
        return Output({"answer": text.upper()}, usage=PRICE)


class Shout(StepType[AskConfig]):
    """Computes, and counts its calls."""

    kind = "test_shout"
    title = "Shout"
    description = "Computes."
    category = StepCategory.PROCESSING
    Config = AskConfig
    calls: ClassVar[Counter[str]] = Counter()

    def prepare(self, scope: StepScope) -> None:
        self._text = scope.template(self.config.text, "text")

    def run(self, ctx: StepContext, input: Any) -> Any:  # noqa: ARG002 - the words of the contract
        text = self._text.render(ctx.values)
        self.calls[text] += 1
        return {"said": text.upper()}


class Tell(StepType[AskConfig]):
    """Sends a message, and writes into the entity; either is an effect."""

    kind = "test_tell"
    title = "Tell"
    description = "Has effects."
    category = StepCategory.OUTPUT
    Config = AskConfig

    async def run(self, ctx: StepContext, input: Any) -> Any:
        message = SendMessage(new_id(), "nobody", {"text": ctx.idempotency_key})
        return Output(input, effects=(message, PublishEntity({"gross": 1.5}, publish=False)))


MODEL_TYPES = [Ask, Shout, Tell]
