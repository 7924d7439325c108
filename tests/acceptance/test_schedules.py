"""Schedules and three worker processes, one of which is killed in the middle: each slot starts one run."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from acceptance.system import System, running_system
from sqlalchemy import text

pytestmark = pytest.mark.acceptance
SCHEDULES, SLOTS = 30, 4
WORKFLOW = """mutation ($definition: JSON!) { createWorkflow(input: {name: "tick", definition: $definition}) {
  workflow { id } errors { message } } }"""
SCHEDULE = """mutation ($workflow: ID!, $name: String!) { createSchedule(input: {workflowId: $workflow, name: $name,
  cronExpression: "* * * * *", overlap: ALLOW, catchUp: ALL}) { schedule { id } errors { message } } }"""
LIST = """{ schedules(first: 100) { nodes { nextRunAt lastRunAt firings(first: 20) { nodes { outcome slotAt run { id status } } }
  runs(first: 20) { nodes { id trigger { schedule { name } } } } } } }"""
DUE = "UPDATE schedule SET next_at = date_trunc('minute', now()) - make_interval(mins => :slots - 1)"


async def test_each_slot_starts_one_run_though_a_worker_is_killed(tmp_path: Path) -> None:
    async with running_system(tmp_path, workers=3) as system:
        made = await system.ask(WORKFLOW, definition={"steps": [{"id": "say", "type": "echo"}]})
        workflow = made["createWorkflow"]["workflow"]["id"]
        for number in range(SCHEDULES):
            answer = await system.ask(SCHEDULE, workflow=workflow, name=f"schedule {number}")
            assert answer["createSchedule"]["errors"] == []
        async with system.database.transaction() as connection:
            await connection.execute(text(DUE), {"slots": SLOTS})
        await asyncio.sleep(0.3)
        await system.kill("worker-0")
        schedules = await _caught_up(system)
    for schedule in schedules:
        firings = schedule["firings"]["nodes"]
        slots = [firing["slotAt"] for firing in firings]
        assert {firing["outcome"] for firing in firings} == {"STARTED"}
        assert {firing["run"]["status"] for firing in firings} == {"COMPLETED"}
        # A full minute may have come meanwhile: then there is one more, in time.
        assert len(slots) == len(set(slots)) >= SLOTS
        assert [run["id"] for run in schedule["runs"]["nodes"]] == [firing["run"]["id"] for firing in firings]


async def _caught_up(system: System) -> list[dict[str, Any]]:
    async with asyncio.timeout(60):
        while True:
            schedules = (await system.ask(LIST))["schedules"]["nodes"]
            runs = [firing["run"] for one in schedules for firing in one["firings"]["nodes"]]
            if len(runs) >= SCHEDULES * SLOTS and all(run["status"] == "COMPLETED" for run in runs):
                return schedules
            await asyncio.sleep(0.1)
