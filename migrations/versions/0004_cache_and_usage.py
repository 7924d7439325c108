"""What models cost, and what steps remember."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # A constant default: Postgres adds it without rewriting the table.
    op.add_column(
        "run_state",
        sa.Column("step_usage", postgresql.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"), nullable=False),
    )
    op.create_table(
        "step_cache",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("result", postgresql.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name="step_cache_workspace_id_fkey"),
        sa.PrimaryKeyConstraint("workspace_id", "key", name="step_cache_pkey"),
    )
    op.create_index("step_cache_expiry_idx", "step_cache", ["expires_at"])


def downgrade() -> None:
    op.drop_table("step_cache")
    op.drop_column("run_state", "step_usage")
