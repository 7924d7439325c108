"""Step results as they are stored: one JSON list per item, one compact object per step that has something to say.

| key | meaning | left out when |
|---|---|---|
| `id` | the step | never |
| `s` | status: C completed, F failed, S skipped, X cancelled, P pending with attempts behind it | never |
| `a` | attempts | 1 |
| `t` | start, microseconds since the Unix epoch | it never began |
| `d` | duration of the last attempt, microseconds | it never began |
| `o` | output | null |
| `b` | branches taken | no condition |
| `r` | why it was skipped | not skipped |
| `e` | error: code, message, details | no error |
| `u` | usage of each attempt, up to the last that had any: a list of the figures of `Usage`, empty for none | no usage |
| `h` | a hit in the cache: what the output took when it was computed, as in `u` | computed |
| `n` | not before, microseconds since the Unix epoch: the next attempt of a pending step | not pending |

The executor writes this shape itself (it is the hot path); everybody else reads it here.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from weft.domain.run import ItemError, StepResult, StepStatus
from weft.domain.usage import Usage

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

STATUS_OF = {
    "C": StepStatus.COMPLETED,
    "F": StepStatus.FAILED,
    "S": StepStatus.SKIPPED,
    "X": StepStatus.CANCELLED,
    "P": StepStatus.PENDING,
}


def decode_step(raw: Mapping[str, Any]) -> StepResult:
    started_us, duration_us = raw.get("t"), raw.get("d")
    error, branches = raw.get("e"), raw.get("b")
    return StepResult(
        step_id=raw["id"],
        status=STATUS_OF[raw["s"]],
        attempt=raw.get("a", 1 if started_us is not None else 0),
        started_at=None if started_us is None else moment(started_us),
        duration=None if duration_us is None else timedelta(microseconds=duration_us),
        output=raw.get("o"),
        branches=None if branches is None else tuple(branches),
        reason=raw.get("r"),
        error=None if error is None else decode_error(error, raw["id"]),
        attempt_usages=tuple([Usage(*figures) for figures in raw.get("u", ())]),
        from_cache="h" in raw,
        saved=Usage(*raw.get("h", ())),
    )


def decode_error(raw: Mapping[str, Any], step_id: str | None = None) -> ItemError:
    return ItemError(raw["code"], raw["message"], raw.get("step", step_id), raw.get("details"))


def moment(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)
