"""Uploads, files and the events outbox."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # Constant defaults: Postgres adds them without rewriting the table.
    op.add_column("entity_type", sa.Column("built_in", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("entity_type", sa.Column("holds_documents", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "file",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mime_type", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("file_workspace_id_fkey")),
        sa.PrimaryKeyConstraint("workspace_id", "sha256", name=op.f("file_pkey")),
    )
    op.create_table(
        "file_total",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("files", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("file_total_workspace_id_fkey")),
        sa.PrimaryKeyConstraint("workspace_id", name=op.f("file_total_pkey")),
    )
    op.create_table(
        "upload",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("declared_size", sa.BigInteger(), nullable=True),
        sa.Column("declared_sha256", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("document_id", sa.UUID(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("upload_workspace_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("upload_pkey")),
    )
    op.create_index("upload_order_idx", "upload", ["workspace_id", "id"], unique=False)
    op.create_table(
        "document",
        sa.Column("entity_id", sa.UUID(), nullable=False),
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("mime_type", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "sha256"], ["file.workspace_id", "file.sha256"], name="document_file_fkey"
        ),
        sa.PrimaryKeyConstraint("entity_id", name=op.f("document_pkey")),
    )
    op.create_index("document_content_idx", "document", ["workspace_id", "sha256"], unique=False)
    op.create_table(
        "event",
        sa.Column("id", sa.UUID(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("depth", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("event_pkey")),
    )
    op.create_index("event_order_idx", "event", ["workspace_id", "id"], unique=False)


def downgrade() -> None:
    for table in ("event", "document", "upload", "file_total", "file"):
        op.drop_table(table)
    for column in ("holds_documents", "built_in"):
        op.drop_column("entity_type", column)
