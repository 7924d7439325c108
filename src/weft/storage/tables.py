"""Every table. Migrations make them; a test holds that both say the same.

Wide or rarely read values are `json` (kept as written, cheap to store); what is filtered on is `jsonb`.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB, UUID

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)

Id = UUID(as_uuid=True)
Time = DateTime(timezone=True)


def _one_of(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


workspace = Table(
    "workspace",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("created_at", Time, nullable=False, server_default=func.now()),
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, ForeignKey("workspace.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    Column("expires_at", Time),
    Column("revoked_at", Time),
    Column("last_used_at", Time),
    _one_of("role", "VIEWER", "RUNNER", "EDITOR", "ADMIN"),
)

entity_type = Table(
    "entity_type",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, ForeignKey("workspace.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False, server_default=""),
    Column("schema", JSON, nullable=False),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    Column("updated_at", Time, nullable=False, server_default=func.now()),
    UniqueConstraint("workspace_id", "name"),
)

entity = Table(
    "entity",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, nullable=False),
    # No foreign key: checking it takes a quarter of the time of an import. Whoever adds entities holds their type
    # (`entity_types.hold_type`), and a type that has entities is not deleted.
    Column("entity_type_id", Id, nullable=False),
    Column("external_id", Text),
    Column("data", JSONB, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("published_at", Time),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    Column("updated_at", Time, nullable=False, server_default=func.now()),
    Index("entity_type_order_idx", "entity_type_id", "id"),
    Index(
        "entity_external_id_key",
        "entity_type_id",
        "external_id",
        unique=True,
        postgresql_where=text("external_id IS NOT NULL"),
    ),
)

# `import` is a word of Python, hence the longer name here.
entity_import = Table(
    "entity_import",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, ForeignKey("workspace.id"), nullable=False),
    Column("entity_type_id", Id, ForeignKey("entity_type.id"), nullable=False),
    Column("format", Text, nullable=False),
    Column("on_conflict", Text, nullable=False),
    Column("external_id_field", Text),
    Column("status", Text, nullable=False),
    Column("rows_read", BigInteger, nullable=False, server_default="0"),
    Column("created", BigInteger, nullable=False, server_default="0"),
    Column("updated", BigInteger, nullable=False, server_default="0"),
    Column("skipped", BigInteger, nullable=False, server_default="0"),
    Column("failed", BigInteger, nullable=False, server_default="0"),
    Column("bytes_read", BigInteger, nullable=False, server_default="0"),
    Column("revision", BigInteger, nullable=False, server_default="0"),
    Column("error", Text),
    Column("upload_digest", LargeBinary, nullable=False),
    Column("upload_expires_at", Time, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    Column("started_at", Time),
    Column("updated_at", Time, nullable=False, server_default=func.now()),
    Column("finished_at", Time),
    Index("entity_import_order_idx", "workspace_id", "id"),
)

import_error = Table(
    "import_error",
    metadata,
    Column("import_id", Id, ForeignKey("entity_import.id", ondelete="CASCADE"), primary_key=True),
    Column("line", BigInteger, primary_key=True),
    Column("code", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("path", ARRAY(Text), nullable=False),
    Column("excerpt", Text, nullable=False),
)

workflow = Table(
    "workflow",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, ForeignKey("workspace.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False, server_default=""),
    Column("category", Text),
    Column("entity_type_id", Id, ForeignKey("entity_type.id")),
    Column("status", Text, nullable=False),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    Column("public", Boolean, nullable=False, server_default=text("false")),
    Column("version_id", Id, nullable=False),
    Column("version_number", Integer, nullable=False),
    Column("steps_count", Integer, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    Column("updated_at", Time, nullable=False, server_default=func.now()),
    Column("last_run_at", Time),
    Index("workflow_order_idx", "workspace_id", "id"),
    _one_of("status", "DRAFT", "ACTIVE", "ARCHIVED"),
)

workflow_version = Table(
    "workflow_version",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, ForeignKey("workspace.id"), nullable=False),
    Column("workflow_id", Id, ForeignKey("workflow.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("definition", JSON, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    UniqueConstraint("workflow_id", "number"),
)

template = Table(
    "template",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, ForeignKey("workspace.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False, server_default=""),
    Column("category", Text, nullable=False),
    Column("definition", JSON, nullable=False),
    Column("entity_schema", JSON),
    Column("parameters_schema", JSON),
    Column("created_by", Text, nullable=False),
    Column("created_at", Time, nullable=False, server_default=func.now()),
)

run = Table(
    "run",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, ForeignKey("workspace.id"), nullable=False),
    Column("workflow_id", Id, ForeignKey("workflow.id", ondelete="CASCADE"), nullable=False),
    Column("version_id", Id, ForeignKey("workflow_version.id"), nullable=False),
    Column("entity_type_id", Id),
    Column("parameters", JSON, nullable=False),
    Column("input", JSON),
    Column("trigger_type", Text, nullable=False),
    Column("triggered_by", Text, nullable=False),
    Column("retry_of", Id, ForeignKey("run.id", ondelete="SET NULL")),
    Column("webhook_url", Text),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    Index("run_order_idx", "workspace_id", "id"),
    Index("run_workflow_idx", "workflow_id", "id"),
)

# The counters of a run and what the engine decides by, apart from the run's wide and immutable facts: this row is
# rewritten with every flush, so it has to stay small. `pending` is not stored: it is what the others leave of `total`.
run_state = Table(
    "run_state",
    metadata,
    Column("run_id", Id, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
    Column("status", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False, server_default="0"),
    Column("concurrency", Integer),
    # How many batches may be held at once, over all workers; null for no limit.
    Column("held_limit", Integer),
    Column("total", Integer, nullable=False),
    Column("completed", Integer, nullable=False, server_default="0"),
    Column("failed", Integer, nullable=False, server_default="0"),
    Column("skipped", Integer, nullable=False, server_default="0"),
    Column("cancelled", Integer, nullable=False, server_default="0"),
    Column("revision", BigInteger, nullable=False, server_default="0"),
    # One element per step, in the order of the version's plan.
    Column("step_ids", ARRAY(Text), nullable=False),
    Column("step_completed", ARRAY(BigInteger), nullable=False),
    Column("step_failed", ARRAY(BigInteger), nullable=False),
    Column("step_skipped", ARRAY(BigInteger), nullable=False),
    Column("step_retried", ARRAY(BigInteger), nullable=False),
    Column("step_busy_us", ARRAY(BigInteger), nullable=False),
    Column("served_at", Time, nullable=False, server_default=func.now()),
    Column("started_at", Time),
    Column("finished_at", Time),
    Column("updated_at", Time, nullable=False, server_default=func.now()),
    Column("error", Text),
    Index(
        "run_state_active_idx",
        text("priority DESC"),
        "served_at",
        postgresql_where=text("status IN ('PENDING', 'RUNNING')"),
    ),
    _one_of("status", "PENDING", "RUNNING", "PAUSED", "COMPLETED", "COMPLETED_WITH_FAILURES", "FAILED", "CANCELLED"),
    CheckConstraint("completed + failed + skipped + cancelled <= total", name="counters"),
    postgresql_with={"fillfactor": "50"},
)

run_batch = Table(
    "run_batch",
    metadata,
    Column("run_id", Id, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("first_ordinal", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    # Null for a run without entities: its one item is the run's own input.
    Column("entity_ids", ARRAY(Id)),
    Column("done", Boolean, nullable=False, server_default=text("false")),
    # While it lies in the future the batch is held (or waits for a retry); then, or after a release, it is ready.
    Column("ready_at", Time, nullable=False, server_default=func.now()),
    Column("token", BigInteger, nullable=False, server_default="0"),
    Column("holder", Text),
    Column("attempts", Integer, nullable=False, server_default="0"),
    # Whether items of it have results or checkpoints already, so that a fresh batch need not look for any.
    Column("touched", Boolean, nullable=False, server_default=text("false")),
    Index("run_batch_open_idx", "run_id", "number", postgresql_where=text("NOT done")),
    postgresql_with={"fillfactor": "80"},
)

run_item = Table(
    "run_item",
    metadata,
    # No foreign key, here and below: rows are written only under a lease of the run, and are deleted with it.
    Column("run_id", Id, primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("entity_id", Id),
    Column("entity_version", Integer),
    Column("status", Text, nullable=False),
    Column("error", JSON),
    Column("output", JSON),
    Column("steps", JSON, nullable=False),
    Column("started_at", Time, nullable=False),
    Column("finished_at", Time, nullable=False),
    Index("run_item_unsuccessful_idx", "run_id", "status", "ordinal", postgresql_where=text("status <> 'COMPLETED'")),
)

run_checkpoint = Table(
    "run_checkpoint",
    metadata,
    Column("run_id", Id, primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("entity_version", Integer),
    Column("steps", JSON, nullable=False),
    Column("started_at", Time),
)

run_log = Table(
    "run_log",
    metadata,
    Column("id", Id, primary_key=True),
    Column("run_id", Id, nullable=False),
    Column("ordinal", Integer),
    Column("step_id", Text),
    Column("level", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("fields", JSON, nullable=False),
    Column("at", Time, nullable=False),
    Index("run_log_order_idx", "run_id", "id"),
)

idempotency_key = Table(
    "idempotency_key",
    metadata,
    Column("workspace_id", Id, ForeignKey("workspace.id"), primary_key=True),
    Column("operation", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("body_digest", LargeBinary, nullable=False),
    Column("subject_id", Id, nullable=False),
    Column("created_at", Time, nullable=False, server_default=func.now()),
)

audit_entry = Table(
    "audit_entry",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", Id, ForeignKey("workspace.id"), nullable=False),
    Column("at", Time, nullable=False, server_default=func.now()),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("details", JSON, nullable=False),
    Column("address", Text),
    Index("audit_entry_order_idx", "workspace_id", "id"),
)
