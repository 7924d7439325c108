"""What each revision of a run changed: which items were finished by it, and its new status.

Every statement that raises `run_state.revision` writes a row of `run_change` with it (`noted`), while it holds the lock of
that row until its commit. So revisions become visible in their order and without gaps: who has read up to one of them reads
on behind it, and neither misses a change nor gets one twice. A gap that is there after all means that the past is gone, or
was made before such rows were written.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID
from weft.domain.progress import RunStatus


def noted(change: str, *, finished: str = "'{}'", where: str = "true") -> str:
    """SQL: a CTE that writes down what `change` did, another CTE that returns the state after it and, as `was`, the status
    before. In the same statement, since most runs are of one item: one more would make each of them some percent dearer.
    """
    return f"""noted AS (
      INSERT INTO run_change (run_id, revision, at, status, finished)
      SELECT run_id, revision, updated_at, nullif(status, was), {finished} FROM {change} WHERE {where}
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

    def ordinals_behind(self, ordinal: int) -> Iterator[int]:
        """Of the items that were finished by it, in order."""
        for first, last in zip(self.finished[::2], self.finished[1::2], strict=True):
            yield from range(max(first, ordinal + 1), last + 1)


FROM_REVISION = text(
    """
    SELECT c.revision, c.at, c.status, c.finished
    FROM run r JOIN run_change c ON c.run_id = r.id
    WHERE r.id = :run_id AND r.workspace_id = :workspace_id AND c.revision >= :revision
    ORDER BY c.revision LIMIT :most
    """
)


async def from_revision(
    connection: AsyncConnection, workspace_id: UUID, run_id: UUID, revision: int, most: int
) -> list[StateChange]:
    """The first `most` changes from this revision on, in order."""
    values = {"workspace_id": workspace_id, "run_id": run_id, "revision": revision, "most": most}
    rows = await connection.execute(FROM_REVISION, values)
    return [
        StateChange(row.revision, row.at, None if row.status is None else RunStatus(row.status), row.finished)
        for row in rows
    ]
