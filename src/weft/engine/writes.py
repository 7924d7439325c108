"""What gathers for a flush: finished items, checkpoints, ended batches, and what they add to the counters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from weft.domain.progress import Progress
from weft.storage.batches import Lease
from weft.storage.doubt import Written
from weft.storage.item_rows import ItemRow
from weft.storage.results import CheckpointRow, CounterDelta, Publication


@dataclass(slots=True)
class FinishedItem:
    """A finished item, and what it adds to the counters of the steps."""

    row: ItemRow
    records: Sequence[Mapping[str, Any] | None]
    """What each step of the plan came to; None where it has nothing to say."""
    had_checkpoint: bool = False
    publication: Publication | None = None
    stop_reason: str | None = None
    """Set where this failure ends the whole run."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The batch leaves this worker: done, or given back to be ready again after `ready_in`."""

    done: bool
    ready_in: timedelta = timedelta()


@dataclass(slots=True)
class BatchWrites:
    """What gathered of one batch since the last flush."""

    finished: list[FinishedItem] = field(default_factory=list[FinishedItem])
    checkpoints: list[CheckpointRow] = field(default_factory=list[CheckpointRow])
    publications: list[Publication] = field(default_factory=list[Publication])
    ended: Ended | None = None

    def __bool__(self) -> bool:
        return bool(self.finished or self.checkpoints) or self.ended is not None


@dataclass(frozen=True, slots=True)
class Flushed:
    """How a flush came out."""

    progress: Progress | None
    """After it; None when there was nothing to count, or nothing could be written."""
    held: frozenset[int]
    """The numbers of the batches whose lease still held."""
    run_is_over: bool = False
    """The run was ended by somebody else: nothing of it can be written any more."""


def written_by(writes: Mapping[Lease, BatchWrites]) -> list[Written]:
    """By what rows it can be told that a flush went through."""
    return [
        Written(lease, [item.row.ordinal for item in batch.finished], batch.checkpoints)
        for lease, batch in writes.items()
    ]


def counter_delta(finished: Sequence[FinishedItem], steps: int) -> CounterDelta:
    delta = CounterDelta(steps)
    for item in finished:
        match item.row.status:
            case "COMPLETED":
                delta.completed += 1
            case "FAILED":
                delta.failed += 1
            case _:
                delta.skipped += 1
    for index in range(steps):
        _count_step(delta, index, [item.records[index] for item in finished if item.records])
    return delta


def _count_step(delta: CounterDelta, index: int, records: Sequence[Mapping[str, Any] | None]) -> None:
    counts = {"C": 0, "F": 0, "S": 0, "P": 0, "X": 0}
    retried = busy_us = 0
    for record in records:
        if record is not None:
            counts[record["s"]] += 1
            busy_us += record.get("d", 0)
            if "a" in record:
                retried += record["a"] - 1
    delta.step_completed[index], delta.step_failed[index], delta.step_skipped[index] = (
        counts["C"],
        counts["F"],
        counts["S"],
    )
    delta.step_retried[index], delta.step_busy_us[index] = retried, busy_us
