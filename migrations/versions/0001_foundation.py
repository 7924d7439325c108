"""The foundation: everything from workspaces to the audit log."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "entity",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("entity_type_id", sa.UUID(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("entity_pkey")),
    )
    op.create_index(
        "entity_external_id_key",
        "entity",
        ["entity_type_id", "external_id"],
        unique=True,
        postgresql_where=sa.text("external_id IS NOT NULL"),
    )
    op.create_index("entity_type_order_idx", "entity", ["entity_type_id", "id"], unique=False)
    op.create_table(
        "run_checkpoint",
        sa.Column("run_id", sa.UUID(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("steps", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "ordinal", name=op.f("run_checkpoint_pkey")),
    )
    op.create_table(
        "run_item",
        sa.Column("run_id", sa.UUID(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("entity_id", sa.UUID(), nullable=True),
        sa.Column("entity_version", sa.Integer(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("error", postgresql.JSON(astext_type=sa.Text()), nullable=True),
        sa.Column("output", postgresql.JSON(astext_type=sa.Text()), nullable=True),
        sa.Column("steps", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "ordinal", name=op.f("run_item_pkey")),
    )
    op.create_index(
        "run_item_unsuccessful_idx",
        "run_item",
        ["run_id", "status", "ordinal"],
        unique=False,
        postgresql_where=sa.text("status <> 'COMPLETED'"),
    )
    op.create_table(
        "run_log",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("run_id", sa.UUID(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=True),
        sa.Column("step_id", sa.Text(), nullable=True),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("fields", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("run_log_pkey")),
    )
    op.create_index("run_log_order_idx", "run_log", ["run_id", "id"], unique=False)
    op.create_table(
        "workspace",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("workspace_pkey")),
        sa.UniqueConstraint("name", name=op.f("workspace_name_key")),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('VIEWER', 'RUNNER', 'EDITOR', 'ADMIN')", name=op.f("api_key_role_check")),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("api_key_workspace_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("api_key_pkey")),
        sa.UniqueConstraint("digest", name=op.f("api_key_digest_key")),
    )
    op.create_index(op.f("api_key_workspace_id_idx"), "api_key", ["workspace_id"], unique=False)
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("details", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("audit_entry_workspace_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("audit_entry_pkey")),
    )
    op.create_index("audit_entry_order_idx", "audit_entry", ["workspace_id", "id"], unique=False)
    op.create_table(
        "entity_type",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("schema", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("entity_type_workspace_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("entity_type_pkey")),
        sa.UniqueConstraint("workspace_id", "name", name=op.f("entity_type_workspace_id_name_key")),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body_digest", sa.LargeBinary(), nullable=False),
        sa.Column("subject_id", sa.UUID(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("idempotency_key_workspace_id_fkey")),
        sa.PrimaryKeyConstraint("workspace_id", "operation", "key", name=op.f("idempotency_key_pkey")),
    )
    op.create_table(
        "template",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("definition", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("entity_schema", postgresql.JSON(astext_type=sa.Text()), nullable=True),
        sa.Column("parameters_schema", postgresql.JSON(astext_type=sa.Text()), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("template_workspace_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("template_pkey")),
    )
    op.create_index(op.f("template_workspace_id_idx"), "template", ["workspace_id"], unique=False)
    op.create_table(
        "entity_import",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("entity_type_id", sa.UUID(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("on_conflict", sa.Text(), nullable=False),
        sa.Column("external_id_field", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("rows_read", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("updated", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("skipped", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("bytes_read", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("upload_digest", sa.LargeBinary(), nullable=False),
        sa.Column("upload_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["entity_type_id"], ["entity_type.id"], name=op.f("entity_import_entity_type_id_fkey")),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("entity_import_workspace_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("entity_import_pkey")),
    )
    op.create_index("entity_import_order_idx", "entity_import", ["workspace_id", "id"], unique=False)
    op.create_table(
        "workflow",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("entity_type_id", sa.UUID(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("public", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("version_id", sa.UUID(), nullable=False),
        sa.Column("version_number", sa.Integer(), nullable=False),
        sa.Column("steps_count", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_run_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('DRAFT', 'ACTIVE', 'ARCHIVED')", name=op.f("workflow_status_check")),
        sa.ForeignKeyConstraint(["entity_type_id"], ["entity_type.id"], name=op.f("workflow_entity_type_id_fkey")),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("workflow_workspace_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("workflow_pkey")),
    )
    op.create_index("workflow_order_idx", "workflow", ["workspace_id", "id"], unique=False)
    op.create_table(
        "import_error",
        sa.Column("import_id", sa.UUID(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("path", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("excerpt", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["entity_import.id"], name=op.f("import_error_import_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("import_id", "line", name=op.f("import_error_pkey")),
    )
    op.create_table(
        "workflow_version",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("workflow_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("definition", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["workflow.id"], name=op.f("workflow_version_workflow_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("workflow_version_workspace_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("workflow_version_pkey")),
        sa.UniqueConstraint("workflow_id", "number", name=op.f("workflow_version_workflow_id_number_key")),
    )
    op.create_table(
        "run",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("workflow_id", sa.UUID(), nullable=False),
        sa.Column("version_id", sa.UUID(), nullable=False),
        sa.Column("entity_type_id", sa.UUID(), nullable=True),
        sa.Column("parameters", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("input", postgresql.JSON(astext_type=sa.Text()), nullable=True),
        sa.Column("trigger_type", sa.Text(), nullable=False),
        sa.Column("triggered_by", sa.Text(), nullable=False),
        sa.Column("retry_of", sa.UUID(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["retry_of"], ["run.id"], name=op.f("run_retry_of_fkey"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["version_id"], ["workflow_version.id"], name=op.f("run_version_id_fkey")),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["workflow.id"], name=op.f("run_workflow_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("run_workspace_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("run_pkey")),
    )
    op.create_index("run_order_idx", "run", ["workspace_id", "id"], unique=False)
    op.create_index("run_workflow_idx", "run", ["workflow_id", "id"], unique=False)
    op.create_table(
        "run_batch",
        sa.Column("run_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("first_ordinal", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("entity_ids", postgresql.ARRAY(sa.UUID()), nullable=True),
        sa.Column("done", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("token", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("touched", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("run_batch_run_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "number", name=op.f("run_batch_pkey")),
        postgresql_with={"fillfactor": "80"},
    )
    op.create_index(
        "run_batch_open_idx", "run_batch", ["run_id", "number"], unique=False, postgresql_where=sa.text("NOT done")
    )
    op.create_table(
        "run_state",
        sa.Column("run_id", sa.UUID(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=True),
        sa.Column("held_limit", sa.Integer(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("completed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("skipped", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cancelled", sa.Integer(), server_default="0", nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("step_ids", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("step_completed", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("step_failed", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("step_skipped", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("step_retried", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("step_busy_us", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("served_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "status IN ('PENDING', 'RUNNING', 'PAUSED', 'COMPLETED', 'COMPLETED_WITH_FAILURES', 'FAILED', 'CANCELLED')",
            name=op.f("run_state_status_check"),
        ),
        sa.CheckConstraint("completed + failed + skipped + cancelled <= total", name=op.f("run_state_counters_check")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("run_state_run_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", name=op.f("run_state_pkey")),
        postgresql_with={"fillfactor": "50"},
    )
    op.create_index(
        "run_state_active_idx",
        "run_state",
        [sa.literal_column("priority DESC"), "served_at"],
        unique=False,
        postgresql_where=sa.text("status IN ('PENDING', 'RUNNING')"),
    )


def downgrade() -> None:
    op.drop_index(
        "run_state_active_idx", table_name="run_state", postgresql_where=sa.text("status IN ('PENDING', 'RUNNING')")
    )
    op.drop_table("run_state")
    op.drop_index("run_batch_open_idx", table_name="run_batch", postgresql_where=sa.text("NOT done"))
    op.drop_table("run_batch")
    op.drop_index("run_workflow_idx", table_name="run")
    op.drop_index("run_order_idx", table_name="run")
    op.drop_table("run")
    op.drop_table("workflow_version")
    op.drop_table("import_error")
    op.drop_index("workflow_order_idx", table_name="workflow")
    op.drop_table("workflow")
    op.drop_index("entity_import_order_idx", table_name="entity_import")
    op.drop_table("entity_import")
    op.drop_index(op.f("template_workspace_id_idx"), table_name="template")
    op.drop_table("template")
    op.drop_table("idempotency_key")
    op.drop_table("entity_type")
    op.drop_index("audit_entry_order_idx", table_name="audit_entry")
    op.drop_table("audit_entry")
    op.drop_index(op.f("api_key_workspace_id_idx"), table_name="api_key")
    op.drop_table("api_key")
    op.drop_table("workspace")
    op.drop_index("run_log_order_idx", table_name="run_log")
    op.drop_table("run_log")
    op.drop_index("run_item_unsuccessful_idx", table_name="run_item", postgresql_where=sa.text("status <> 'COMPLETED'"))
    op.drop_table("run_item")
    op.drop_table("run_checkpoint")
    op.drop_index("entity_type_order_idx", table_name="entity")
    op.drop_index("entity_external_id_key", table_name="entity", postgresql_where=sa.text("external_id IS NOT NULL"))
    op.drop_table("entity")
