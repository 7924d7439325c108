"""Who is told by webhook how a run goes on."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "run_webhook",
        sa.Column("run_id", sa.UUID(), nullable=False),
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("lane", sa.UUID(), nullable=False),
        sa.Column("told", sa.Text(), nullable=True),
        sa.Column("told_revision", sa.BigInteger(), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivery_id", sa.UUID(), nullable=True),
        sa.CheckConstraint("told IN ('STARTED', 'PROGRESS', 'ENDED')", name=op.f("run_webhook_told_check")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("run_webhook_run_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", name=op.f("run_webhook_pkey")),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_index(
        "run_webhook_open_idx",
        "run_webhook",
        ["run_id"],
        postgresql_where=sa.text("told IS DISTINCT FROM 'ENDED'"),
    )


def downgrade() -> None:
    op.drop_table("run_webhook")
    # Of a kind that the code before this does not know.
    op.execute("DELETE FROM delivery WHERE kind = 'RUN'")
