"""What a worker and its sandboxes say to each other: JSON objects, each behind its length, over a socket pair.

| from | message | meaning |
|---|---|---|
| sandbox | `ready` | loaded, waiting for calls |
| sandbox | `broken` | it cannot load the step types, and why; it ends |
| worker | a step (`kind`, `config`), then a call (`values`, `input`, `attempt`, `idempotencyKey`, `seconds`) | run this step for this item |
| sandbox | `log` | a line for the log of the run, any number of them before the answer; or how many more there were |
| sandbox | `output`, `skip`, `retry`, `fail` | the answer, one per call |

The step stands in a message of its own because it is the same for every item: its bytes are made once, and are the key
under which the sandbox keeps the prepared step.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from weft.domain.ids import UUID
from weft.domain.step import Effect, Fail, Outcome, Output, PublishEntity, Retry, SendMessage, Skip
from weft.domain.usage import Usage

LENGTH = struct.Struct("!I")
"""Before each message: its bytes."""

MESSAGE_EXTRA = 64 * 1024
"""What a message may hold beside the output that is limited: its frame, a log line, a reason."""

LOG_MESSAGE_LENGTH = 10_000
LOG_FIELDS_BYTES = 16 * 1024
MOST_LOG_LINES = 1_000
"""Of one call, as far as they are handed over at all: a step in a loop must not keep the worker busy."""


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    memory_bytes: int
    """On top of what the sandbox takes when it has loaded the step types."""
    output_bytes: int
    """Of one answer, as JSON."""
    file_bytes: int
    """Of one file that a step writes."""


def encode_outcome(outcome: Outcome) -> dict[str, Any]:
    match outcome:
        case Output():
            effects = [_encoded_effect(effect) for effect in outcome.effects]
            return {
                "output": outcome.value,
                "branches": outcome.branches,
                "effects": effects,
                "usage": outcome.usage.figures,
            }
        case Skip():
            return {"skip": outcome.reason}
        case Retry():
            after = None if outcome.after is None else outcome.after.total_seconds()
            return {"retry": outcome.reason, "code": outcome.code, "after": after, "usage": outcome.usage.figures}
        case Fail():
            return {
                "fail": outcome.reason,
                "code": outcome.code,
                "details": outcome.details,
                "usage": outcome.usage.figures,
            }


def decode_outcome(answer: Mapping[str, Any]) -> Outcome:
    if "skip" in answer:
        return Skip(answer["skip"])
    usage = Usage(*answer["usage"])
    if "retry" in answer:
        after = None if answer["after"] is None else timedelta(seconds=answer["after"])
        return Retry(answer["retry"], code=answer["code"], after=after, usage=usage)
    if "fail" in answer:
        return Fail(answer["fail"], code=answer["code"], details=answer["details"], usage=usage)
    branches = None if answer["branches"] is None else tuple(answer["branches"])
    return Output(answer["output"], branches, tuple(map(_decoded_effect, answer["effects"])), usage)


def _encoded_effect(effect: Effect) -> dict[str, Any]:
    match effect:
        case PublishEntity():
            return {"publish": effect.publish, "fields": effect.fields}
        case SendMessage():
            return {"send": str(effect.delivery_id), "integration": effect.integration, "message": effect.message}


def _decoded_effect(raw: Mapping[str, Any]) -> Effect:
    if "send" in raw:
        return SendMessage(UUID(raw["send"]), raw["integration"], raw["message"])
    return PublishEntity(raw["fields"], raw["publish"])
