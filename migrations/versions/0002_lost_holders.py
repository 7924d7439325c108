"""Holders of a batch that vanished, the item they are suspected to have died of, and how far ahead a lease may lie."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # Constant defaults: Postgres adds them without rewriting the table.
    op.add_column(
        "run_batch", sa.Column("ready_within", sa.Interval(), server_default=sa.text("'1 day'"), nullable=False)
    )
    op.add_column("run_batch", sa.Column("holders_lost", sa.Integer(), server_default="0", nullable=False))
    op.add_column("run_batch", sa.Column("suspect_ordinal", sa.Integer(), nullable=True))
    op.add_column("run_batch", sa.Column("suspect_step", sa.Text(), nullable=True))
    op.add_column("run_batch", sa.Column("suspect_token", sa.BigInteger(), nullable=True))
    op.add_column("run_batch", sa.Column("suspect_losses", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    for name in (
        "suspect_losses",
        "suspect_token",
        "suspect_step",
        "suspect_ordinal",
        "holders_lost",
        "ready_within",
    ):
        op.drop_column("run_batch", name)
