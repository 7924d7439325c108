"""Events: routed by one worker, which carries out what they start as well; and by two, killed again and again.

Each event matches two of the triggers. The floor is what Postgres takes for as many rows in a table like `run`, 200 in one
statement and one transaction, as a round of the router has them: without matching, counters, batches and firings. The
events are there at once, in one statement; measured is from then until the last of them is handled.

The ordeal: the same again with two workers, of which one is killed (SIGKILL) in the middle of it, another one in its place, as
often as the sizes say. Its figure is how many matches did not come to exactly one run and one firing.
"""

import asyncio
import time
from typing import cast

from benchmarks.bench import Bench
from benchmarks.data import CREATE_WORKFLOW
from benchmarks.figure import Better, Figure
from benchmarks.process import BenchmarkError
from benchmarks.system import System
from weft.domain.ids import UUID

MATCHES = 2
"""Of one event."""
ROUND = 200
LONGEST_SECONDS = 300
EMIT = "mutation ($input: EmitEventInput!) { emitEvent(input: $input) { event { id } errors { message path } } }"
STEPS = [{"id": "say", "type": "echo", "config": {"message": "heard"}}]
ADD = """INSERT INTO event (workspace_id, name, payload)
  SELECT $1, 'benchmark.' || $2, json_build_object('bucket', n % $3, 'text', repeat('x', 200))
  FROM generate_series(1, $4::int) AS n"""
OPEN = "SELECT count(*) FROM event WHERE handled_at IS NULL AND name = 'benchmark.' || $1"
BARE = """INSERT INTO floor_run (id, workspace_id, workflow_id, version_id, parameters, input, trigger_type, triggered_by)
  SELECT uuidv7(), $1, $1, $1, '{}', json_build_object('bucket', n, 'text', repeat('x', 200)), 'EVENT', 'floor'
  FROM generate_series(1, $2::int) AS n"""
# Every match, by event and workflow, beside the runs and firings that came of it.
WRONG = """
  SELECT count(*) FROM (
    SELECT e.id, t.workflow_id FROM event e
    JOIN trigger t ON t.workspace_id = e.workspace_id AND t.event = e.name
      AND t.filter ->> 'bucket' = e.payload ->> 'bucket'
    WHERE e.name = 'benchmark.' || $1
  ) m
  FULL JOIN (
    SELECT r.event_id, r.workflow_id, count(*) AS runs, count(f.id) AS firings FROM run r
    JOIN event e ON e.id = r.event_id AND e.name = 'benchmark.' || $1
    LEFT JOIN firing f ON f.event_id = r.event_id AND f.workflow_id = r.workflow_id AND f.run_id = r.id
    GROUP BY r.event_id, r.workflow_id
  ) s ON s.event_id = m.id AND s.workflow_id = m.workflow_id
  WHERE m.id IS NULL OR s.runs IS DISTINCT FROM 1 OR s.firings IS DISTINCT FROM 1"""


async def events(bench: Bench) -> list[Figure]:
    system, sizes = bench.system, bench.sizes
    buckets = sizes.triggers // MATCHES
    for name in ("routed", "ordeal"):
        for number in range(sizes.triggers):
            trigger = {"event": f"benchmark.{name}", "filter": {"bucket": number % buckets}}
            definition = {"steps": STEPS, "triggers": [trigger]}
            await system.client.change(CREATE_WORKFLOW, name=f"{name} {number}", definition=definition)
    workspace = cast("UUID", await system.connection.fetchval("SELECT workspace_id FROM trigger LIMIT 1"))
    await system.use_workers(0)
    floor = sizes.events * MATCHES / await _bare_seconds(system, workspace, sizes.events * MATCHES)
    await system.use_workers(1)
    seconds = await _routed_seconds(system, workspace, "routed", buckets, sizes.events)
    await _check(system, "routed")
    killed = await _ordeal(bench, workspace, buckets)
    await system.use_workers(0)
    rate = sizes.events * MATCHES / seconds
    details = {"events": sizes.events, "triggers": sizes.triggers, "eventsPerSecond": round(sizes.events / seconds)}
    return [
        Figure(
            name="Events, runs started, of bare rows",
            measured=rate,
            unit="/s",
            floor=floor,
            better=Better.HIGHER,
            details=details,
        ),
        Figure(
            name="Events, matches without exactly one run",
            measured=await _count(system, WRONG, "ordeal"),
            unit="",
            better=Better.LOWER,
            bar=0,
            details={**details, "killed": killed},
        ),
    ]


async def _bare_seconds(system: System, workspace: UUID, rows: int) -> float:
    await system.connection.execute("DROP TABLE IF EXISTS floor_run")
    await system.connection.execute("CREATE TABLE floor_run (LIKE run INCLUDING DEFAULTS INCLUDING INDEXES)")
    await system.settle()
    began = time.perf_counter()
    for first in range(0, rows, ROUND):
        await system.connection.execute(BARE, workspace, min(ROUND, rows - first))
    return time.perf_counter() - began


async def _routed_seconds(system: System, workspace: UUID, name: str, buckets: int, count: int) -> float:
    await system.settle()
    await _add(system, workspace, name, buckets, count)
    began = time.perf_counter()
    async with asyncio.timeout(LONGEST_SECONDS):
        while True:
            if not await _count(system, OPEN, name):
                return time.perf_counter() - began
            await asyncio.sleep(0.005)


async def _add(system: System, workspace: UUID, name: str, buckets: int, count: int) -> None:
    await system.connection.execute(ADD, workspace, name, buckets, count)
    # It starts nothing, and wakes the workers: how long they look around by themselves is not measured.
    await system.client.change(EMIT, name=f"benchmark.{name}", payload={})


async def _ordeal(bench: Bench, workspace: UUID, buckets: int) -> int:
    """How many workers were killed while events were open."""
    system, sizes = bench.system, bench.sizes
    await system.use_workers(2)
    await _add(system, workspace, "ordeal", buckets, sizes.events)
    killed = 0
    async with asyncio.timeout(LONGEST_SECONDS):
        while left := await _count(system, OPEN, "ordeal"):
            if killed < sizes.kills and left < sizes.events * (1 - (killed + 0.5) / (sizes.kills + 1)):
                await system.replace_worker()
                killed += 1
            await asyncio.sleep(0.001)
    if killed < sizes.kills:
        raise BenchmarkError(f"Only {killed} workers were killed before all events were handled.")
    return killed


async def _check(system: System, name: str) -> None:
    if wrong := await _count(system, WRONG, name):
        raise BenchmarkError(f"{wrong} matches did not come to exactly one run.")


async def _count(system: System, query: str, name: str) -> int:
    return cast("int", await system.connection.fetchval(query, name))
