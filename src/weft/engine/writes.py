"""What gathers for a flush: finished items, checkpoints, ended batches, and what they add to the counters."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

from weft.domain.delivery import NewDelivery
from weft.domain.progress import Progress
from weft.domain.usage import FIGURES
from weft.storage.batches import Lease
from weft.storage.doubt import Written
from weft.storage.item_rows import ItemRow
from weft.storage.log_lines import Room
from weft.storage.results import CheckpointRow, CounterDelta, Publication


class StepCounts(NamedTuple):
    """What an item adds to the counters of the steps, each in the order of the plan. Kept instead of the step records, since
    it lives until the flush, and a few hundred thousand objects that live longer cost more than they do.
    """

    statuses: str
    """A letter per step, as in its record (`weft.storage.step_codec`); a space for a step that has nothing to say."""
    busy_us: tuple[int, ...]
    retried: tuple[int, ...]
    """Attempts beyond the first; empty where there are none."""


NO_STEPS = StepCounts("", (), ())


def counts_of(records: Sequence[Mapping[str, Any] | None]) -> StepCounts:
    """Of what each step of the plan came to; None where it has nothing to say."""
    said: list[Mapping[str, Any]] = [record or {} for record in records]
    return StepCounts(
        "".join(record.get("s", " ") for record in said),
        tuple(record.get("d", 0) for record in said),
        tuple(record.get("a", 1) - 1 for record in said),
    )


class Paid(NamedTuple):
    """What a step took for one item, as far as the counters do not hold it yet."""

    step: int
    """Its index in the plan."""
    figures: tuple[int, ...]


@dataclass(slots=True)
class FinishedItem:
    """A finished item, and what it adds to the counters of the steps."""

    row: ItemRow
    steps: StepCounts
    had_checkpoint: bool = False
    publication: Publication | None = None
    messages: Sequence[NewDelivery] = ()
    paid: Sequence[Paid] = ()
    stop_reason: str | None = None
    """Set where this failure ends the whole run."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The batch leaves this worker: done, or given back to be ready again after `ready_in`."""

    done: bool
    ready_in: timedelta = timedelta()


@dataclass(slots=True)
class Unfinished:
    """Of items that are not finished: what must not be done, or paid for, twice."""

    checkpoints: list[CheckpointRow] = field(default_factory=list[CheckpointRow])
    publications: list[Publication] = field(default_factory=list[Publication])
    messages: list[NewDelivery] = field(default_factory=list[NewDelivery])
    paid: list[Paid] = field(default_factory=list[Paid])

    def add(self, other: "Unfinished") -> None:
        self.checkpoints += other.checkpoints
        self.publications += other.publications
        self.messages += other.messages
        self.paid += other.paid


@dataclass(slots=True)
class BatchWrites:
    """What gathered of one batch since the last flush."""

    finished: list[FinishedItem] = field(default_factory=list[FinishedItem])
    unfinished: Unfinished = field(default_factory=Unfinished)
    ended: Ended | None = None

    def __bool__(self) -> bool:
        return bool(self.finished or self.unfinished.checkpoints) or self.ended is not None


@dataclass(frozen=True, slots=True)
class Flushed:
    """How a flush came out."""

    progress: Progress | None
    """After it; None when there was nothing to count, or nothing could be written."""
    held: frozenset[Lease]
    """Those that still held."""
    run_is_over: bool = False
    """The run was ended by somebody else: nothing of it can be written any more."""
    room: Room | None = None
    """What the log of the run had room for, where something was said."""


def written_by(writes: Mapping[Lease, BatchWrites]) -> list[Written]:
    """By what rows it can be told that a flush went through."""
    return [
        Written(lease, [item.row.ordinal for item in batch.finished], batch.unfinished.checkpoints)
        for lease, batch in writes.items()
    ]


def counter_delta(finished: Sequence[FinishedItem], paid: Sequence[Paid], steps: int) -> CounterDelta:
    """`paid` is for items that are not finished."""
    delta = CounterDelta(steps, ordinals=[item.row.ordinal for item in finished])
    for status, items in Counter(item.row.status for item in finished).items():
        match status:
            case "COMPLETED":
                delta.completed = items
            case "FAILED":
                delta.failed = items
            case _:
                delta.skipped += items
    # Nearly all items of a flush went the same way, so they are counted by their ways and not one by one.
    for statuses, items in Counter(item.steps.statuses for item in finished).items():
        for index, status in enumerate(statuses):
            match status:
                case "C":
                    delta.step_completed[index] += items
                case "F":
                    delta.step_failed[index] += items
                case "S":
                    delta.step_skipped[index] += items
                case _:
                    pass
    delta.step_busy_us = _sums(steps, [item.steps.busy_us for item in finished])
    delta.step_retried = _sums(steps, [item.steps.retried for item in finished])
    delta.step_usage = _usage(steps, [*paid, *(part for item in finished for part in item.paid)])
    return delta


def _usage(steps: int, paid: Sequence[Paid]) -> list[int]:
    """The figures of all steps, one step after the other; empty where nothing was paid."""
    if not paid:
        return []
    sums = [0] * (steps * FIGURES)
    for index, figures in paid:
        for place, figure in enumerate(figures, index * FIGURES):
            sums[place] += figure
    return sums


def _sums(steps: int, numbers: Sequence[Sequence[int]]) -> list[int]:
    """Step by step; what has nothing to say is empty."""
    return [sum(column) for column in zip(*filter(None, numbers), strict=True)] or [0] * steps
