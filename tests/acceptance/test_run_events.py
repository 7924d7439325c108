"""The events of a run with real processes: workers are killed, connections are lost, and each event still comes once."""

import asyncio
import random
from contextlib import aclosing
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from acceptance.runs import begin_run
from acceptance.system import System, running_system
from sqlalchemy import text

from weft.cli.demonstration.client import Api

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]

ITEMS = 4_000
EVENTS = """subscription ($run: ID!, $after: String) { runEvents(runId: $run, after: $after) {
  __typename cursor ... on RunStatusChanged { status } ... on ItemFinished { item { ordinal status } } } }"""


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


async def test_every_event_comes_once_though_workers_are_killed_and_connections_lost(tmp_path: Path) -> None:
    async with (
        running_system(tmp_path, workers=2, WEFT_LEASE_SECONDS="2") as system,
        Api.connected(f"http://127.0.0.1:{system.port}", system.key) as api,
    ):
        run = await begin_run(api, items=ITEMS)
        watching = asyncio.gather(over_sse(system, run, None), over_websockets(api, run, random.Random(8)))
        async with asyncio.timeout(60):
            while await finished(system) < ITEMS // 10:
                await asyncio.sleep(0.005)
        await system.kill("worker-0")
        await system.kill_valkey()
        async with asyncio.timeout(90):
            unbroken, pieces = await watching
        assert pieces == unbroken
        told = [event["item"]["ordinal"] for event in unbroken if event["__typename"] == "ItemFinished"]
        assert sorted(told) == list(range(ITEMS))
        statuses = [event["status"] for event in unbroken if event["__typename"] == "RunStatusChanged"]
        assert statuses == ["PENDING", "RUNNING", "COMPLETED"]
        assert await over_sse(system, run, unbroken[ITEMS // 2]["cursor"]) == unbroken[ITEMS // 2 + 1 :]


async def finished(system: System) -> int:
    async with system.database.reading() as connection:
        return (await connection.execute(text("SELECT count(*) FROM run_item"))).scalar_one()
