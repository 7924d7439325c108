"""What became of the runs of each workflow, counted along."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "workflow_stats",
        sa.Column("workflow_id", sa.UUID(), nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("runs_total", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("runs_successful", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("runs_failed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("runs_cancelled", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("duration_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_run_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["workflow.id"], name=op.f("workflow_stats_workflow_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workflow_id", "shard", name=op.f("workflow_stats_pkey")),
        postgresql_with={"fillfactor": "50"},
    )
    op.execute(
        """
        INSERT INTO workflow_stats
          (workflow_id, shard, runs_total, runs_successful, runs_failed, runs_cancelled, duration_us, last_run_at)
        SELECT w.id, 0, count(r.id), count(*) FILTER (WHERE s.status = 'COMPLETED'),
          count(*) FILTER (WHERE s.status IN ('FAILED', 'COMPLETED_WITH_FAILURES')),
          count(*) FILTER (WHERE s.status = 'CANCELLED'),
          coalesce(sum(extract(epoch FROM s.finished_at - s.started_at) * 1000000)
            FILTER (WHERE s.status IN ('COMPLETED', 'FAILED', 'COMPLETED_WITH_FAILURES')), 0)::bigint,
          w.last_run_at
        FROM workflow w JOIN run r ON r.workflow_id = w.id JOIN run_state s ON s.run_id = r.id
        GROUP BY w.id
        """
    )
    op.drop_column("workflow", "last_run_at")


def downgrade() -> None:
    op.add_column("workflow", sa.Column("last_run_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        """
        UPDATE workflow w SET last_run_at = s.last_run_at
        FROM (SELECT workflow_id, max(last_run_at) AS last_run_at FROM workflow_stats GROUP BY 1) s
        WHERE s.workflow_id = w.id
        """
    )
    op.drop_table("workflow_stats")
