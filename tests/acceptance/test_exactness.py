"""The main promise, with real processes: whatever dies on the way, every item has one result and the counters say so."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from acceptance.system import System, running_system
from sqlalchemy import text

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]

ITEMS = 5_000
SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "amount": {"type": "number"}},
    "required": ["name", "amount"],
}
STEPS = [
    {"id": "shape", "type": "transform", "config": {"fields": {"double": "input.amount * 2.0"}}},
    {
        "id": "check",
        "type": "validate",
        "config": {
            "rules": [{"name": "even", "expression": "int(entity.amount) % 10 != 0", "message": "divides by ten"}]
        },
    },
    {"id": "say", "type": "text", "config": {"operation": "template", "template": "{{ name }}: {{ double }}"}},
    {"id": "publish", "type": "publish", "config": {"fields": {"amount": "entity.amount + 1.0"}}},
]

CREATE_TYPE = """mutation ($schema: JSON!) {
  createEntityType(input: {name: "account", schema: $schema}) { entityType { id } errors { message path } } }"""
CREATE_IMPORT = """mutation ($type: ID!) {
  createImport(input: {entityTypeId: $type, format: JSONL, externalIdField: "name"}) {
    uploadUrl errors { message path } } }"""
CREATE_WORKFLOW = """mutation ($type: ID!, $definition: JSON!) {
  createWorkflow(input: {name: "exact", entityTypeId: $type, definition: $definition}) {
    workflow { id } errors { message path } } }"""
RUN = """mutation ($workflow: ID!) {
  runWorkflow(input: {workflowId: $workflow, entities: {all: true}}) { run { id } errors { message path } } }"""
WATCH = """subscription ($run: ID!) {
  runProgress(runId: $run) { revision status total pending completed failed skipped cancelled } }"""


class Watcher:
    """A web page: it connects, is cut off now and then, and connects again."""

    def __init__(self, system: System, run: str) -> None:
        self._system = system
        self._run = run
        self.seen: list[dict[str, Any]] = []

    async def watch(self, *, cut_after: int | None = None) -> None:
        """Until the run ends; leaves and comes back after every `cut_after` events."""
        while not self.ended:
            try:
                events = 0
                async for data in self._system.subscribe(WATCH, run=self._run):
                    self.seen.append(data["runProgress"])
                    events += 1
                    if cut_after is not None and events >= cut_after:
                        break
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)

    @property
    def ended(self) -> bool:
        return bool(self.seen) and self.seen[-1]["status"] in {"COMPLETED", "COMPLETED_WITH_FAILURES", "FAILED"}

    def check(self) -> None:
        revisions = [state["revision"] for state in self.seen]
        assert revisions == sorted(revisions)
        for state in self.seen:
            counted = sum(state[name] for name in ("pending", "completed", "failed", "skipped", "cancelled"))
            assert counted == state["total"] == ITEMS
        assert self.seen[-1]["pending"] == 0


async def _started_run(system: System) -> str:
    created = (await system.ask(CREATE_TYPE, schema=SCHEMA))["createEntityType"]
    assert created["errors"] == []
    type_id = created["entityType"]["id"]
    imported = (await system.ask(CREATE_IMPORT, type=type_id))["createImport"]
    rows = b"\n".join(orjson.dumps({"name": f"account {number}", "amount": float(number)}) for number in range(ITEMS))
    await system.upload(imported["uploadUrl"], rows)
    made = (await system.ask(CREATE_WORKFLOW, type=type_id, definition={"steps": STEPS}))["createWorkflow"]
    assert made["errors"] == []
    started = (await system.ask(RUN, workflow=made["workflow"]["id"]))["runWorkflow"]
    assert started["errors"] == []
    return started["run"]["id"]


async def _finished(system: System) -> int:
    async with system.database.reading() as connection:
        return (await connection.execute(text("SELECT count(*) FROM run_item"))).scalar_one()


async def _kill_while_it_works(system: System, name: str, after: int) -> None:
    async with asyncio.timeout(60):
        while await _finished(system) < after:
            await asyncio.sleep(0.005)
    await system.kill(name)


async def test_a_run_survives_killed_workers_and_an_emptied_valkey_exactly(tmp_path: Path) -> None:
    async with running_system(tmp_path, workers=2, WEFT_LEASE_SECONDS="2") as system:
        run = await _started_run(system)
        steady, restless = Watcher(system, run), Watcher(system, run)
        watching = asyncio.gather(steady.watch(), restless.watch(cut_after=2))
        await _kill_while_it_works(system, "worker-0", after=1)
        await system.start("worker-2", "worker")
        await system.kill_valkey()
        await _kill_while_it_works(system, "worker-1", after=2_000)
        await system.start("worker-3", "worker")
        async with asyncio.timeout(170):
            await watching
        late = Watcher(system, run)
        await late.watch()
        for watcher in (steady, restless, late):
            watcher.check()
        await _compare_with_the_truth(system, steady.seen[-1])


async def _compare_with_the_truth(system: System, last: dict[str, Any]) -> None:
    async with system.database.reading() as connection:
        counted = await connection.execute(text("SELECT status, count(*) AS items FROM run_item GROUP BY status"))
        by_status = {row.status: row.items for row in counted}
        ordinals = (await connection.execute(text("SELECT count(DISTINCT ordinal) FROM run_item"))).scalar_one()
        left = (await connection.execute(text("SELECT count(*) FROM run_checkpoint"))).scalar_one()
        versions = await connection.execute(
            text("SELECT version, count(*) AS entities FROM entity GROUP BY version ORDER BY version")
        )
        published = {row.version: row.entities for row in versions}
        steps = (await connection.execute(text("SELECT step_completed, step_failed FROM run_state"))).one()
    assert by_status == {"COMPLETED": 4_500, "FAILED": 500}
    assert ordinals == ITEMS
    assert left == 0
    assert (last["completed"], last["failed"], last["status"]) == (4_500, 500, "COMPLETED_WITH_FAILURES")
    # Published exactly once: what was written into an entity was part of the transaction of its result.
    assert published == {1: 500, 2: 4_500}
    assert list(steps.step_completed) == [5_000, 4_500, 4_500, 4_500]
    assert list(steps.step_failed) == [0, 500, 0, 0]
