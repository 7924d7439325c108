"""`Progress` on the wire: JSON with the field names of the domain, durations in microseconds."""

from datetime import datetime, timedelta
from typing import Any

import orjson

from weft.domain.ids import UUID
from weft.domain.progress import Progress, RunStatus, StepProgress
from weft.domain.usage import NO_USAGE, Usage

ENDED = b"weft:ended"
"""The channel on which each run's end is told, as the 16 bytes of its id."""
_PREFIX = b"weft:progress:"
_MICROSECOND = timedelta(microseconds=1)


def channel_of(run_id: UUID) -> bytes:
    return _PREFIX + str(run_id).encode()


def encode(progress: Progress) -> bytes:
    return orjson.dumps(progress, default=_plain)


def decode(data: bytes) -> Progress:
    """Raises ValueError when the bytes are not what `encode` makes.

    Fields that are not known are ignored, so that processes of two versions can run side by side.
    """
    try:
        return _progress(orjson.loads(data))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a progress message: {error!r}") from error


def _plain(value: object) -> int | str:
    if isinstance(value, timedelta):
        return value // _MICROSECOND
    if isinstance(value, UUID):  # asyncpg's own kind of it
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in a progress message")


def _progress(raw: dict[str, Any]) -> Progress:
    return Progress(
        run_id=UUID(raw["run_id"]),
        status=RunStatus(raw["status"]),
        total=raw["total"],
        completed=raw["completed"],
        failed=raw["failed"],
        skipped=raw["skipped"],
        cancelled=raw["cancelled"],
        revision=int(raw["revision"]),
        started_at=_time(raw["started_at"]),
        finished_at=_time(raw["finished_at"]),
        updated_at=datetime.fromisoformat(raw["updated_at"]),
        steps=tuple(_step(step) for step in raw["steps"]),
    )


def _step(raw: dict[str, Any]) -> StepProgress:
    return StepProgress(
        step_id=raw["step_id"],
        completed=raw["completed"],
        failed=raw["failed"],
        skipped=raw["skipped"],
        retried=raw["retried"],
        busy=raw["busy"] * _MICROSECOND,
        usage=_usage(raw["usage"]) if "usage" in raw else NO_USAGE,  # older versions tell none
    )


def _usage(raw: dict[str, int]) -> Usage:
    return Usage(
        calls=raw["calls"],
        input_tokens=raw["input_tokens"],
        output_tokens=raw["output_tokens"],
        cached_tokens=raw["cached_tokens"],
        cost_nanos=raw["cost_nanos"],
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
