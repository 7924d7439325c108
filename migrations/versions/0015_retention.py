"""What is deleted bit by bit, and what finds rows by their age."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "retention_turn",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("place", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("retention_turn_pkey")),
    )
    op.execute("INSERT INTO retention_turn (name) VALUES ('sweep'), ('documents'), ('files')")
    op.create_table(
        "deleted_run",
        sa.Column("run_id", sa.UUID(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("deleted_run_pkey")),
    )
    op.create_table(
        "past_usage",
        sa.Column("workflow_id", sa.UUID(), nullable=False),
        sa.Column("figure", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["workflow.id"], name=op.f("past_usage_workflow_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workflow_id", "figure", name=op.f("past_usage_pkey")),
    )
    # A run may have a million batches, which are deleted after it, bit by bit.
    op.drop_constraint("run_batch_run_id_fkey", "run_batch", type_="foreignkey")
    # To delete a run looks for its retries.
    op.create_index("run_retry_idx", "run", ["retry_of"], postgresql_where=sa.text("retry_of IS NOT NULL"))
    op.create_index(
        "delivery_age_idx", "delivery", ["finished_at"], postgresql_where=sa.text("finished_at IS NOT NULL")
    )
    op.create_index("idempotency_key_age_idx", "idempotency_key", ["created_at"])
    op.create_index(
        "upload_content_idx", "upload", ["workspace_id", "sha256"], postgresql_where=sa.text("sha256 IS NOT NULL")
    )


def downgrade() -> None:
    op.drop_index("upload_content_idx", table_name="upload")
    op.drop_index("idempotency_key_age_idx", table_name="idempotency_key")
    op.drop_index("delivery_age_idx", table_name="delivery")
    op.drop_index("run_retry_idx", table_name="run")
    # What is left of deleted runs.
    for table in ("run_batch", "run_item", "run_checkpoint", "run_log"):
        op.execute(f"DELETE FROM {table} WHERE run_id IN (SELECT run_id FROM deleted_run)")
    op.create_foreign_key("run_batch_run_id_fkey", "run_batch", "run", ["run_id"], ["id"], ondelete="CASCADE")
    for table in ("past_usage", "deleted_run", "retention_turn"):
        op.drop_table(table)
