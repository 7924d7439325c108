"""One attempt of one step, and what its answer means. Every way in which a step can end becomes one of four outcomes."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any, Protocol, cast

import structlog

from weft.domain.step import Call, Fail, Outcome, Output, Retry, Shape, Skip, StepContext, StepSignal
from weft.engine.microbatch import MicroBatches
from weft.engine.plan import PlannedStep
from weft.engine.sandbox.isolation import Isolation
from weft.kit.cel import CelEvaluationError, CelExpression

log = structlog.get_logger(__name__)

MESSAGE_LENGTH = 2_000
"""An exception may quote the whole document it failed on."""


def outcome_of(answer: Any) -> Outcome:
    if isinstance(answer, Output | Skip | Retry | Fail):
        return answer
    return Output(answer)


OUT_OF_MEMORY = Fail("The step needs more memory than there is for its worker.", code="STEP_OUT_OF_MEMORY")


def outcome_of_error(error: BaseException, step: PlannedStep) -> Outcome:
    """What a raised exception means: a signal is itself; anything else is a failure that names what was raised.

    Whatever it is: what ends a process when nobody catches it would otherwise end the worker, item after item.
    """
    match error:
        case Skip() | Retry() | Fail():
            return error
        case MemoryError():
            # Not logged with its traceback: the frames hold what has to be freed.
            log.warning("A step ran out of memory", step=step.id, kind=step.kind)
            return OUT_OF_MEMORY
        case SystemExit() | KeyboardInterrupt():
            # The real signals come to the worker through its loop, never through a step.
            told = f"sys.exit({error.code!r:.100})" if isinstance(error, SystemExit) else "KeyboardInterrupt"
            return Fail(f"The step tried to end its worker: {told}.", code="STEP_EXITED")
        case asyncio.CancelledError():
            # Something inside the step was cancelled, not the step: without an answer its item would never end.
            return Retry(f"Step {step.id!r} was cancelled from within.", code="CANCELLED")
        case StepSignal():
            return Fail(str(error))
        case CelEvaluationError():
            return Fail(str(error), code="EXPRESSION_FAILED")
        case _:
            log.warning("A step raised an unexpected error", step=step.id, kind=step.kind, exc_info=error)
            return Fail(f"{type(error).__name__}: {error}"[:MESSAGE_LENGTH], code="STEP_ERROR")


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

    async def attend(self, step: PlannedStep, ctx: StepContext, value: Any) -> Outcome: ...


class Attempts:
    """Attempts of steps that do not compute inline: each by the means of its shape."""

    inline = True

    def __init__(self, microbatches: MicroBatches, isolation: Isolation) -> None:
        self._microbatches = microbatches
        self._isolation = isolation

    async def attend(self, step: PlannedStep, ctx: StepContext, value: Any) -> Outcome:
        """Runs until the step answers, or its time is up: then it counts as failed for now."""
        # A heavy step is timed by its sandbox, which leaves out the wait for a free one and can tell why it ended.
        limit = None if step.shape is Shape.HEAVY else step.timeout
        try:
            async with asyncio.timeout(limit.total_seconds() if limit else None):
                return outcome_of(await self._answer(step, ctx, value))
        except TimeoutError:
            return Retry(_too_slow(step, limit), code="TIMEOUT")
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and _is_cancelled():
                raise
            return outcome_of_error(error, step)

    async def _answer(self, step: PlannedStep, ctx: StepContext, value: Any) -> Any:
        match step.shape:
            case Shape.WAITS:
                return await cast("Awaitable[Any]", step.type.run(ctx, value))
            case Shape.SERVES_MANY:
                return await self._microbatches.call(step, Call(ctx, value))
            case Shape.HEAVY:
                async with step.type.supplied(ctx, value) as supplied:
                    return await self._isolation.run(step, ctx, supplied)
            case Shape.COMPUTES:
                return step.type.run(ctx, value)


def _is_cancelled() -> bool:
    """Whether somebody outside wants the task to end that runs."""
    return (task := asyncio.current_task()) is not None and task.cancelling() > 0


def _too_slow(step: PlannedStep, limit: timedelta | None) -> str:
    if limit is None:
        return f"Step {step.id!r} gave up waiting."
    return f"Step {step.id!r} did not answer within {limit.total_seconds():g} s."
