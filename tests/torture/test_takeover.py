"""A dead worker costs seconds: its batches go on with another once the lease is over."""

import time
from pathlib import Path

import pytest
from acceptance.system import System, running_system
from sqlalchemy import text
from torture import outside
from torture.machine import Machine
from torture.runs import Starter, steps, workflow_over
from torture.takeover import Held, Killing, takeovers
from torture.truth import until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120)]

LEASE_SECONDS = 3
ITEMS = 2_000
HELD = text(
    "SELECT run_id, first_ordinal, size FROM run_batch "
    "WHERE split_part(holder, ':', 2) = :pid AND NOT done AND ready_at > now()"
)


async def test_the_batches_of_a_killed_worker_go_on_within_two_seconds_after_its_lease(tmp_path: Path) -> None:
    async with running_system(
        tmp_path / "data",
        workers=2,
        postgres={"track_commit_timestamp": "on"},
        PYTHONPATH=outside.offered_step_types(tmp_path / "package"),
        WEFT_LEASE_SECONDS=str(LEASE_SECONDS),
    ) as system:
        await outside.create(system.database, system.services.database_url)
        workflow = await workflow_over(system, "takeover", ITEMS, steps(0.3))
        await Starter(system, "takeover", workflow, _nobody_watches).start()
        pid = system.processes["worker-0"].pid
        await until(system.database, "SELECT count(*) > 200 FROM run_item")

        killed, machine = time.time(), Machine()
        await system.kill("worker-0")
        killing = Killing(killed, await _held_by(system, pid))

        await until(system.database, "SELECT status = 'COMPLETED_WITH_FAILURES' FROM run_state")
        allowed = LEASE_SECONDS + 2 * machine.stretch
        (seconds,) = takeovers([killing], await outside.recorded(system.database))
    assert seconds  # a batch whose last item had just been recorded has no next record
    assert max(seconds) <= allowed


async def _nobody_watches(_run: str) -> None:
    """Nothing is to be done with the run."""


async def _held_by(system: System, pid: int) -> list[Held]:
    async with system.database.reading() as connection:
        rows = await connection.execute(HELD, {"pid": str(pid)})
        return [Held(str(row.run_id), row.first_ordinal, row.size) for row in rows]
