"""Datastores."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "datastore",
        sa.Column("id", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("workspace_id", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=True),
        sa.Column("port", sa.Integer(), nullable=True),
        sa.Column("database", sa.Text(), nullable=True),
        sa.Column("user", sa.Text(), nullable=True),
        sa.Column("tls", sa.Text(), nullable=True),
        sa.Column("file", sa.Text(), nullable=True),
        sa.Column("password", sa.LargeBinary(), nullable=True),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('POSTGRESQL', 'MYSQL', 'SQLITE')", name=op.f("datastore_kind_check")),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("datastore_workspace_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("datastore_pkey")),
        sa.UniqueConstraint("workspace_id", "name", name=op.f("datastore_workspace_id_name_key")),
    )
    op.create_index("datastore_order_idx", "datastore", ["workspace_id", "id"], unique=False)


def downgrade() -> None:
    op.drop_table("datastore")
