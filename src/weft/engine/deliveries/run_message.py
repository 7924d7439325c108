"""What a webhook is told of a run. Pure.

    {"type": "run.progress", "timestamp": "…", "data": {"runId": "…", "workflowId": "…", "status": "RUNNING", "revision": 7,
      "trigger": {"type": "MANUAL", "by": "…"}, "progress": {"total": 10, "completed": 3, …, "percent": 30.0},
      "startedAt": "…", "finishedAt": null, "durationMs": null, "result": null, "error": null}}

The type is `run.started`, `run.progress`, and at the end `run.completed`, `run.failed` or `run.cancelled`, the names that the
events of runs have. The ids are those that every operation of the API takes.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from weft.domain.events import PlatformEvent
from weft.domain.progress import Progress, RunStatus
from weft.domain.run import ItemError, Run
from weft.domain.run_webhook import RunNews
from weft.kit.json import dump_bytes
from weft.kit.schema_limits import deeper_than

MOST_RESULT_BYTES = 256 * 1024
"""A receiver that wants more fetches it: many refuse bodies of a megabyte."""
DEEPEST_RESULT = 200
_TOO_LARGE = (
    f"The result is larger than {MOST_RESULT_BYTES // 1024} KiB, or nested more than {DEEPEST_RESULT} levels deep: read it "
    "through the API, as `run.result`."
)
_ENDED = {RunStatus.FAILED: PlatformEvent.RUN_FAILED, RunStatus.CANCELLED: PlatformEvent.RUN_CANCELLED}
FIRST_REVISION = 1
"""Of the state that a run begins with; that of the message about its beginning, whatever was counted since."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """What came of a run of one item."""

    output: Any
    error: ItemError | None
    too_large: bool


NO_RESULT = RunResult(None, None, too_large=False)


def revision_of(run: Run, news: RunNews) -> int:
    return FIRST_REVISION if news is RunNews.STARTED else run.progress.revision


def payload_of(run: Run, news: RunNews, result: RunResult = NO_RESULT) -> dict[str, Any]:
    match news:
        case RunNews.STARTED:
            kind, at = PlatformEvent.RUN_STARTED, run.progress.started_at
            run = replace(run, progress=_as_it_began(run.progress), error=None)
        case RunNews.PROGRESS:
            kind, at = "run.progress", run.progress.updated_at
        case RunNews.ENDED:
            kind, at = _ENDED.get(run.status, PlatformEvent.RUN_COMPLETED), run.progress.finished_at
    return {"type": str(kind), "timestamp": _written(at), "data": _data(run, revision_of(run, news), result)}


def _data(run: Run, revision: int, result: RunResult) -> dict[str, Any]:
    counted = run.progress
    duration = run.duration
    too_large = (
        result.too_large
        # What is deeper than JSON is written cannot be measured.
        or deeper_than(result.output, DEEPEST_RESULT)
        or len(dump_bytes(result.output)) > MOST_RESULT_BYTES
    )
    return {
        "runId": str(run.id),
        "workflowId": str(run.workflow_id),
        "status": run.status.value,
        "revision": revision,
        "trigger": {"type": run.trigger_type.value, "by": run.triggered_by},
        "progress": {
            "total": counted.total,
            "pending": counted.pending,
            "completed": counted.completed,
            "failed": counted.failed,
            "skipped": counted.skipped,
            "cancelled": counted.cancelled,
            "percent": round(counted.percent, 2),
        },
        "startedAt": _written(counted.started_at),
        "finishedAt": _written(counted.finished_at),
        "durationMs": None if duration is None else duration.total_seconds() * 1000,
        "result": None if too_large else result.output,
        **({"resultNote": _TOO_LARGE} if too_large else {}),
        "error": _error(run, result.error),
    }


def _error(run: Run, of_item: ItemError | None) -> dict[str, Any] | None:
    """Why the run as a whole failed, or the one item of a run of one."""
    if run.error is not None:
        return {"code": "RUN_STOPPED", "message": run.error, "stepId": None}
    if of_item is not None:
        return {"code": of_item.code, "message": of_item.message, "stepId": of_item.step_id}
    return None


def _as_it_began(progress: Progress) -> Progress:
    nothing = {"completed": 0, "failed": 0, "skipped": 0, "cancelled": 0}
    return replace(progress, status=RunStatus.RUNNING, finished_at=None, **nothing)


def _written(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
