"""Runs: their facts, counters, batches, results and logs."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Interval,
    SmallInteger,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON

from weft.storage.tables.base import Id, Time, metadata, one_of

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
    # Of a trigger or of a schedule; no foreign key, since it may be deleted.
    Column("trigger_id", Id),
    Column("event_id", Id),
    # How many runs lie behind it, each the cause of the next.
    Column("depth", SmallInteger, nullable=False, server_default="0"),
    Column("retry_of", Id, ForeignKey("run.id", ondelete="SET NULL")),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    # The transaction that made it. Ids and times do not come in the order of commits, so who wants to see every new run
    # looks for those of transactions that were under way when it looked last.
    Column("created_in", BigInteger, server_default=text("pg_current_xact_id()::text::bigint")),
    Index("run_order_idx", "workspace_id", "id"),
    Index("run_workflow_idx", "workflow_id", "id"),
    Index("run_retry_idx", "retry_of", postgresql_where=text("retry_of IS NOT NULL")),
    Index("run_trigger_idx", "trigger_id", "id", postgresql_where=text("trigger_id IS NOT NULL")),
    Index("run_created_in_idx", "workspace_id", "created_in", postgresql_where=text("created_in IS NOT NULL")),
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
    # The figures of `domain.usage.Usage` of the first step, then those of the second, and so on. Empty until there are any.
    Column("step_usage", ARRAY(BigInteger), nullable=False, server_default=text("'{}'")),
    Column("served_at", Time, nullable=False, server_default=func.now()),
    Column("started_at", Time),
    Column("finished_at", Time),
    Column("updated_at", Time, nullable=False, server_default=func.now()),
    Column("error", Text),
    # Of the log: lines that are stored, and lines that were said beyond its bounds and are not.
    Column("log_lines", Integer, nullable=False, server_default="0"),
    Column("log_lines_left_out", BigInteger, nullable=False, server_default="0"),
    Index(
        "run_state_active_idx",
        text("priority DESC"),
        "served_at",
        postgresql_where=text("status IN ('PENDING', 'RUNNING')"),
    ),
    Index("run_state_paused_idx", "run_id", postgresql_where=text("status = 'PAUSED'")),
    one_of("status", "PENDING", "RUNNING", "PAUSED", "COMPLETED", "COMPLETED_WITH_FAILURES", "FAILED", "CANCELLED"),
    CheckConstraint("completed + failed + skipped + cancelled <= total", name="counters"),
    postgresql_with={"fillfactor": "50"},
)

# What each revision of `run_state` changed, written by the statement that made the revision. There is none for revision 0,
# with which a run is made.
run_change = Table(
    "run_change",
    metadata,
    Column("run_id", Id, primary_key=True),
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Time, nullable=False),
    # Null where it stayed as it was.
    Column("status", Text),
    # Items with a result since the revision before: first and last ordinal of each unbroken stretch, one after the other.
    Column("finished", ARRAY(Integer), nullable=False),
    # Lines of the log that came with it.
    Column("logs", Integer, nullable=False, server_default="0"),
)

run_batch = Table(
    "run_batch",
    metadata,
    # No foreign key, here and below: there may be a million for one run, which are deleted after it bit by bit.
    Column("run_id", Id, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("first_ordinal", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    # Null for a run without entities: its one item is the run's own input.
    Column("entity_ids", ARRAY(Id)),
    Column("done", Boolean, nullable=False, server_default=text("false")),
    # While it lies in the future the batch is held (or waits for a retry); then, or after a release, it is ready.
    Column("ready_at", Time, nullable=False, server_default=func.now()),
    # How far ahead `ready_at` was set at most. One that lies further ahead was set before the clock was set back.
    Column("ready_within", Interval, nullable=False, server_default=text("'1 day'")),
    Column("token", BigInteger, nullable=False, server_default="0"),
    Column("holder", Text),
    Column("attempts", Integer, nullable=False, server_default="0"),
    # Whether items of it have results or checkpoints already, so that a fresh batch need not look for any.
    Column("touched", Boolean, nullable=False, server_default=text("false")),
    # Holders whose lease ran out: they died, or could not be reached.
    Column("holders_lost", Integer, nullable=False, server_default="0"),
    # Once they are several: the item and step that the holder with this token had under way last, and how many
    # holders in a row were lost with that item under way.
    Column("suspect_ordinal", Integer),
    Column("suspect_step", Text),
    Column("suspect_token", BigInteger),
    Column("suspect_losses", Integer, nullable=False, server_default="0"),
    Index("run_batch_open_idx", "run_id", "number", postgresql_where=text("NOT done")),
    postgresql_with={"fillfactor": "80"},
)

run_item = Table(
    "run_item",
    metadata,
    # Rows are written only under a lease of the run.
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
    # Its place: the revision that the flush gave the run which wrote it, and its number among the lines of that flush, from 0.
    # Lines that are older than places have revision and number 0, and are told apart by their ids.
    Column("revision", BigInteger, nullable=False, server_default="0"),
    Column("number", Integer, nullable=False, server_default="0"),
    Index("run_log_place_idx", "run_id", "revision", "number", "id"),
)
