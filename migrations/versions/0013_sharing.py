"""Ratings of workflows, and what is seen across workspaces."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_COUNTED = ("copies", "ratings", "stars")


def upgrade() -> None:
    op.create_table(
        "workflow_rating",
        sa.Column("workflow_id", sa.UUID(), nullable=False),
        sa.Column("key_id", sa.UUID(), nullable=False),
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("rating", sa.SmallInteger(), nullable=False),
        sa.Column("rated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("workflow_rating_rating_check")),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["workflow.id"], name=op.f("workflow_rating_workflow_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("workflow_rating_workspace_id_fkey")),
        sa.PrimaryKeyConstraint("workflow_id", "key_id", name=op.f("workflow_rating_pkey")),
    )
    for counted in _COUNTED:
        op.add_column("workflow_stats", sa.Column(counted, sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("workflow", sa.Column("copied_from", sa.UUID(), nullable=True))
    op.create_index("workflow_public_idx", "workflow", ["id"], postgresql_where=sa.text("public"))


def downgrade() -> None:
    op.drop_index("workflow_public_idx", table_name="workflow")
    op.drop_column("workflow", "copied_from")
    for counted in _COUNTED:
        op.drop_column("workflow_stats", counted)
    op.drop_table("workflow_rating")
