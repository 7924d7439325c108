"""Triggers, their firings, and events that wait for them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "trigger",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("workflow_id", sa.UUID(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=True),
        sa.Column("filter", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("condition", sa.Text(), nullable=True),
        sa.Column("input", postgresql.JSON(astext_type=sa.Text()), nullable=True),
        sa.Column("parameters", postgresql.JSON(astext_type=sa.Text()), nullable=True),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("type IN ('EVENT', 'WEBHOOK')", name=op.f("trigger_type_check")),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["workflow.id"], name=op.f("trigger_workflow_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("trigger_workspace_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("trigger_pkey")),
        sa.UniqueConstraint("workflow_id", "position", name=op.f("trigger_workflow_id_position_key")),
    )
    op.create_index(
        "trigger_event_idx", "trigger", ["workspace_id", "event"], postgresql_where=sa.text("event IS NOT NULL")
    )
    op.create_index("trigger_order_idx", "trigger", ["workspace_id", "id"])
    op.create_table(
        "firing",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("workflow_id", sa.UUID(), nullable=False),
        sa.Column("trigger_type", sa.Text(), nullable=False),
        sa.Column("trigger_id", sa.UUID(), nullable=False),
        sa.Column("trigger_name", sa.Text(), nullable=False),
        sa.Column("event_id", sa.UUID(), nullable=True),
        sa.Column("slot_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("run_id", sa.UUID(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('STARTED', 'QUEUED', 'SKIPPED', 'REFUSED', 'CUT')", name=op.f("firing_outcome_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("firing_pkey")),
    )
    op.create_index(
        "firing_event_key",
        "firing",
        ["event_id", "workflow_id"],
        unique=True,
        postgresql_where=sa.text("event_id IS NOT NULL"),
    )
    op.create_index(
        "firing_slot_key",
        "firing",
        ["trigger_id", "slot_at"],
        unique=True,
        postgresql_where=sa.text("slot_at IS NOT NULL"),
    )
    op.create_index("firing_order_idx", "firing", ["workspace_id", "id"])
    op.create_index("firing_workflow_idx", "firing", ["workflow_id", "id"])
    op.create_index("firing_trigger_idx", "firing", ["trigger_id", "id"])
    op.add_column("event", sa.Column("trigger_id", sa.UUID(), nullable=True))
    op.add_column("event", sa.Column("external_key", sa.Text(), nullable=True))
    op.add_column("event", sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True))
    # Nobody listened when they were written.
    op.execute("UPDATE event SET handled_at = created_at")
    op.create_index("event_open_idx", "event", ["workspace_id", "id"], postgresql_where=sa.text("handled_at IS NULL"))
    op.create_index(
        "event_external_key",
        "event",
        ["trigger_id", "external_key"],
        unique=True,
        postgresql_where=sa.text("external_key IS NOT NULL"),
    )
    op.add_column("run", sa.Column("trigger_id", sa.UUID(), nullable=True))
    op.add_column("run", sa.Column("event_id", sa.UUID(), nullable=True))
    op.add_column("run", sa.Column("depth", sa.SmallInteger(), server_default="0", nullable=False))
    op.create_index("run_trigger_idx", "run", ["trigger_id", "id"], postgresql_where=sa.text("trigger_id IS NOT NULL"))


def downgrade() -> None:
    op.drop_index("run_trigger_idx", table_name="run")
    for column in ("depth", "event_id", "trigger_id"):
        op.drop_column("run", column)
    for index in ("event_external_key", "event_open_idx"):
        op.drop_index(index, table_name="event")
    for column in ("handled_at", "external_key", "trigger_id"):
        op.drop_column("event", column)
    op.drop_table("firing")
    op.drop_table("trigger")
