"""Schedules."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "schedule",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("workflow_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cron_expression", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("selection", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("input", postgresql.JSON(astext_type=sa.Text()), nullable=True),
        sa.Column("parameters", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("overlap", sa.Text(), nullable=False),
        sa.Column("catch_up", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_slot_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_run_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "queue", postgresql.ARRAY(sa.DateTime(timezone=True)), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("waits_for", sa.UUID(), nullable=True),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("catch_up IN ('NONE', 'LAST', 'ALL')", name=op.f("schedule_catch_up_check")),
        sa.CheckConstraint("overlap IN ('SKIP', 'QUEUE', 'ALLOW')", name=op.f("schedule_overlap_check")),
        sa.CheckConstraint("(waits_for IS NULL) = (cardinality(queue) = 0)", name=op.f("schedule_waiting_check")),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["workflow.id"], name=op.f("schedule_workflow_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("schedule_workspace_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("schedule_pkey")),
    )
    op.create_index("schedule_due_idx", "schedule", ["next_at"], postgresql_where=sa.text("next_at IS NOT NULL"))
    op.create_index(
        "schedule_waiting_idx", "schedule", ["waits_for"], postgresql_where=sa.text("waits_for IS NOT NULL")
    )
    op.create_index("schedule_order_idx", "schedule", ["workspace_id", "id"])
    op.create_index("schedule_workflow_idx", "schedule", ["workflow_id", "id"])


def downgrade() -> None:
    op.drop_table("schedule")
