"""A worker that stands still at the worst moment: in the middle of a flush, with the counters of its run locked."""

import os
import signal
import time
from pathlib import Path

import pytest
from acceptance.system import System, running_system
from sqlalchemy import text
from torture.machine import Machine
from torture.runs import Starter, workflow_over
from torture.truth import until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120)]

LEASE_SECONDS = 2
HELD_UP_SECONDS = 8
"""The five seconds after which Postgres ends a session that idles within a transaction, and some for the takeover."""
ITEMS = 50
"""One batch."""

# While a row stands in `slow`, adding to the counters takes a second: time to stop the worker that does it.
SLOW_COUNTERS = (
    "CREATE TABLE slow (seconds float8 NOT NULL)",
    "INSERT INTO slow VALUES (1)",
    """
    CREATE FUNCTION slow_counters() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM pg_sleep(seconds) FROM slow;
        RETURN NEW;
      END
    $$
    """,
    """
    CREATE TRIGGER slow_counters BEFORE UPDATE ON run_state FOR EACH ROW
      WHEN (NEW.completed > OLD.completed) EXECUTE FUNCTION slow_counters()
    """,
)
STEPS = [{"id": "shape", "type": "transform", "config": {"fields": {"amount": "input.amount * 2.0"}}}]


async def test_a_worker_that_stands_still_within_a_flush_holds_up_its_run_for_seconds(tmp_path: Path) -> None:
    async with running_system(tmp_path, workers=2, WEFT_LEASE_SECONDS=str(LEASE_SECONDS)) as system:
        await _slow_down(system)
        workflow = await workflow_over(system, "standstill", ITEMS, STEPS)
        await Starter(system, "standstill", workflow, _nobody_watches).start()
        await until(system.database, "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")

        machine, stopped = Machine(), time.monotonic()
        holder = await _holder(system)
        os.kill(holder, signal.SIGSTOP)
        try:
            await _no_longer_slow(system)
            await until(system.database, "SELECT status = 'COMPLETED' FROM run_state")
            held_up = time.monotonic() - stopped
        finally:
            os.kill(holder, signal.SIGCONT)
        assert held_up <= HELD_UP_SECONDS * machine.stretch

        # What it finds when it goes on harms nothing.
        await Starter(system, "again", workflow, _nobody_watches).start()
        await until(system.database, "SELECT count(*) = 2 FROM run_state WHERE status = 'COMPLETED'")


async def _holder(system: System) -> int:
    """The process that holds the only batch."""
    async with system.database.reading() as connection:
        return (await connection.execute(text("SELECT split_part(holder, ':', 2)::int FROM run_batch"))).scalar_one()


async def _slow_down(system: System) -> None:
    async with system.database.transaction() as connection:
        for statement in SLOW_COUNTERS:
            await connection.execute(text(statement))


async def _no_longer_slow(system: System) -> None:
    async with system.database.transaction() as connection:
        await connection.execute(text("DELETE FROM slow"))


async def _nobody_watches(_run: str) -> None:
    """Nothing is to be done with the run."""
