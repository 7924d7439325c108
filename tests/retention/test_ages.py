"""What goes at which age, what goes at none, and what never goes while it is open."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from retention.keeping import Keeping

from weft.domain.ids import new_id
from weft.domain.retention import Ages
from weft.settings import Settings

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Case:
    age: str
    """The field of `Ages`."""
    name: str
    """As the sweeper tells it."""
    table: str
    over: str
    """What may go, made now."""
    open: str
    """What is as old, and must not go."""


EVENT = "INSERT INTO event (workspace_id, name, payload, handled_at) VALUES (:workspace_id, 'x', '{}', %s)"
FIRING = """INSERT INTO firing (id, workspace_id, workflow_id, trigger_type, trigger_id, trigger_name, outcome)
  SELECT uuidv7(), :workspace_id, uuidv7(), 'SCHEDULE', %s, 'x', '%s'"""
DELIVERY = """WITH d AS (INSERT INTO delivery (id, workspace_id, kind, lane, integration_name, message, status, attempts, finished_at)
  VALUES (uuidv7(), :workspace_id, 'MESSAGE', uuidv7(), 'x', '{}', %s) RETURNING id)
  INSERT INTO delivery_attempt (delivery_id, number, started_at) SELECT id, 1, now() FROM d"""
AUDIT = """INSERT INTO audit_entry (id, workspace_id, at, actor, action, subject_id, details)
  VALUES (uuidv7(), :workspace_id, now(), 'x', 'x', 'x', '{}')"""
IMPORT = """WITH i AS (INSERT INTO entity_import (id, workspace_id, entity_type_id, format, on_conflict, status, upload_digest,
  upload_expires_at, created_by, updated_at) SELECT uuidv7(), workspace_id, id, 'CSV', 'FAIL', 'COMPLETED', 'x',
  now(), 'x', %s FROM entity_type LIMIT 1 RETURNING id)
  INSERT INTO import_error (import_id, line, code, message, path, excerpt) SELECT id, 1, 'x', 'x', '{}', 'x' FROM i"""
UPLOAD = """INSERT INTO upload (id, workspace_id, name, expires_at, created_by)
  VALUES (uuidv7(), :workspace_id, 'x', %s, 'x')"""
IDEMPOTENT = """INSERT INTO idempotency_key (workspace_id, operation, key, body_digest, subject_id, created_at)
  VALUES (:workspace_id, 'x', uuidv7()::text, 'x', uuidv7(), %s)"""
KEY = """INSERT INTO api_key (id, workspace_id, name, role, prefix, digest, revoked_at, expires_at)
  VALUES (uuidv7(), :workspace_id, 'x', 'ADMIN', 'x', uuidv7()::text::bytea, %s)"""
SOON = "now() + interval '500 days'"

CASES = [
    Case("events", "events", "event", EVENT % "now()", EVENT % "NULL"),
    Case(
        "events",
        "firings",
        "firing",
        FIRING % ("uuidv7()", "STARTED"),
        FIRING % ("(SELECT id FROM schedule LIMIT 1)", "QUEUED"),
    ),
    Case("deliveries", "deliveries", "delivery", DELIVERY % "'FAILED', 1, now()", DELIVERY % "'PENDING', 1, NULL"),
    Case("audit", "audit entries", "audit_entry", AUDIT, AUDIT.replace("uuidv7()", "uuidv7(interval '500 days')")),
    Case("imports", "imports", "entity_import", IMPORT % "now()", IMPORT % SOON),
    Case("files", "uploads", "upload", UPLOAD % "now()", UPLOAD % SOON),
    Case("idempotency_keys", "idempotency keys", "idempotency_key", IDEMPOTENT % "now()", IDEMPOTENT % SOON),
    Case("api_keys", "API keys", "api_key", KEY % "now(), NULL", KEY % "NULL, NULL"),
    Case("api_keys", "API keys", "api_key", KEY % "NULL, now()", KEY % f"NULL, {SOON}"),
]


@pytest.fixture
async def standing(keeping: Keeping) -> Keeping:
    """What the rows of the cases refer to."""
    workflow = await keeping.workflow()
    await keeping.do(
        "INSERT INTO entity_type (id, workspace_id, name, schema) VALUES (uuidv7(), :workspace_id, 'x', '{}')"
    )
    await keeping.do(
        """INSERT INTO schedule (id, workspace_id, workflow_id, name, cron_expression, timezone, selection, parameters, overlap,
          catch_up, created_by) VALUES (uuidv7(), :workspace_id, :workflow_id, 'x', '0 9 * * *', 'UTC', '{}', '{}', 'SKIP', 'NONE',
          'x')""",
        workflow_id=workflow.id,
    )
    await keeping.do("DELETE FROM audit_entry")
    return keeping


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_what_is_over_goes_at_its_age_and_what_is_open_never(standing: Keeping, case: Case) -> None:
    age = getattr(Ages(), case.age)
    before = await standing.count(case.table)
    for _ in range(3):
        await standing.do(case.over)
    await standing.do(case.open)
    assert case.name not in await standing.sweep(age - MINUTE)
    assert await standing.count(case.table) == before + 4
    assert (await standing.sweep(age + MINUTE))[case.name] == 3
    assert await standing.count(case.table) == before + 1
    assert await standing.sweep(age + MINUTE) == {}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_what_is_kept_for_ever_is(standing: Keeping, case: Case) -> None:
    standing.ages = replace(Ages(), **{case.age: None})
    await standing.do(case.over)
    assert case.name not in await standing.sweep(400 * DAY)


async def test_a_run_goes_at_its_age_with_all_that_belongs_to_it_and_one_that_goes_on_never(keeping: Keeping) -> None:
    old, going = await keeping.run(items=3), await keeping.run(items=3, status="PAUSED")
    keeping.ages = replace(Ages(), logs=None)
    assert await keeping.sweep(90 * DAY - MINUTE) == {}
    swept = await keeping.sweep(90 * DAY + MINUTE)
    assert swept["runs"] == 1
    for table in ("run_state", "run_item", "run_checkpoint", "run_batch", "run_change", "run_log", "run_webhook"):
        assert await keeping.count(table, "run_id = :id", id=old) == 0, table
        assert await keeping.count(table, "run_id = :id", id=going) > 0, table
    assert (await keeping.count("run"), await keeping.count("deleted_run")) == (1, 0)


async def test_the_log_of_a_run_goes_before_the_run(keeping: Keeping) -> None:
    run_id = await keeping.run(logs=5)
    assert (await keeping.sweep(30 * DAY + MINUTE))["logs"] == 5
    assert (await keeping.count("run_log"), await keeping.count("run", "id = :id", id=run_id)) == (0, 1)


async def test_a_key_that_the_audit_log_names_is_kept_with_it(keeping: Keeping) -> None:
    key_id = new_id()
    await keeping.do(
        """INSERT INTO api_key (id, workspace_id, name, role, prefix, digest, revoked_at)
          VALUES (:key_id, :workspace_id, 'x', 'ADMIN', 'x', 'd', now())""",
        key_id=key_id,
    )
    await keeping.do(
        """INSERT INTO audit_entry (id, workspace_id, actor, key_id, action, subject_id, details)
          VALUES (uuidv7(), :workspace_id, 'x', :key_id, 'x', 'x', '{}')""",
        key_id=key_id,
    )
    await keeping.sweep(100 * DAY)
    assert await keeping.count("api_key", "id = :id", id=key_id) == 1
    await keeping.sweep(366 * DAY)
    assert await keeping.count("api_key", "id = :id", id=key_id) == 0


def test_ages_are_settings_and_nothing_means_for_ever() -> None:
    assert Settings.model_validate({}).ages == Ages()
    changed = Settings.model_validate({"keep_runs_days": 7, "keep_audit_days": 0}).ages
    assert (changed.runs, changed.audit, changed.logs) == (timedelta(days=7), None, timedelta(days=30))
