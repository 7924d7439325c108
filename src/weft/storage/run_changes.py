"""What each revision of a run changed: which items were finished by it, its new status, and how many lines its log got.

Every statement that raises `run_state.revision` writes a row of `run_change` with it (`noted`), while it holds the lock of
that row until its commit. So revisions become visible in their order and without gaps: who has read up to one of them reads
on behind it, and neither misses a change nor gets one twice. A gap that is there after all means that the past is gone, or
was made before such rows were written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID
from weft.domain.progress import RunStatus


def noted(change: str, *, finished: str = "'{}'", logs: str = "0", where: str = "true") -> str:
    """SQL: a CTE that writes down what `change` did, another CTE that returns the state after it and, as `was`, the status
    before. In the same statement, since most runs are of one item: one more would make each of them some percent dearer.
    """
    return f"""noted AS (
      INSERT INTO run_change (run_id, revision, at, status, finished, logs)
      SELECT run_id, revision, updated_at, nullif(status, was), {finished}, {logs} FROM {change} WHERE {where}
    )"""


def stretches(ordinals: Sequence[int]) -> list[int]:
    """First and last of each unbroken stretch of these different ordinals, in any order. A batch that was finished from end
    to end takes two numbers.
    """
    if not ordinals:
        return []
    first, last = min(ordinals), max(ordinals)
    if last - first == len(ordinals) - 1:
        return [first, last]
    found: list[int] = []
    for ordinal in sorted(ordinals):
        if found and ordinal == found[-1] + 1:
            found[-1] = ordinal
        else:
            found += (ordinal, ordinal)
    return found


@dataclass(frozen=True, slots=True)
class StateChange:
    revision: int
    at: datetime
    status: RunStatus | None
    """None where it stayed as it was."""
    finished: Sequence[int]
    """As `stretches` makes it."""
    logs: int = 0
    """Lines of the log that came with it. How many of them are still there, `storage.logs` knows."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a run stands, and what came of it from some revision on."""

    revision: int
    status: RunStatus
    changes: Sequence[StateChange]
    """In order, as far as they are kept."""


FROM_REVISION = text(
    """
    SELECT s.revision AS newest, s.status AS standing, c.*
    FROM run r JOIN run_state s ON s.run_id = r.id
    LEFT JOIN LATERAL (
      SELECT revision, at, status, CASE WHEN :with_items ::bool THEN finished ELSE '{}' END AS finished, logs
      FROM run_change WHERE run_id = r.id AND revision >= :revision ORDER BY revision LIMIT :most
    ) c ON true
    WHERE r.id = :run_id AND r.workspace_id = :workspace_id
    ORDER BY c.revision
    """
)


async def from_revision(
    connection: AsyncConnection, workspace_id: UUID, run_id: UUID, revision: int, most: int, *, with_items: bool
) -> Standing | None:
    """With the first `most` changes from this revision on. None where there is no such run."""
    values = {
        "workspace_id": workspace_id,
        "run_id": run_id,
        "revision": revision,
        "most": most,
        "with_items": with_items,
    }
    rows = (await connection.execute(FROM_REVISION, values)).all()
    if not rows:
        return None
    changes = [
        StateChange(row.revision, row.at, None if row.status is None else RunStatus(row.status), row.finished, row.logs)
        for row in rows
        if row.revision is not None
    ]
    return Standing(rows[0].newest, RunStatus(rows[0].standing), changes)
