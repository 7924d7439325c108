"""The statistics of workflows, and their ratings. What runs add to them is written by `run_milestones`.

Several rows for each workflow (see the table) are summed when they are read, for many workflows in one statement.
"""

from collections.abc import Sequence

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID
from weft.domain.sharing import WorkflowStats
from weft.storage.public_workflows import visible_to
from weft.storage.run_milestones import SHARD
from weft.storage.tables import workflow, workflow_rating, workflow_stats

_COUNTED = (
    "runs_total",
    "runs_successful",
    "runs_failed",
    "runs_cancelled",
    "duration_us",
    "copies",
    "ratings",
    "stars",
)


async def of_workflows(
    connection: AsyncConnection, workspace_id: UUID, workflow_ids: Sequence[UUID]
) -> dict[UUID, WorkflowStats]:
    """Those that were never used are left out."""
    sums = (func.sum(workflow_stats.c[name]).label(name) for name in _COUNTED)
    rows = await connection.execute(
        select(workflow.c.id, *sums)
        .join(workflow_stats, workflow_stats.c.workflow_id == workflow.c.id)
        .where(visible_to(workspace_id), workflow.c.id.in_(workflow_ids))
        .group_by(workflow.c.id)
    )
    return {row["id"]: WorkflowStats(**{name: int(row[name]) for name in _COUNTED}) for row in rows.mappings()}


COPIED = text(
    f"""
    INSERT INTO workflow_stats AS t (workflow_id, shard, copies) VALUES (:workflow_id, {SHARD}, 1)
    ON CONFLICT (workflow_id, shard) DO UPDATE SET copies = t.copies + 1
    """
)


async def note_copied(connection: AsyncConnection, workflow_id: UUID) -> None:
    await connection.execute(COPIED, {"workflow_id": workflow_id})


def _counting(change: str) -> str:
    """A change of one rating, which returns what it adds to the number of ratings and to their sum."""
    return f"""
    WITH rated AS ({change})
    INSERT INTO workflow_stats AS t (workflow_id, shard, ratings, stars)
    SELECT :workflow_id, {SHARD}, ratings, stars FROM rated
    ON CONFLICT (workflow_id, shard) DO UPDATE
    SET ratings = t.ratings + excluded.ratings, stars = t.stars + excluded.stars
    """


RATE = text(
    _counting(
        """
        INSERT INTO workflow_rating AS r (workflow_id, key_id, workspace_id, rating)
        VALUES (:workflow_id, :key_id, :workspace_id, :rating)
        ON CONFLICT (workflow_id, key_id) DO UPDATE SET rating = excluded.rating, rated_at = now()
        RETURNING (old.rating IS NULL)::int AS ratings, new.rating - coalesce(old.rating, 0) AS stars
        """
    )
)
UNRATE = text(
    _counting(
        """
        DELETE FROM workflow_rating
        WHERE workflow_id = :workflow_id AND key_id = :key_id AND workspace_id = :workspace_id
        RETURNING -1 AS ratings, -rating AS stars
        """
    )
)


async def rate(
    connection: AsyncConnection, workspace_id: UUID, key_id: UUID, workflow_id: UUID, rating: int | None
) -> None:
    """The one rating of this key, in the place of any that it gave before; None takes it away."""
    values = {"workflow_id": workflow_id, "key_id": key_id, "workspace_id": workspace_id}
    if rating is None:
        await connection.execute(UNRATE, values)
    else:
        await connection.execute(RATE, values | {"rating": rating})


async def ratings_by(
    connection: AsyncConnection, workspace_id: UUID, key_id: UUID, workflow_ids: Sequence[UUID]
) -> dict[UUID, int]:
    """By workflow: what this key gave it."""
    rows = await connection.execute(
        select(workflow_rating.c.workflow_id, workflow_rating.c.rating).where(
            workflow_rating.c.workspace_id == workspace_id,
            workflow_rating.c.key_id == key_id,
            workflow_rating.c.workflow_id.in_(workflow_ids),
        )
    )
    return {row.workflow_id: row.rating for row in rows}
