"""A definition: the graph of steps that people write, as plain data.

`weft.domain.spelling.reading` reads it from JSON in either spelling; `weft.engine.plan` checks it and compiles it. Steps stand in
the order in which they were written; the graph is in `depends_on`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from weft.domain.entity import JsonSchema


class Backoff(StrEnum):
    """How the wait grows from attempt to attempt.

    FIXED: Not at all: always `initialDelay`.
    LINEAR: By `initialDelay` each time, up to `maxDelay`.
    EXPONENTIAL: It doubles each time, from `initialDelay` up to `maxDelay`.
    """

    FIXED = "FIXED"
    LINEAR = "LINEAR"
    EXPONENTIAL = "EXPONENTIAL"


class OnFailure(StrEnum):
    """What the failure of a step means, after its last attempt.

    FAIL_ITEM: The item fails, the others go on.
    CONTINUE: The item goes on without the step and what depends on it.
    STOP_RUN: The whole run fails, and what is not finished is cancelled.
    """

    FAIL_ITEM = "FAIL_ITEM"
    CONTINUE = "CONTINUE"
    STOP_RUN = "STOP_RUN"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    max_attempts: int = 1
    """All attempts, the first one included."""
    backoff: Backoff = Backoff.EXPONENTIAL
    initial_delay: timedelta = timedelta(seconds=1)
    max_delay: timedelta = timedelta(minutes=5)
    jitter: float = 0.2
    """Share by which a delay is varied at random, 0 to 1, so that failed items do not come back all at once."""


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """A step's outputs are remembered, and given again to the same input."""

    max_age: timedelta = timedelta(days=30)
    """An output that is older is computed again."""


@dataclass(frozen=True, slots=True)
class Dependency:
    """An edge of the graph: from a step, or from one branch of a condition."""

    step_id: str
    branch: str | None = None

    def __str__(self) -> str:
        return f"{self.step_id}:{self.branch}" if self.branch else self.step_id


@dataclass(frozen=True, slots=True)
class StepDefinition:
    id: str
    type: str
    depends_on: tuple[Dependency, ...]
    config: Mapping[str, Any] = field(default_factory=dict[str, Any])
    name: str | None = None
    when: str | None = None
    """A CEL condition; the step is skipped where it is false."""
    retry: RetryPolicy | None = None
    timeout: timedelta | None = None
    """Of one attempt."""
    on_failure: OnFailure | None = None
    cache: CachePolicy | None = None
    """None: every item is computed anew."""
    path: tuple[str, ...] = ()
    """Where it stands in what was written, for messages."""


@dataclass(frozen=True, slots=True)
class TriggerDefinition:
    """Which events start the workflow. What its fields mean is told by `domain.trigger.Trigger`, which is made of it."""

    event: str
    name: str
    filter: Mapping[str, Any] = field(default_factory=dict[str, Any])
    condition: str | None = None
    input: Mapping[str, str] | None = None
    parameters: Mapping[str, str] | None = None
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class ErrorHandling:
    """What holds for every step that says nothing else."""

    retry: RetryPolicy | None = None
    on_failure: OnFailure = OnFailure.FAIL_ITEM


@dataclass(frozen=True, slots=True)
class Definition:
    steps: tuple[StepDefinition, ...]
    input_schema: JsonSchema | None = None
    """Of the run's own input, for a workflow without entities."""
    parameters_schema: JsonSchema | None = None
    output: Mapping[str, str] | None = None
    """CEL expressions by name that make the item's output; None means the output of the last steps."""
    error_handling: ErrorHandling = field(default_factory=ErrorHandling)
    triggers: tuple[TriggerDefinition, ...] | None = None
    """None where nothing is said of them: whatever the workflow has stays."""
