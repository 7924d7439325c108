"""W1: entities through three computing steps, every step result stored, one worker, against a floor in the same run.

    python benchmarks/engine.py [--entities 100000] [--workers 1] [--rounds 2]

The floor is one plain asyncio script that reads the same entities in chunks, evaluates the same compiled expressions inline,
and COPYs one row per entity with its three results in transactions of 1,000 that also update a row of counters. Floor
and engine take turns on the same embedded services; the ratio of the best of each is the figure.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, cast

import asyncpg
import orjson
from sqlalchemy import text
from sqlalchemy.engine import make_url

from weft.domain.access import Role, Viewer
from weft.domain.ids import UUID, new_id
from weft.domain.run import Selection
from weft.embedded import EmbeddedServices, remove_data_folder
from weft.engine.plans import PlanCache
from weft.engine.wakeups import ArqWakeups
from weft.kit.cel import CelScope, compile_mapping
from weft.kit.json_schema import compile_schema
from weft.kit.liquid import compile_liquid
from weft.operations.progress import reader_of
from weft.operations.run_starts import StartRun, start_run
from weft.operations.services import Services
from weft.operations.workflows import NewWorkflow, create_workflow
from weft.progress.channel import ProgressChannel
from weft.progress.feed import ProgressFeed
from weft.steps import discover
from weft.storage.database import Database
from weft.storage.migrations import migrate

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "city": {"type": "string"},
        "amount": {"type": "number"},
        "quantity": {"type": "integer"},
        "notes": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["name", "amount", "quantity"],
    "additionalProperties": False,
}
FIELDS = {"total": "input.amount * double(input.quantity)", "label": "input.name + ' of ' + input.city"}
CHECK: dict[str, Any] = {
    "type": "object",
    "properties": {"total": {"type": "number", "minimum": 0}, "label": {"type": "string"}},
    "required": ["total", "label"],
}
TEXT = "{{ label }} owes {{ total }}"
STEPS = [
    {"id": "shape", "type": "transform", "config": {"fields": FIELDS, "keep": False}},
    {"id": "check", "type": "validate", "config": {"schema": CHECK}},
    {"id": "say", "type": "text", "config": {"operation": "template", "template": TEXT, "keep": False}},
]
BAR = 0.3


def entity_data(number: int) -> dict[str, Any]:
    return {
        "name": f"Customer {number}",
        "city": f"City {number % 997}",
        "amount": float(number % 1000) + 0.25,
        "quantity": number % 9 + 1,
        "notes": "A note that is long enough to make the record about three hundred bytes. " * 2,
        "tags": ["alpha", "beta", f"t{number % 50}"],
    }


async def add_entities(connection: asyncpg.Connection, workspace: UUID, type_id: UUID, count: int) -> None:
    for first in range(0, count, 10_000):
        rows = [
            (new_id(), workspace, type_id, f"c{number}", orjson.dumps(entity_data(number)).decode())
            for number in range(first, min(first + 10_000, count))
        ]
        await connection.copy_records_to_table(
            "entity", columns=["id", "workspace_id", "entity_type_id", "external_id", "data"], records=rows
        )
    await connection.execute("ANALYZE entity")


async def floor(connection: asyncpg.Connection, type_id: UUID, count: int) -> float:
    """Entities per second of the plain script."""
    scope = CelScope({"input": SCHEMA})
    mapping, check, say = compile_mapping(FIELDS, scope), compile_schema(CHECK), compile_liquid(TEXT)
    await connection.execute("DROP TABLE IF EXISTS floor_result, floor_counter")
    await connection.execute("CREATE TABLE floor_result (id uuid PRIMARY KEY, results json NOT NULL)")
    await connection.execute("CREATE TABLE floor_counter (done bigint NOT NULL)")
    await connection.execute("INSERT INTO floor_counter VALUES (0)")
    began = time.perf_counter()
    last, done = UUID(int=0), 0
    while done < count:
        chunk = await connection.fetch(
            "SELECT id, data FROM entity WHERE entity_type_id = $1 AND id > $2 ORDER BY id LIMIT 1000", type_id, last
        )
        rows: list[tuple[UUID, str]] = []
        for record in chunk:
            shaped = mapping.evaluate({"input": orjson.loads(record["data"])})
            if not check.is_valid(shaped):
                raise SystemExit("the floor found an invalid record")
            rows.append((record["id"], orjson.dumps([shaped, shaped, {"text": say.render(shaped)}]).decode()))
        async with connection.transaction():
            await connection.copy_records_to_table("floor_result", columns=["id", "results"], records=rows)
            await connection.execute("UPDATE floor_counter SET done = done + $1", len(rows))
        last, done = chunk[-1]["id"], done + len(rows)
    return count / (time.perf_counter() - began)


async def engine(services: Services, viewer: Viewer, workflow_id: UUID, count: int) -> float:
    """Entities per second from the mutation to the terminal state, as a watcher sees it."""
    began = time.perf_counter()
    run = await start_run(services, viewer, StartRun(workflow_id, Selection(all=True)))
    async for progress in services.progress.watch(run.progress):
        newest = progress
    if newest.completed != count:
        raise SystemExit(f"only {newest.completed:,} of {count:,} items completed")
    return count / (time.perf_counter() - began)


async def start_worker(database_url: str, redis_url: str) -> asyncio.subprocess.Process:
    environment = os.environ | {"WEFT_DATABASE_URL": database_url, "WEFT_REDIS_URL": redis_url}
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "weft.cli", "worker", env=environment)


async def prepared(services: Services, connection: asyncpg.Connection, count: int) -> tuple[Viewer, UUID, UUID]:
    workspace, type_id = new_id(), new_id()
    viewer = Viewer(workspace, new_id(), "benchmark", Role.ADMIN)
    async with services.database.transaction() as transaction:
        await transaction.execute(text("INSERT INTO workspace (id, name) VALUES (:id, 'benchmark')"), {"id": workspace})
        await transaction.execute(
            text(
                "INSERT INTO entity_type (id, workspace_id, name, schema) VALUES (:id, :workspace, 'customer', :schema)"
            ),
            {"id": type_id, "workspace": workspace, "schema": json.dumps(SCHEMA)},
        )
    await add_entities(connection, workspace, type_id, count)
    workflow = await create_workflow(services, viewer, NewWorkflow("W1", {"steps": STEPS}, entity_type_id=type_id))
    return viewer, type_id, workflow.id


async def measure(embedded: EmbeddedServices, options: argparse.Namespace) -> dict[str, Any]:
    database = Database.connect(embedded.database_url)
    await migrate(database)
    url = make_url(embedded.database_url)
    plain = cast(
        asyncpg.Connection,
        await asyncpg.connect(user=url.username, database=url.database, host=str(url.query["host"])),
    )
    catalogue, channel, wakeups = discover(), ProgressChannel(embedded.redis_url), ArqWakeups(embedded.redis_url)
    floors: list[float] = []
    engines: list[float] = []
    async with ProgressFeed(embedded.redis_url, reader_of(database)) as feed:
        services = Services(
            database=database,
            catalogue=catalogue,
            plans=PlanCache(catalogue),
            wakeups=wakeups,
            progress=feed,
            channel=channel,
            secret_key=b"benchmark",
            public_url="http://localhost",
        )
        viewer, type_id, workflow_id = await prepared(services, plain, options.entities)
        for _ in range(options.rounds):
            floors.append(await floor(plain, type_id, options.entities))
            workers = [await start_worker(embedded.database_url, embedded.redis_url) for _ in range(options.workers)]
            await asyncio.sleep(2)
            engines.append(await engine(services, viewer, workflow_id, options.entities))
            for worker in workers:
                worker.terminate()
                await worker.wait()
    await plain.close()
    await wakeups.close()
    await channel.close()
    await database.close()
    best_floor, best_engine = max(floors), max(engines)
    return {
        "figure": "W1",
        "entities": options.entities,
        "workers": options.workers,
        "floor_per_second": round(best_floor),
        "engine_per_second": round(best_engine),
        "ratio": round(best_engine / best_floor, 3),
        "bar": BAR,
    }


async def main(options: argparse.Namespace) -> None:
    folder = Path(tempfile.mkdtemp(prefix="weft-bench-"))
    try:
        async with EmbeddedServices(folder) as embedded:
            figure = await measure(embedded, options)
    finally:
        remove_data_folder(folder)
    print(f"{'figure':10}{'floor/s':>12}{'engine/s':>12}{'ratio':>8}{'bar':>8}")
    print(
        f"{figure['figure']:10}{figure['floor_per_second']:>12,}{figure['engine_per_second']:>12,}"
        f"{figure['ratio']:>8}{figure['bar']:>8}"
    )
    print(json.dumps(figure))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entities", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=2)
    asyncio.run(main(parser.parse_args()))
