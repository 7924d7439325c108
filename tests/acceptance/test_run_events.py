"""The events of a run with real processes: workers are killed, connections are lost, and each event still comes once."""

import asyncio
import random
from contextlib import aclosing
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from acceptance.runs import STEPS, begin_run
from acceptance.system import System, running_system
from sqlalchemy import text

from weft.cli.demonstration.client import Api

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]

ITEMS = 1_500
EVENTS = """subscription ($run: ID!, $after: String) {
  runEvents(runId: $run, after: $after, include: [STATUS, ITEMS, STEPS, LOGS]) {
    __typename cursor
    ... on RunStatusChanged { status }
    ... on ItemFinished { item { ordinal status } }
    ... on StepFinished { step { stepId status } item { ordinal } }
    ... on LogWritten { line { message } } } }"""
COUNTED = """SELECT (SELECT count(*) FROM run_log), log_lines, log_lines_left_out, (SELECT sum(logs) FROM run_change)
  FROM run_state"""
CANCEL = "mutation ($input: RunIdInput!) { cancelRun(input: $input) { errors { message path } } }"
CHECKED = [
    {
        "id": "check",
        "type": "validate",
        "config": {
            "onInvalid": "FAIL",
            "rules": [{"name": "odd", "expression": "int(input.amount) % 10 != 3", "message": "ends in three"}],
        },
    },
    *STEPS,
    {"id": "note", "type": "echo", "config": {"message": "{{ entity.name }}"}},
]


async def over_sse(system: System, run: str, after: str | None) -> list[dict[str, Any]]:
    """All events behind that one."""
    headers = {"Authorization": f"Bearer {system.key}", "Accept": "text/event-stream"}
    body = {"query": EVENTS, "variables": {"run": run, "after": after}}
    found: list[dict[str, Any]] = []
    async with system.session.post(
        system.url, json=body, headers=headers, timeout=aiohttp.ClientTimeout(None)
    ) as reply:
        async for line in reply.content:
            field, _, value = line.strip().partition(b": ")
            if field == b"data" and value:
                found.append(orjson.loads(value)["data"]["runEvents"])
    return found


async def over_websockets(api: Api, run: str, chance: random.Random) -> list[dict[str, Any]]:
    """All events, over a socket that is lost again and again."""
    found: list[dict[str, Any]] = []
    while True:
        left = chance.randint(1, 200)
        after = found[-1]["cursor"] if found else None
        async with aclosing(api.watch(EVENTS, run=run, after=after)) as events:
            async for event in events:
                found.append(event)
                left -= 1
                if not left:
                    break
            else:
                return found


def told(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in events if event["__typename"] == kind]


async def test_every_event_comes_once_though_workers_are_killed_and_connections_lost(tmp_path: Path) -> None:
    async with (
        running_system(tmp_path, workers=2, WEFT_LEASE_SECONDS="2") as system,
        Api.connected(f"http://127.0.0.1:{system.port}", system.key) as api,
    ):
        run = await begin_run(api, items=ITEMS, steps=CHECKED)
        watching = asyncio.gather(over_sse(system, run, None), over_websockets(api, run, random.Random(8)))
        async with asyncio.timeout(60):
            while await finished(system) < ITEMS // 10:
                await asyncio.sleep(0.005)
        await system.kill("worker-0")
        await system.kill_valkey()
        async with asyncio.timeout(90):
            unbroken, pieces = await watching
        assert pieces == unbroken
        assert len({event["cursor"] for event in unbroken}) == len(unbroken)
        items = [event["item"] for event in told(unbroken, "ItemFinished")]
        assert sorted(item["ordinal"] for item in items) == list(range(ITEMS))
        failed = {item["ordinal"] for item in items if item["status"] == "FAILED"}
        assert failed == set(range(3, ITEMS, 10))
        assert len(told(unbroken, "StepFinished")) == 4 * (ITEMS - len(failed)) + len(failed)
        lines = [event["line"]["message"] for event in told(unbroken, "LogWritten")]
        assert lines == await logged(system)
        await log_is_whole(system, set(range(ITEMS)) - failed)
        statuses = [event["status"] for event in told(unbroken, "RunStatusChanged")]
        assert statuses == ["PENDING", "RUNNING", "COMPLETED_WITH_FAILURES"]
        assert await over_sse(system, run, unbroken[ITEMS // 2]["cursor"]) == unbroken[ITEMS // 2 + 1 :]

        cancelled = await begin_run(api, items=4 * ITEMS, steps=CHECKED)
        watching = asyncio.gather(over_sse(system, cancelled, None), over_websockets(api, cancelled, random.Random(9)))
        async with asyncio.timeout(60):
            while await finished(system) == ITEMS:
                await asyncio.sleep(0.005)
        await api.change(CANCEL, runId=cancelled)
        async with asyncio.timeout(90):
            unbroken, pieces = await watching
        assert pieces == unbroken
        assert unbroken[-1]["status"] == "CANCELLED"
        assert len(told(unbroken, "ItemFinished")) == await finished(system) - ITEMS < 4 * ITEMS


async def log_is_whole(system: System, spoke: set[int]) -> None:
    """What a worker that was killed had stored of an item is there once more at most: the item was done again."""
    async with system.database.reading() as connection:
        said = await connection.execute(
            text("SELECT ordinal, count(*) FROM run_log WHERE step_id = 'note' GROUP BY ordinal")
        )
        counts = {row.ordinal: row.count for row in said}
        ((lines, counted, left_out, noted),) = await connection.execute(text(COUNTED))
    assert counts.keys() == spoke
    assert set(counts.values()) <= {1, 2}
    assert (lines, left_out) == (counted, 0)
    assert noted == lines


async def finished(system: System) -> int:
    async with system.database.reading() as connection:
        return (await connection.execute(text("SELECT count(*) FROM run_item"))).scalar_one()


async def logged(system: System) -> list[str]:
    async with system.database.reading() as connection:
        return list((await connection.execute(text("SELECT message FROM run_log ORDER BY revision, number"))).scalars())
