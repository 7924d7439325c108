"""Runs that are deleted: the run itself at once, with its state and its webhook, and what may be millions of rows after it.

Nobody sees a run that is half there. Its items, checkpoints, batches, changes and logs, which nothing can reach without it, are noted to
be deleted bit by bit, in the same transaction.
"""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID, first_id_at
from weft.domain.usage import FIGURES

NOTE = """INSERT INTO deleted_run (run_id, total) SELECT id, total FROM gone ON CONFLICT (run_id) DO NOTHING"""

# A workflow that somebody just deletes takes its runs along: with the lock on it, nobody who holds one waits for the other.
OLD = text(
    f"""
    WITH gone AS (
      SELECT r.id, r.workflow_id, s.total, s.step_usage FROM run r JOIN run_state s ON s.run_id = r.id
      JOIN workflow w ON w.id = r.workflow_id
      WHERE r.id < :first_kept AND s.finished_at < :before
      ORDER BY r.id LIMIT :most FOR UPDATE OF r SKIP LOCKED FOR KEY SHARE OF w SKIP LOCKED
    ), noted AS ({NOTE}), used AS (
      INSERT INTO past_usage AS p (workflow_id, figure, amount)
      SELECT g.workflow_id, (u.place - 1) % :figures ::int, sum(u.value)::bigint
      FROM gone g CROSS JOIN LATERAL unnest(g.step_usage) WITH ORDINALITY AS u (value, place)
      GROUP BY 1, 2 ORDER BY 1, 2
      ON CONFLICT (workflow_id, figure) DO UPDATE SET amount = p.amount + excluded.amount
    )
    DELETE FROM run WHERE id IN (SELECT id FROM gone)
    """
)
OF_WORKFLOW = text(
    f"""
    WITH gone AS (
      SELECT r.id, s.total FROM run r JOIN run_state s ON s.run_id = r.id
      WHERE r.workflow_id = :workflow_id AND r.workspace_id = :workspace_id
    ), noted AS ({NOTE})
    DELETE FROM run WHERE id IN (SELECT id FROM gone)
    """
)


async def drop_old(connection: AsyncConnection, before: datetime, most: int) -> int:
    """Up to `most` runs that ended before; how many they were. What they used stays counted."""
    values = {"before": before, "first_kept": first_id_at(before), "most": most, "figures": FIGURES}
    return (await connection.execute(OLD, values)).rowcount


async def drop_of_workflow(connection: AsyncConnection, workspace_id: UUID, workflow_id: UUID) -> None:
    await connection.execute(OF_WORKFLOW, {"workspace_id": workspace_id, "workflow_id": workflow_id})


TAKEN = text("SELECT run_id, total, done FROM deleted_run ORDER BY run_id LIMIT :most FOR UPDATE SKIP LOCKED")
# Numbers of batches are never above the ordinals in them.
_IN_REACH = """
    DELETE FROM {table} d USING unnest(:run_ids ::uuid[], :froms ::int[]) AS t (run_id, first)
    WHERE d.run_id = t.run_id AND d.{place} >= t.first AND d.{place} < t.first + :width ::int
"""
PARTS = [
    text(_IN_REACH.format(table=table, place=place))
    for table, place in (("run_item", "ordinal"), ("run_checkpoint", "ordinal"), ("run_batch", "number"))
]
LOGS = text(
    """
    DELETE FROM run_log WHERE id IN (SELECT id FROM run_log WHERE run_id = ANY (:run_ids ::uuid[]) LIMIT :most)
    RETURNING run_id
    """
)
CHANGES = text(
    """
    DELETE FROM run_change WHERE (run_id, revision) IN (
      SELECT run_id, revision FROM run_change WHERE run_id = ANY (:run_ids ::uuid[]) LIMIT :most)
    RETURNING run_id
    """
)
MOVE_ON = text("UPDATE deleted_run SET done = done + :width ::int WHERE run_id = ANY (:run_ids ::uuid[])")
FORGET = text("DELETE FROM deleted_run WHERE run_id = ANY (:run_ids ::uuid[]) AND done >= total")


async def sweep(connection: AsyncConnection, most_runs: int, most_rows: int) -> int:
    """About `most_rows` rows of what deleted runs have left, of up to `most_runs` of them; for how many there was something to do."""
    taken = (await connection.execute(TAKEN, {"most": most_runs})).all()
    if not taken:
        return 0
    run_ids = [row.run_id for row in taken]
    width = max(1, most_rows // len(taken))
    for part in PARTS:
        await connection.execute(part, {"run_ids": run_ids, "froms": [row.done for row in taken], "width": width})
    await connection.execute(MOVE_ON, {"run_ids": run_ids, "width": width})
    left = [
        len((await connection.execute(one, {"run_ids": run_ids, "most": most_rows})).all()) for one in (LOGS, CHANGES)
    ]
    if max(left) < most_rows:
        await connection.execute(FORGET, {"run_ids": run_ids})
    return len(taken)
