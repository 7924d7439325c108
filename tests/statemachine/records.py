"""What the model knows: runs, batches, entities, and what workers hold in memory."""

from dataclasses import dataclass, field

from statemachine.way import STEPS, Record, Records, Result, Way

LEASE = 2
"""Ticks of the model's clock."""
TERMINAL = frozenset({"COMPLETED", "COMPLETED_WITH_FAILURES", "FAILED", "CANCELLED"})


@dataclass(slots=True)
class Entity:
    version: int = 1
    published: int | None = None


@dataclass(slots=True)
class Batch:
    number: int
    ordinals: range
    ready_at: int
    token: int = 0
    holder: str | None = None
    done: bool = False
    attempts: int = 0
    ready_within: int = 0
    """How far ahead `ready_at` was set: one that lies further ahead was set before the clock was set back."""

    def is_ready(self, now: int) -> bool:
        return not self.done and (self.token == 0 or not now < self.ready_at <= now + self.ready_within)

    def is_held(self, now: int) -> bool:
        return not self.done and self.holder is not None and not self.is_ready(now)

    def be_ready_in(self, ticks: int, now: int) -> None:
        self.ready_at, self.ready_within = now + ticks, ticks


@dataclass(slots=True)
class Run:
    index: int
    entities: list[int] | None
    """By ordinal; None for a run on its input alone, which is one item."""
    total: int
    batches: list[Batch]
    priority: int = 0
    concurrency: int | None = None
    held_limit: int | None = None
    retry_of: int | None = None
    status: str = "PENDING"
    began: bool = False
    revision: int = 0
    revision_slack: int = 0
    """A flush that Postgres refuses goes on in parts, each a revision of its own: how many more there may be than counted."""
    completed: int = 0
    failed: int = 0
    skipped: int = 0
    cancelled: int = 0
    error: str | None = None
    results: dict[int, Result] = field(default_factory=dict[int, Result])
    checkpoints: dict[int, Records] = field(default_factory=dict[int, Records])
    step_counters: dict[str, "StepCounters"] = field(default_factory=lambda: {step: StepCounters() for step in STEPS})

    @property
    def is_over(self) -> bool:
        return self.status in TERMINAL

    @property
    def pending(self) -> int:
        return self.total - self.completed - self.failed - self.skipped - self.cancelled

    def status_of(self, ordinal: int, now: int) -> str:
        """Of an item, as the API shows it."""
        if ordinal in self.results:
            return self.results[ordinal].status
        if self.is_over:
            return "CANCELLED"
        (batch,) = (batch for batch in self.batches if ordinal in batch.ordinals)
        return "RUNNING" if batch.is_held(now) else "PENDING"

    def records_of(self, ordinal: int) -> Records:
        return self.results[ordinal].records if ordinal in self.results else self.checkpoints.get(ordinal, {})


@dataclass(slots=True)
class StepCounters:
    completed: int = 0
    failed: int = 0
    skipped: int = 0
    retried: int = 0

    def count(self, record: Record) -> None:
        self.completed += record.status == "C"
        self.failed += record.status == "F"
        self.skipped += record.status == "S"
        self.retried += record.attempts - 1


@dataclass(slots=True)
class Held:
    """A batch in the memory of a worker, which may have lost it without knowing."""

    run: int
    number: int
    token: int
    ways: dict[int, Way]
    """Of its items that are not finished."""
    finished: list[Result] = field(default_factory=list[Result])
    """Not yet flushed."""
    told_to_pause: bool = False

    @property
    def lease(self) -> tuple[int, int, int]:
        return self.run, self.number, self.token


@dataclass(frozen=True, slots=True)
class Ended:
    """A batch leaves its worker with a flush: done when no item is open, else ready again after `ready_in` ticks."""

    lease: tuple[int, int, int]
    ready_in: int


@dataclass(frozen=True, slots=True)
class Write:
    """What a flush stores of one batch."""

    lease: tuple[int, int, int]
    finished: list[Result]
    checkpoints: dict[int, tuple[Records, int | None]]
    done: bool | None
    """None while the batch is kept."""
    ready_in: int = LEASE
