"""Schedules: workflows that start by themselves at times of the clock."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from weft.domain.ids import UUID
from weft.domain.run import Selection


class Overlap(StrEnum):
    """What becomes of a time that comes while a run of the same schedule goes on still. Retries that people start do
    not count.

    SKIP: Nothing is run for it.
    QUEUE: Its run begins when those before it have ended.
    ALLOW: Its run begins at once, beside the others.
    """

    SKIP = "SKIP"
    QUEUE = "QUEUE"
    ALLOW = "ALLOW"


class CatchUp(StrEnum):
    """What becomes of times that passed while no worker was there: of those that are more than a minute old, since
    what is less late is run in any case.

    NONE: Nothing is run for them.
    LAST: One run, for the last of them.
    ALL: One run for each, up to the last 1,000; with QUEUE up to 100 of them wait.
    """

    NONE = "NONE"
    LAST = "LAST"
    ALL = "ALL"


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a workflow is run by itself, over what, and what happened so far. A *slot* is one time that it is due."""

    id: UUID
    workspace_id: UUID
    workflow_id: UUID
    name: str
    cron_expression: str
    """As it was written: five fields, or a word such as `@daily`."""
    timezone: str
    """By its name in the IANA database."""
    selection: Selection
    """Resolved anew at each slot."""
    input: Any
    parameters: dict[str, Any]
    overlap: Overlap
    catch_up: CatchUp
    enabled: bool
    next_at: datetime | None
    """The next slot; None while it is disabled."""
    last_slot_at: datetime | None
    """The last slot that was looked at, whatever came of it."""
    last_run_at: datetime | None
    """When it last started a run."""
    queue: tuple[datetime, ...]
    """Slots whose runs wait for those before them, oldest first."""
    waits_for: UUID | None
    """The run whose end the queue waits for; None where nothing waits."""
    revision: int
    created_by: str
    created_at: datetime
    updated_at: datetime


def default_name(cron_expression: str, timezone: str) -> str:
    return f"{cron_expression} {timezone}"
