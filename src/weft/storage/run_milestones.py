"""What is noted when runs start and when they end, in the transaction that starts or ends them: the statistics of their
workflow, and the events that triggers listen for.
"""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.events import PlatformEvent
from weft.domain.ids import UUID
from weft.storage.batches import STATE_COLUMNS
from weft.storage.events import listened

SHARD = "(pg_backend_pid() & 15)"
"""Which of the rows of a workflow's statistics this connection counts in."""

_FACTS = """json_build_object('runId', r.id, 'workflowId', r.workflow_id, 'status', s.status, 'triggerType', r.trigger_type,
      'total', s.total, 'completed', s.completed, 'failed', s.failed, 'skipped', s.skipped, 'cancelled', s.cancelled"""

# Workflows always in the same order: two transactions that start runs of the same ones then never wait in a circle.
STARTED = text(
    f"""
    WITH counted AS (
      INSERT INTO workflow_stats AS t (workflow_id, shard, runs_total, last_run_at)
      SELECT workflow_id, {SHARD}, count(*), now() FROM run WHERE id = ANY (:run_ids ::uuid[])
      GROUP BY workflow_id ORDER BY workflow_id
      ON CONFLICT (workflow_id, shard) DO UPDATE
      SET runs_total = t.runs_total + excluded.runs_total, last_run_at = greatest(t.last_run_at, excluded.last_run_at)
    )
    INSERT INTO event (workspace_id, name, payload, depth)
    SELECT r.workspace_id, '{PlatformEvent.RUN_STARTED}', {_FACTS}), r.depth + 1
    FROM run r JOIN run_state s ON s.run_id = r.id
    WHERE r.id = ANY (:run_ids ::uuid[]) AND {listened(f"'{PlatformEvent.RUN_STARTED}'", "r.workspace_id")}
    """
)


async def note_started(connection: AsyncConnection, run_ids: Sequence[UUID]) -> None:
    """Runs whose counters stand already, of any workflows."""
    await connection.execute(STARTED, {"run_ids": list(run_ids)})


_ENDED_NAME = f"""CASE s.status WHEN 'FAILED' THEN '{PlatformEvent.RUN_FAILED}'
        WHEN 'CANCELLED' THEN '{PlatformEvent.RUN_CANCELLED}' ELSE '{PlatformEvent.RUN_COMPLETED}' END"""


def noting_the_end(change: str, *, also: str = "") -> str:
    """SQL: `change` of the state of one run, as `s`, with what is noted where the run ended by it. The answer is that of
    `change`, which returns `STATE_COLUMNS` and `s.error`. `also`: what else is written with it (`run_changes.noted`).

    In one statement, since most runs are of one item: one more would make each of them some percent dearer.
    """
    return f"""
    WITH changed AS ({change}), {also and f"{also}, "}ended AS (
      SELECT r.workspace_id, r.workflow_id, r.depth + 1 AS depth, s.status, {_ENDED_NAME} AS name,
        (extract(epoch FROM s.finished_at - s.started_at) * 1000000)::bigint AS duration_us,
        {_FACTS}, 'durationMs', (extract(epoch FROM s.finished_at - s.started_at) * 1000)::bigint, 'error', s.error) AS payload
      FROM changed s JOIN run r ON r.id = s.run_id
      WHERE s.finished_at IS NOT NULL
    ), counted AS (
      INSERT INTO workflow_stats AS t
        (workflow_id, shard, runs_successful, runs_failed, runs_cancelled, duration_us)
      SELECT workflow_id, {SHARD}, (status = 'COMPLETED')::int, (status IN ('FAILED', 'COMPLETED_WITH_FAILURES'))::int,
        (status = 'CANCELLED')::int, CASE WHEN status = 'CANCELLED' THEN 0 ELSE coalesce(duration_us, 0) END
      FROM ended
      ON CONFLICT (workflow_id, shard) DO UPDATE
      SET runs_successful = t.runs_successful + excluded.runs_successful, runs_failed = t.runs_failed + excluded.runs_failed,
        runs_cancelled = t.runs_cancelled + excluded.runs_cancelled, duration_us = t.duration_us + excluded.duration_us
    ), told AS (
      INSERT INTO event (workspace_id, name, payload, depth)
      SELECT workspace_id, name, payload, depth FROM ended WHERE {listened("ended.name", "ended.workspace_id")}
    )
    SELECT * FROM changed
    """


ENDED = text(noting_the_end(f"SELECT {STATE_COLUMNS}, s.error FROM run_state s WHERE s.run_id = :run_id"))


async def note_ended(connection: AsyncConnection, run_id: UUID) -> None:
    """A run that ended in this transaction, by a statement that did not note it."""
    await connection.execute(ENDED, {"run_id": run_id})
