"""The place of a line in the log of its run, and how many lines a run has."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # Constants as defaults: no row is written anew. The lines there are, and those that workers of the old version still write,
    # all have the first place, where their ids tell their order.
    op.add_column("run_log", sa.Column("revision", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("run_log", sa.Column("number", sa.Integer(), server_default="0", nullable=False))
    op.create_index("run_log_place_idx", "run_log", ["run_id", "revision", "number", "id"])
    op.drop_index("run_log_order_idx", "run_log")
    op.add_column("run_change", sa.Column("logs", sa.Integer(), server_default="0", nullable=False))
    op.add_column("run_state", sa.Column("log_lines", sa.Integer(), server_default="0", nullable=False))
    op.add_column("run_state", sa.Column("log_lines_left_out", sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("run_state", "log_lines_left_out")
    op.drop_column("run_state", "log_lines")
    op.drop_column("run_change", "logs")
    op.create_index("run_log_order_idx", "run_log", ["run_id", "id"])
    op.drop_index("run_log_place_idx", "run_log")
    op.drop_column("run_log", "number")
    op.drop_column("run_log", "revision")
