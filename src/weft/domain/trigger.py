"""Triggers: what starts runs by itself, and every time that it did."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from weft.domain.ids import UUID
from weft.domain.run import TriggerType

DEEPEST = 8
"""How many runs may lie behind an event, each the cause of the next, that still starts a run: where a workflow causes its own
trigger, the chain is cut there.
"""


@dataclass(frozen=True, slots=True)
class Trigger:
    """What listens to events, and starts runs of one workflow. An inbound webhook listens to the calls that come in for it."""

    id: UUID
    workspace_id: UUID
    workflow_id: UUID
    type: TriggerType
    """EVENT or WEBHOOK."""
    name: str
    event: str | None
    """The name of the events; None for an inbound webhook."""
    filter: Mapping[str, Any]
    """By field of the event: the value it has to have, or a list of those it may have. All of them have to hold."""
    condition: str | None
    """CEL, true for events that it is for."""
    input: Mapping[str, str] | None
    """CEL by name that make the run's input; None for all that the event holds."""
    parameters: Mapping[str, str] | None
    """CEL by name that make the run's parameters."""
    enabled: bool
    position: int | None
    """Its place among the triggers of the workflow's definition; None for one that was made by itself."""
    revision: int
    created_by: str
    created_at: datetime
    updated_at: datetime


class FiringOutcome(StrEnum):
    """What came of it that a trigger or a schedule fired.

    STARTED: A run was started.
    QUEUED: A run begins when the one before it has ended.
    SKIPPED: Nothing was run: the one before it went on still, or its time was missed.
    REFUSED: The workflow could not be run, or not with this; `reason` says why.
    CUT: Too many runs lay behind it, each the cause of the next: the chain ends here.
    """

    STARTED = "STARTED"
    QUEUED = "QUEUED"
    SKIPPED = "SKIPPED"
    REFUSED = "REFUSED"
    CUT = "CUT"


@dataclass(frozen=True, slots=True)
class Firing:
    """One time that a trigger or a schedule fired: why, and what came of it."""

    id: UUID
    workspace_id: UUID
    workflow_id: UUID
    trigger_type: TriggerType
    trigger_id: UUID
    """Of a trigger, or of a schedule."""
    trigger_name: str
    event_id: UUID | None
    slot_at: datetime | None
    """The time of the schedule that it was for."""
    outcome: FiringOutcome
    run_id: UUID | None
    reason: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Cause:
    """What a run is started by."""

    type: TriggerType
    by: str
    """The name of what started it: an API key, a trigger, a schedule."""
    trigger_id: UUID | None = None
    """Of a trigger or of a schedule."""
    event_id: UUID | None = None
    depth: int = 0
    """How many runs lie behind it, each the cause of the next."""
