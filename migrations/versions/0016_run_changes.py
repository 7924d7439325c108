"""What every revision of a run changed, and in which transaction a run was made."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "run_change",
        sa.Column("run_id", sa.UUID(), nullable=False),
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Text()),
        sa.Column("finished", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "revision", name=op.f("run_change_pkey")),
    )
    # First without the default: with it every run there is would be written anew.
    op.add_column("run", sa.Column("created_in", sa.BigInteger()))
    op.alter_column("run", "created_in", server_default=sa.text("pg_current_xact_id()::text::bigint"))
    op.create_index(
        "run_created_in_idx",
        "run",
        ["workspace_id", "created_in"],
        postgresql_where=sa.text("created_in IS NOT NULL"),
    )
    op.create_index("run_state_paused_idx", "run_state", ["run_id"], postgresql_where=sa.text("status = 'PAUSED'"))


def downgrade() -> None:
    op.drop_index("run_state_paused_idx", "run_state")
    op.drop_index("run_created_in_idx", "run")
    op.drop_column("run", "created_in")
    op.drop_table("run_change")
