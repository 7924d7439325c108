"""Progress, read from the counters of runs. Only the engine's recorder writes them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import repeat
from typing import Any

from sqlalchemy import BigInteger, RowMapping, bindparam, column, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID
from weft.domain.progress import Progress, RunStatus, StepProgress
from weft.domain.usage import FIGURES, NO_USAGE, Usage
from weft.storage.tables import Id, run, run_state

PROGRESS_COLUMNS = (
    run_state.c.run_id,
    run_state.c.status,
    run_state.c.total,
    run_state.c.completed,
    run_state.c.failed,
    run_state.c.skipped,
    run_state.c.cancelled,
    run_state.c.revision,
    run_state.c.started_at,
    run_state.c.finished_at,
    run_state.c.updated_at,
    run_state.c.step_ids,
    run_state.c.step_completed,
    run_state.c.step_failed,
    run_state.c.step_skipped,
    run_state.c.step_retried,
    run_state.c.step_busy_us,
    run_state.c.step_usage,
)
"""What `progress_of` needs from a row, whatever else is in it."""

_known = (
    func.unnest(bindparam("ids", type_=ARRAY(Id)), bindparam("revisions", type_=ARRAY(BigInteger)))
    .table_valued(column("run_id", Id), column("revision", BigInteger))
    .render_derived("known")
)
_newer = (
    select(_known.c.run_id.label("known_run_id"), *PROGRESS_COLUMNS)
    .select_from(_known.outerjoin(run_state, run_state.c.run_id == _known.c.run_id))
    .where(or_(run_state.c.run_id.is_(None), run_state.c.revision > _known.c.revision))
)


async def of_run(connection: AsyncConnection, workspace_id: UUID, run_id: UUID) -> Progress | None:
    """The progress of one run of the workspace."""
    rows = await connection.execute(
        select(*PROGRESS_COLUMNS)
        .join(run, run.c.id == run_state.c.run_id)
        .where(run.c.id == run_id, run.c.workspace_id == workspace_id)
    )
    row = rows.mappings().one_or_none()
    return None if row is None else progress_of(row)


async def newer(connection: AsyncConnection, known: Mapping[UUID, int]) -> dict[UUID, Progress | None]:
    """Of the runs with their known revisions: those that have a newer state, and None for those that are gone.

    Not bound to a workspace: whoever watches was let in by `of_run`.
    """
    rows = await connection.execute(_newer, {"ids": list(known), "revisions": list(known.values())})
    return {row["known_run_id"]: progress_of(row) if row["run_id"] else None for row in rows.mappings()}


def progress_of(row: RowMapping | Mapping[str, Any]) -> Progress:
    return Progress(
        run_id=row["run_id"],
        status=RunStatus(row["status"]),
        total=row["total"],
        completed=row["completed"],
        failed=row["failed"],
        skipped=row["skipped"],
        cancelled=row["cancelled"],
        revision=row["revision"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        updated_at=row["updated_at"],
        steps=tuple(
            StepProgress(step_id, completed, failed, skipped, retried, timedelta(microseconds=busy_us), usage)
            for step_id, completed, failed, skipped, retried, busy_us, usage in zip(
                row["step_ids"],
                row["step_completed"],
                row["step_failed"],
                row["step_skipped"],
                row["step_retried"],
                row["step_busy_us"],
                usages_of(row["step_usage"]) or repeat(NO_USAGE, len(row["step_ids"])),
                strict=True,
            )
        ),
    )


def usages_of(figures: Sequence[int]) -> list[Usage]:
    """One per step, as `run_state.step_usage` has them; none where nothing was used."""
    return [Usage(*figures[first : first + FIGURES]) for first in range(0, len(figures), FIGURES)]
