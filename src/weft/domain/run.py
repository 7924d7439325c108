"""Runs, items, step results."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from weft.domain.entity import EntityFilter
from weft.domain.ids import LAST_ID, UUID
from weft.domain.progress import Progress, RunStatus
from weft.domain.usage import NO_USAGE, Usage


class ItemStatus(StrEnum):
    """Where an item of a run stands. All but the first two are final.

    PENDING: Its turn has not come yet.
    RUNNING: Its steps are under way, or one of them waits for its next attempt.
    COMPLETED: All steps that had to run did, and `output` has what came of them.
    FAILED: A step failed for good; `error` says which, and why.
    SKIPPED: The steps declined it, which is no failure.
    CANCELLED: Its run ended before its turn, or before it was finished.
    """

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    CANCELLED = "CANCELLED"


class StepStatus(StrEnum):
    """What became of a step for one item. All but the first two are final.

    PENDING: It waits for the steps before it, or for its next attempt.
    RUNNING: An attempt is under way.
    COMPLETED: It gave its output.
    FAILED: Its last attempt failed; `error` says why.
    SKIPPED: Its condition did not hold, no branch led to it, or it declined; `reason` says which.
    CANCELLED: The item ended before it did.
    """

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    CANCELLED = "CANCELLED"


class TriggerType(StrEnum):
    """What kind of thing started a run.

    MANUAL: Somebody did, by `runWorkflow`.
    RETRY: Somebody did, by `retryRun`, over the failed items of another run.
    SCHEDULE: A schedule that was due.
    WEBHOOK: A call to a webhook trigger.
    EVENT: An event that the workflow listens to.
    """

    MANUAL = "MANUAL"
    RETRY = "RETRY"
    SCHEDULE = "SCHEDULE"
    WEBHOOK = "WEBHOOK"
    EVENT = "EVENT"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entities a run is over. Exactly one of `ids`, `filter`, `all` is given; none of them for a run on its input alone."""

    ids: tuple[UUID, ...] | None = None
    filter: EntityFilter | None = None
    all: bool = False

    @property
    def is_empty(self) -> bool:
        return self.ids is None and self.filter is None and not self.all


@dataclass(frozen=True, slots=True)
class Run:
    id: UUID
    workspace_id: UUID
    workflow_id: UUID
    version_id: UUID
    entity_type_id: UUID | None
    parameters: dict[str, Any]
    input: Any
    trigger_type: TriggerType
    triggered_by: str
    """The name of what started it: an API key, a schedule, an event."""
    trigger_id: UUID | None
    """Of the trigger or schedule that started it, which may be gone by now."""
    event_id: UUID | None
    depth: int
    """How many runs lie behind it, each the cause of the next."""
    retry_of: UUID | None
    priority: int
    concurrency: int | None
    """How many items may wait for others at once, over all workers; None for no limit."""
    created_at: datetime
    progress: Progress
    error: str | None
    """Why the run as a whole failed; items have their own errors."""
    log_lines_left_out: int
    """What was said of it and is not in its log, because it, or one of its items, said more than is kept."""

    @property
    def status(self) -> RunStatus:
        return self.progress.status

    @property
    def duration(self) -> timedelta | None:
        started, finished = self.progress.started_at, self.progress.finished_at
        return finished - started if started and finished else None


@dataclass(frozen=True, slots=True)
class ItemError:
    """Why a step, and with it the item, failed."""

    code: str
    """A short word in UPPER_CASE by which failures are grouped."""
    message: str
    step_id: str | None = None
    details: Any = None


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one step did for one item."""

    step_id: str
    status: StepStatus
    attempt: int
    """How many attempts it took, from 1; 0 for a step that never began."""
    started_at: datetime | None
    duration: timedelta | None
    output: Any
    branches: tuple[str, ...] | None
    """The branches a condition took; None for every other step."""
    reason: str | None
    """Why it was skipped."""
    error: ItemError | None
    attempt_usages: tuple[Usage, ...] = ()
    """What the attempts took, in order; those after the last one that took anything are left out."""
    from_cache: bool = False
    saved: Usage = NO_USAGE
    """What an output from the cache took when it was computed."""

    @property
    def usage(self) -> Usage:
        """Of all attempts whose end is known: what one took that broke off with its worker, only its provider knows."""
        return sum(self.attempt_usages, NO_USAGE)

    @property
    def completed_at(self) -> datetime | None:
        return self.started_at + self.duration if self.started_at and self.duration is not None else None


@dataclass(frozen=True, slots=True)
class Item:
    """One entity's way through one run."""

    run_id: UUID
    ordinal: int
    """Its place in the run, from 0."""
    entity_id: UUID | None
    status: ItemStatus
    output: Any
    error: ItemError | None
    steps: tuple[StepResult, ...]
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def usage(self) -> Usage:
        return sum((step.usage for step in self.steps), NO_USAGE)


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Failed items of a run with the same cause."""

    run_id: UUID
    step_id: str | None
    code: str
    message: str
    """The message of one of them."""
    count: int
    example_ordinal: int


class LogLevel(StrEnum):
    """How much a line of a log matters.

    DEBUG: Detail for whoever looks for a mistake.
    INFO: Something went its usual way.
    WARNING: Something is odd, and the work goes on.
    ERROR: Something failed, and is not made up for.
    """

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


class LogPlace(NamedTuple):
    """Of a line in the log of its run, in the order of the log: the revision of the run with which it came, its number among
    the lines of that revision, and its id, which counts only where lines are older than such places and all have the first.
    """

    revision: int
    number: int
    id: UUID = LAST_ID

    def __str__(self) -> str:
        return f"{self.revision}:{self.number}" + ("" if self.id == LAST_ID else f":{self.id}")


BEFORE_THE_LOG = LogPlace(-1, 0)


@dataclass(frozen=True, slots=True)
class LogLine:
    id: UUID
    run_id: UUID
    ordinal: int | None
    step_id: str | None
    level: LogLevel
    message: str
    fields: dict[str, Any]
    at: datetime
    revision: int
    number: int

    @property
    def in_log(self) -> LogPlace:
        return LogPlace(self.revision, self.number, LAST_ID if self.revision else self.id)

    @property
    def place(self) -> str:
        """Among the lines of all runs: what cursors are made of."""
        return f"{self.run_id}:{self.in_log}"
