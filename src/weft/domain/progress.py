"""Progress: the exact counters of a run, with a revision.

At every revision `total = pending + completed + failed + skipped + cancelled`: `pending` is not stored but derived, so
the sum cannot be wrong. Revisions only rise.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from weft.domain.ids import UUID
from weft.domain.usage import NO_USAGE, Usage


class RunStatus(StrEnum):
    """Where a run stands. COMPLETED, COMPLETED_WITH_FAILURES, FAILED and CANCELLED are final: a run that has one keeps
    it.

    PENDING: It is stored, and waits for a worker.
    RUNNING: Items are being worked on.
    PAUSED: No further item is begun until the run is resumed.
    COMPLETED: All items are finished, and none failed.
    COMPLETED_WITH_FAILURES: All items are finished; some failed, some did not.
    FAILED: All items failed, or the run was stopped: by a step with STOP_RUN, or because it cannot go on at all.
    CANCELLED: Somebody ended it early; what was not finished is cancelled.
    """

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    COMPLETED = "COMPLETED"
    COMPLETED_WITH_FAILURES = "COMPLETED_WITH_FAILURES"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_terminal(self) -> bool:
        return self in TERMINAL_RUN_STATUSES


TERMINAL_RUN_STATUSES = frozenset(
    {RunStatus.COMPLETED, RunStatus.COMPLETED_WITH_FAILURES, RunStatus.FAILED, RunStatus.CANCELLED}
)


@dataclass(frozen=True, slots=True)
class StepProgress:
    """What one step did over all items so far."""

    step_id: str
    completed: int
    failed: int
    skipped: int
    retried: int
    """Attempts that failed and were tried again."""
    busy: timedelta
    """Time spent inside the step, over all items."""
    usage: Usage = NO_USAGE
    """Of all attempts for the items that are finished."""


@dataclass(frozen=True, slots=True)
class Progress:
    run_id: UUID
    status: RunStatus
    total: int
    completed: int
    failed: int
    skipped: int
    cancelled: int
    revision: int
    started_at: datetime | None
    finished_at: datetime | None
    updated_at: datetime
    steps: tuple[StepProgress, ...] = ()

    @property
    def finished(self) -> int:
        return self.completed + self.failed + self.skipped + self.cancelled

    @property
    def pending(self) -> int:
        return self.total - self.finished

    @property
    def usage(self) -> Usage:
        return sum((step.usage for step in self.steps), NO_USAGE)

    @property
    def percent(self) -> float:
        """Finished items per hundred; 100 only when all are finished."""
        if self.total == 0:
            return 100.0
        share = 100.0 * self.finished / self.total
        return min(share, 99.99) if self.pending else 100.0

    @property
    def items_per_second(self) -> float | None:
        """Finished items per second since the start; None before anything is known."""
        if self.started_at is None or self.finished == 0:
            return None
        seconds = ((self.finished_at or self.updated_at) - self.started_at).total_seconds()
        return self.finished / seconds if seconds > 0 else None

    @property
    def eta(self) -> timedelta | None:
        """Time until the end at the speed so far; None when unknown or not moving."""
        rate = self.items_per_second
        if self.status is not RunStatus.RUNNING or not rate:
            return None
        return timedelta(seconds=self.pending / rate)
