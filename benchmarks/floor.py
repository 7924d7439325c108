"""The floor of W1: one plain asyncio script, a process of its own.

    python -m benchmarks.floor <database URL> <id of the entity type> <number of entities>

It reads the entities in chunks, evaluates the same compiled expressions inline, and COPYs one row per entity with its
three results in transactions of 1,000 that also update a row of counters. What it prints is entities per second; making
the tables and compiling the expressions do not count. It takes no shortcut of its own beyond that: the garbage collector
and the event loop are Python's.
"""

import asyncio
import sys
import time
from typing import cast
from uuid import UUID

import asyncpg
import orjson

from benchmarks.customers import CHECK, FIELDS, SCHEMA, TEXT
from weft.kit.cel import CelScope, compile_mapping
from weft.kit.json_schema import compile_schema
from weft.kit.liquid import compile_liquid

CHUNK = "SELECT id, data FROM entity WHERE entity_type_id = $1 AND id > $2 ORDER BY id LIMIT 1000"


async def rate(connection: asyncpg.Connection, type_id: UUID, count: int) -> float:
    mapping, check = compile_mapping(FIELDS, CelScope({"input": SCHEMA})), compile_schema(CHECK)
    say = compile_liquid(TEXT)
    await connection.execute("DROP TABLE IF EXISTS floor_result, floor_counter")
    await connection.execute("CREATE TABLE floor_result (id uuid PRIMARY KEY, results json NOT NULL)")
    await connection.execute("CREATE TABLE floor_counter (done bigint NOT NULL)")
    await connection.execute("INSERT INTO floor_counter VALUES (0)")
    began = time.perf_counter()
    last, done = UUID(int=0), 0
    while done < count:
        chunk = cast("list[asyncpg.Record]", await connection.fetch(CHUNK, type_id, last))
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


async def main(url: str, type_id: str, count: str) -> None:
    connection = cast("asyncpg.Connection", await asyncpg.connect(url))
    print(await rate(connection, UUID(type_id), int(count)))
    await connection.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
