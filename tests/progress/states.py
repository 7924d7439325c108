"""A run of 1,000 items in states that a watcher may see."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from weft.domain.ids import new_id
from weft.domain.progress import Progress, RunStatus, StepProgress

STARTED = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


def started() -> Progress:
    return Progress(
        run_id=new_id(),
        status=RunStatus.RUNNING,
        total=1_000,
        completed=0,
        failed=0,
        skipped=0,
        cancelled=0,
        revision=1,
        started_at=STARTED,
        finished_at=None,
        updated_at=STARTED,
        steps=(StepProgress("check", 0, 0, 0, 0, timedelta(0)),),
    )


def later(state: Progress, revision: int) -> Progress:
    """One item a revision."""
    return replace(state, revision=revision, completed=revision - 1)


def ended(state: Progress) -> Progress:
    return replace(state, status=RunStatus.COMPLETED, revision=1_000, completed=1_000, finished_at=STARTED)
