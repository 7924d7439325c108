"""One call of a heavy step: how it is handed over, and what it means when the sandbox ends without an answer."""

import math
import signal
from datetime import timedelta
from typing import Any

from weft.domain.step import Fail, StepContext
from weft.engine.plan import PlannedStep
from weft.kit.json import dump_bytes

INPUT_BYTES = 64 * 1024 * 1024


def encoded_call(step: PlannedStep, ctx: StepContext, value: Any, limit: timedelta) -> bytes:
    values = dict(ctx.values)
    call: dict[str, Any] = {
        "values": values,
        "attempt": ctx.attempt,
        "idempotencyKey": ctx.idempotency_key,
        "seconds": math.ceil(limit.total_seconds()),
    }
    if values.get("input") is not value or value is None:
        call["input"] = value  # otherwise it is there already: a document is sent once
    try:
        encoded = dump_bytes(call)
    except (TypeError, RecursionError) as error:  # orjson's own errors are TypeErrors
        reason = f"What comes into step {step.id!r} is not JSON: {error}."
        raise Fail(reason, code="STEP_INPUT_NOT_JSON") from error
    if len(encoded) > INPUT_BYTES:
        reason = f"What comes into step {step.id!r} has {len(encoded):,} bytes; at most {INPUT_BYTES:,} are allowed."
        raise Fail(reason, code="STEP_INPUT_TOO_LARGE")
    return encoded


_OUT_OF_MEMORY = (b"memory allocation of", b"std::bad_alloc", b"Out of memory")
"""What Rust, C++ and others print before they abort a process that gets no more memory."""


def cause_of_end(code: int | None, limit: timedelta, printed: bytes = b"") -> Fail:
    """What a sandbox's exit code, and what it printed last, say about the call during which it ended by itself."""
    if code is None or code >= 0:
        return Fail(f"The step ended its process (exit code {code}).", code="STEP_CRASHED")
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    match name:
        case "SIGKILL":
            reason = "The system killed the process of the step, most likely for want of memory."
            return Fail(reason, code="STEP_OUT_OF_MEMORY")
        case "SIGABRT" if any(said in printed for said in _OUT_OF_MEMORY):
            return Fail("The step needs more memory than it may use.", code="STEP_OUT_OF_MEMORY")
        case "SIGXCPU":
            reason = f"The step used more processor time than {limit.total_seconds():g} s allow, and was ended."
            return Fail(reason, code="STEP_TIMEOUT")
        case _:
            return Fail(f"The step crashed its process ({name}).", code="STEP_CRASHED", details={"signal": name})
