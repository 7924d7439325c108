"""One attempt of one step, by the means of its shape."""

import asyncio
from collections.abc import Awaitable
from typing import Any, Protocol, cast

from weft.domain.step import Call, Fail, Outcome, Shape, StepContext
from weft.engine.microbatch import MicroBatches
from weft.engine.outcomes import is_cancelled, outcome_of, outcome_of_error, too_slow
from weft.engine.plan import PlannedStep
from weft.engine.sandbox.isolation import Isolation
from weft.kit.cel import CelEvaluationError, CelExpression


def holds(when: CelExpression, step: PlannedStep, values: dict[str, Any]) -> bool:
    """Whether the step's condition holds. Raises `Fail` when it cannot be told."""
    try:
        answer = when.evaluate(values)
    except CelEvaluationError as error:
        raise Fail(f"`when` of step {step.id!r} failed: {error}", code="WHEN_FAILED") from error
    if not isinstance(answer, bool):
        raise Fail(f"`when` of step {step.id!r} gave {answer!r:.100}, not true or false.", code="WHEN_FAILED")
    return answer


def compute(step: PlannedStep, ctx: StepContext, value: Any) -> Outcome:
    """An attempt of a step that computes: inline, without an await."""
    try:
        return outcome_of(step.type.run(ctx, value))
    except BaseException as error:  # noqa: BLE001 - a step is a plugin: whatever it raises ends its item, never the worker
        return outcome_of_error(error, step)


class Attending(Protocol):
    @property
    def inline(self) -> bool:
        """Whether steps that compute are run inline, and not asked for here."""
        ...

    @property
    def windows(self) -> MicroBatches | None:
        """Where the calls of steps that serve many are handed in at once; None where each of them is asked for here."""
        ...

    async def attend(self, step: PlannedStep, ctx: StepContext, value: Any) -> Outcome: ...


class Attempts:
    """Attempts of steps that do not compute inline: each by the means of its shape."""

    inline = True

    def __init__(self, microbatches: MicroBatches, isolation: Isolation) -> None:
        self.windows = microbatches
        self._isolation = isolation

    async def attend(self, step: PlannedStep, ctx: StepContext, value: Any) -> Outcome:
        """Runs until the step answers, or its time is up: then it counts as failed for now."""
        # A heavy step is timed by its sandbox, which leaves out the wait for a free one and can tell why it ended.
        limit = None if step.shape is Shape.HEAVY else step.timeout
        try:
            async with asyncio.timeout(limit.total_seconds() if limit else None):
                return outcome_of(await self._answer(step, ctx, value))
        except TimeoutError:
            return too_slow(step, limit)
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and is_cancelled():
                raise
            return outcome_of_error(error, step)

    async def _answer(self, step: PlannedStep, ctx: StepContext, value: Any) -> Any:
        match step.shape:
            case Shape.WAITS:
                return await cast("Awaitable[Any]", step.type.run(ctx, value))
            case Shape.SERVES_MANY:
                return await self.windows.call(step, Call(ctx, value))
            case Shape.HEAVY:
                async with step.type.supplied(ctx, value) as supplied:
                    return await self._isolation.run(step, ctx, supplied)
            case Shape.COMPUTES:
                return step.type.run(ctx, value)
