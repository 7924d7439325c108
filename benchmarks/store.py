"""Items through a `store` step into a PostgreSQL elsewhere, against one COPY of the same rows into the same table.

The COPY is the plainest there is: one connection, one statement, the rows ready as Python objects. The run is measured from
the mutation to the terminal push, and does for every item what Weft promises: its own result, exact counters, a row once.
So a second figure says what the writing alone takes, and a third what the engine alone takes for items that are served
many at a time.
"""

import asyncio
import time
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson

from benchmarks.bench import Bench
from benchmarks.customers import entity_data
from benchmarks.data import Dataset
from benchmarks.figure import Better, Figure
from benchmarks.process import BenchmarkError
from benchmarks.runs import carried_out, warm_up
from benchmarks.target import DATABASE, USER, TargetServer, target_server
from weft.domain.datastore import DatastoreKind, TlsMode
from weft.domain.ids import new_id
from weft.domain.outside import TableRows
from weft.engine.microbatch import MOST_CALLS
from weft.integrations.sql.databases import Databases
from weft.integrations.sql.pools import Version
from weft.integrations.sql.target import ServerTarget

COLUMNS = ("name", "city", "amount", "quantity", "notes", "tags")
MICRO_BATCH = MOST_CALLS
CREATE_DATASTORE = """mutation ($input: CreateDatastoreInput!) {
  createDatastore(input: $input) { datastore { id } errors { message path } } }"""


@dataclass(frozen=True, slots=True)
class _Way:
    name: str
    config: dict[str, Any]


WAYS = (_Way("INSERT", {"mode": "INSERT"}), _Way("UPSERT", {"mode": "UPSERT", "key": ["name"]}))


async def store(bench: Bench) -> list[Figure]:
    async with target_server(bench.system.folder / "target") as target:
        await bench.system.client.change(CREATE_DATASTORE, name="target", address={"postgresql": _address(target)})
        figures: list[Figure] = []
        for way in WAYS:
            figures += await _measured(bench, target, way)
        return figures


async def _measured(bench: Bench, target: TargetServer, way: _Way) -> list[Figure]:
    system, size = bench.system, bench.sizes.stored
    config = {"datastore": "target", "table": "customer_total", **way.config}
    stored = await bench.dataset(f"stored {way.name}", size, steps=[{"id": "keep", "type": "store", "config": config}])
    served = await bench.dataset("served", size, steps=[{"id": "serve", "type": "benchmark_serve", "config": {}}])
    floors: list[float] = []
    rates: dict[str, list[float]] = {"copied in parts": [], "written": [], "run": [], "served": []}
    await system.use_workers(1)
    for _ in range(bench.sizes.rounds):
        floors.append(size / await _copied(target, size, size))
        rates["copied in parts"].append(size / await _copied(target, size, MICRO_BATCH))
        rates["written"].append(size / await _written(target, size, way))
        rates["run"].append(await _carried_out(bench, target, stored))
        await warm_up(system.client, served)
        rates["served"].append(size / (await carried_out(system.client, served)).seconds)
    details = {"rows": size, "copies": _rounded(floors), **{name: _rounded(found) for name, found in rates.items()}}
    floor, best = max(floors), {name: max(found) for name, found in rates.items()}
    return [
        Figure(
            name=f"store {way.name}, a run, of one COPY",
            measured=best["run"],
            unit="/s",
            floor=floor,
            better=Better.HIGHER,
            bar=0.5,
            details=details,
        ),
        Figure(
            name=f"store {way.name}, the writing alone, of one COPY",
            measured=best["written"],
            unit="/s",
            floor=floor,
            better=Better.HIGHER,
            bar=0.5,
        ),
        Figure(
            name=f"store {way.name}, a run, of one that only serves",
            measured=best["run"],
            unit="/s",
            floor=best["served"],
            better=Better.HIGHER,
        ),
    ]


async def _carried_out(bench: Bench, target: TargetServer, dataset: Dataset) -> float:
    await warm_up(bench.system.client, dataset)
    await _emptied(target)
    await bench.system.settle()
    rate = dataset.size / (await carried_out(bench.system.client, dataset)).seconds
    if await target.connection.fetchval("SELECT count(*) FROM customer_total") != dataset.size:
        raise BenchmarkError("The table does not have a row for each item.")
    return rate


async def _copied(target: TargetServer, size: int, part: int) -> float:
    """Seconds."""
    rows = [_record(entity_data(number)) for number in range(size)]
    await _emptied(target)
    began = time.perf_counter()
    for first in range(0, size, part):
        await target.connection.copy_records_to_table(
            "customer_total", columns=COLUMNS, records=rows[first : first + part]
        )
    return time.perf_counter() - began


async def _written(target: TargetServer, size: int, way: _Way) -> float:
    """Seconds that the writing takes, without an engine around it: as many parts at once as a worker writes, over connections
    that are open already.
    """
    rows = [[entity_data(number)[name] for name in COLUMNS] for number in range(size)]
    databases = Databases(["127.0.0.1"])
    reached = ServerTarget(DatastoreKind.POSTGRESQL, "127.0.0.1", target.port, DATABASE, USER, "", TlsMode.OFF)
    version, key = Version(new_id(), 1), tuple(way.config.get("key", ()))

    async def write(first: int) -> None:
        part = rows[first : first + MICRO_BATCH]
        keys = () if key else [f"{version.id}:{first + number}:keep" for number in range(len(part))]
        answers = await databases.write(
            version, reached, TableRows("target", "customer_total", COLUMNS, part, key, keys)
        )
        if any(answers):
            raise BenchmarkError(f"A row was refused: {next(filter(None, answers))}")

    await _emptied(target)
    await asyncio.gather(*map(write, range(0, size, MICRO_BATCH)))
    await _emptied(target)
    began = time.perf_counter()
    await asyncio.gather(*map(write, range(0, size, MICRO_BATCH)))
    seconds = time.perf_counter() - began
    await databases.close()
    return seconds


async def _emptied(target: TargetServer) -> None:
    await target.connection.execute("TRUNCATE customer_total")
    if await target.connection.fetchval("SELECT to_regclass('weft_stored')"):
        await target.connection.execute("TRUNCATE weft_stored")
    await target.connection.execute("CHECKPOINT")


def _record(data: dict[str, Any]) -> tuple[Any, ...]:
    values = data | {"amount": Decimal(str(data["amount"])), "tags": orjson.dumps(data["tags"]).decode()}
    return tuple(values[name] for name in COLUMNS)


def _address(target: TargetServer) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": target.port, "database": DATABASE, "user": USER, "tls": "OFF"}


def _rounded(rates: list[float]) -> list[int]:
    return [round(rate) for rate in rates]
