"""What is old goes while real workers are at work, although the one that deletes is killed."""

import asyncio
from pathlib import Path

import pytest
from acceptance.system import System, running_system
from sqlalchemy import text

pytestmark = pytest.mark.acceptance
OLD, YOUNG = 60_000, 1_000
LINES = """INSERT INTO run_log (id, run_id, level, message, fields, at)
  SELECT uuidv7(age::interval), uuidv7(), 'INFO', 'x', '{}', now() FROM generate_series(1, :count)"""
WORKFLOW = """mutation { createWorkflow(input: {name: "w", definition: {steps: [{id: "e", type: "echo"}]}}) { workflow { id } } }"""
RUN = """mutation ($id: ID!) { runWorkflow(input: {workflowId: $id, input: {}, wait: "PT30S"}) { run { status } } }"""


async def test_old_rows_go_bit_by_bit_beside_the_work_and_behind_a_killed_worker(tmp_path: Path) -> None:
    async with running_system(tmp_path, workers=0) as system:
        async with system.database.transaction() as connection:
            for count, age in ((OLD, "-31 days"), (YOUNG, "-29 days")):
                await connection.execute(text(LINES.replace("age::", f"'{age}'::")), {"count": count})
        await system.start("worker-0", "worker")
        await _until(system, below=OLD)
        await system.kill("worker-0")
        left = await _lines(system)
        assert left > YOUNG
        async with system.database.transaction() as connection:
            # As if the turn of the dead worker had run out.
            await connection.execute(text("UPDATE retention_turn SET due_at = now()"))
        await system.start("worker-1", "worker")
        await _until(system, below=left)
        made = (await system.ask(WORKFLOW))["createWorkflow"]["workflow"]["id"]
        assert (await system.ask(RUN, id=made))["runWorkflow"] == {"run": {"status": "COMPLETED"}}
        await _until(system, below=YOUNG + 1)
        assert await _lines(system) == YOUNG


async def _until(system: System, *, below: int) -> None:
    async with asyncio.timeout(90):
        while await _lines(system) >= below:
            await asyncio.sleep(0.02)


async def _lines(system: System) -> int:
    async with system.database.reading() as connection:
        return (await connection.execute(text("SELECT count(*) FROM run_log"))).scalar_one()
