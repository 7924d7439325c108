"""Model providers."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "model_provider",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("base_url", sa.Text(), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=True),
        sa.Column("requests_per_minute", sa.Integer(), nullable=True),
        sa.Column("tokens_per_minute", sa.Integer(), nullable=True),
        sa.Column("concurrency", sa.Integer(), nullable=True),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('OPENAI_COMPATIBLE', 'ANTHROPIC')", name=op.f("model_provider_kind_check")),
        sa.CheckConstraint(
            "requests_per_minute > 0 AND tokens_per_minute > 0 AND concurrency > 0",
            name=op.f("model_provider_limits_check"),
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("model_provider_workspace_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("model_provider_pkey")),
        sa.UniqueConstraint("workspace_id", "name", name=op.f("model_provider_workspace_id_name_key")),
    )


def downgrade() -> None:
    op.drop_table("model_provider")
