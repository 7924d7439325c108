"""What a worker says into the log of a run by itself: what went differently than it should, where nothing else tells.

Statuses, results, errors and the cause of a run's end are told where they stand. A run without trouble says nothing.
"""

from datetime import timedelta
from typing import Any, NamedTuple

from weft.domain.run import LogLevel
from weft.domain.step import Retry
from weft.storage.batches import ClaimedBatch

REASON_LENGTH = 1_000


class Words(NamedTuple):
    level: LogLevel
    message: str
    fields: dict[str, Any] = {}  # noqa: RUF012 - a default of a tuple, which nobody changes


def taken_over(batch: ClaimedBatch) -> Words:
    return Words(
        LogLevel.WARNING,
        f"The worker that held {_items(batch)} was lost: it ended, or could not be reached. Another has taken them over.",
        _place(batch),
    )


def carried_with_care(batch: ClaimedBatch) -> Words:
    return Words(
        LogLevel.WARNING,
        f"{batch.holders_lost} workers in a row were lost with {_items(batch)}. Their steps are run one at a time now, so that an "
        "item that ends its worker is found.",
        {**_place(batch), "workersLost": batch.holders_lost},
    )


def condemned(losses: int) -> Words:
    return Words(
        LogLevel.ERROR,
        f"{losses} workers in a row ended while this step was under way for this item: it fails, and is not tried again.",
        {"workersLost": losses},
    )


def retried(retry: Retry, attempt: int, most: int, after: timedelta) -> Words:
    reason = retry.reason if len(retry.reason) <= REASON_LENGTH else f"{retry.reason[:REASON_LENGTH]}…"
    seconds = after.total_seconds()
    return Words(
        LogLevel.WARNING,
        f"Attempt {attempt} of {most} failed, the next one begins in {_duration(seconds)}: {reason}",
        {"attempt": attempt, "code": retry.code, "waitSeconds": round(seconds, 3)},
    )


def stopped(reason: str) -> Words:
    return Words(LogLevel.ERROR, f"The run was stopped: {reason}")


def database_was_away(seconds: float) -> Words:
    return Words(
        LogLevel.WARNING,
        f"The database could not be written for {_duration(seconds)}. What was done meanwhile is stored now.",
        {"seconds": round(seconds, 3)},
    )


def waited_for_provider(provider: str, wait: timedelta) -> Words:
    seconds = wait.total_seconds()
    return Words(
        LogLevel.INFO,
        f"Calls to the model provider {provider!r} wait for their turn, one of them for {_duration(seconds)}: its limits, or a pause "
        "that it asked for, let no more through.",
        {"provider": provider, "waitSeconds": round(seconds, 3)},
    )


def log_is_full(lines: int) -> Words:
    return Words(
        LogLevel.WARNING,
        f"The log of this run has {lines:,} lines and takes no more of its steps. `logLinesLeftOut` counts what they say.",
    )


def lines_left_out(lines: int, most_lines: int, most_characters: int) -> Words:
    return Words(
        LogLevel.WARNING,
        f"{'1 line' if lines == 1 else f'{lines:,} lines'} left out: an item may say {most_lines} lines, of {most_characters:,} "
        "characters together.",
        {"leftOut": lines},
    )


def _items(batch: ClaimedBatch) -> str:
    first = batch.first_ordinal
    return f"item {first}" if batch.size == 1 else f"items {first} to {first + batch.size - 1}"


def _place(batch: ClaimedBatch) -> dict[str, Any]:
    return {"firstOrdinal": batch.first_ordinal, "lastOrdinal": batch.first_ordinal + batch.size - 1}


def _duration(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 100:  # noqa: PLR2004 - above it nobody counts in seconds
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.0f} min"
