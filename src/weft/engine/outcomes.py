"""What an answer means. Every way in which an attempt can end becomes one of four outcomes."""

import asyncio
from datetime import timedelta
from typing import Any

import structlog

from weft.domain.step import Fail, Outcome, Output, Retry, Skip, StepSignal
from weft.engine.plan import PlannedStep
from weft.kit.cel import CelEvaluationError

log = structlog.get_logger(__name__)

MESSAGE_LENGTH = 2_000
"""An exception may quote the whole document it failed on."""


def outcome_of(answer: Any) -> Outcome:
    if isinstance(answer, Output | Skip | Retry | Fail):
        return answer
    return Output(answer)


OUT_OF_MEMORY = Fail("The step needs more memory than there is for its worker.", code="STEP_OUT_OF_MEMORY")


def outcome_of_error(error: BaseException, step: PlannedStep) -> Skip | Retry | Fail:
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


def too_slow(step: PlannedStep, limit: timedelta | None) -> Retry:
    """What a step comes to whose time was up: by its `timeout`, or by a limit of its own."""
    if limit is None:
        return Retry(f"Step {step.id!r} gave up waiting.", code="TIMEOUT")
    return Retry(f"Step {step.id!r} did not answer within {limit.total_seconds():g} s.", code="TIMEOUT")


def is_cancelled() -> bool:
    """Whether somebody outside wants the task to end that runs."""
    return (task := asyncio.current_task()) is not None and task.cancelling() > 0
