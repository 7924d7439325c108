"""Import: a million JSONL rows with schema check through the upload endpoint, against COPY of the same rows.

The floor is one `COPY … FROM STDIN` in PostgreSQL's text format, from a file that was written before, in one
transaction, into a logged table with the columns, defaults, primary key and indexes of `entity` (`LIKE entity INCLUDING
DEFAULTS INCLUDING INDEXES`); the JSON is parsed into jsonb there as well, ids stand in the file. Nothing is parsed,
checked or counted outside PostgreSQL. The import is measured from the mutation that begins it to the answer of the
upload, whose rows come from a file too. Floor, import, floor: the better of the two floors counts.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from pathlib import Path
from uuid import UUID

import orjson

from benchmarks.bench import Bench
from benchmarks.client import Client
from benchmarks.customers import SCHEMA, entity_data
from benchmarks.data import CREATE_TYPE, workspace_of
from benchmarks.figure import Better, Figure
from benchmarks.process import BenchmarkError
from benchmarks.system import System
from weft.domain.ids import new_id
from weft.graphql.nodes import read_id

CREATE_IMPORT = """mutation ($input: CreateImportInput!) {
  createImport(input: $input) { uploadUrl errors { message path } } }"""
PIECE = 256 * 1024
COLUMNS = ["id", "workspace_id", "entity_type_id", "external_id", "data"]


async def importing(bench: Bench) -> list[Figure]:
    system, rows = bench.system, bench.sizes.many
    await system.use_workers(0)
    type_key = (await system.client.change(CREATE_TYPE, name="imported", schema=SCHEMA))["entityType"]["id"]
    type_id = read_id(type_key, "EntityType")
    workspace = await workspace_of(system, type_id)
    jsonl, copy = system.folder / "rows.jsonl", system.folder / "rows.copy"
    _write(jsonl, range(rows), _jsonl)
    _write(copy, range(rows), lambda number: _copy(number, workspace, type_id))
    first_floor = await _floor_seconds(system, copy)
    seconds = await _import_seconds(system, type_key, jsonl, rows)
    floors = [first_floor, await _floor_seconds(system, copy)]
    for file in (jsonl, copy):
        file.unlink()
    return [
        Figure(
            name="Import, of COPY",
            measured=rows / seconds,
            unit="/s",
            floor=rows / min(floors),
            better=Better.HIGHER,
            bar=0.25,
            aim=0.5,
            details={"rows": rows, "seconds": round(seconds, 2), "copySeconds": [round(one, 2) for one in floors]},
        )
    ]


def _jsonl(number: int) -> bytes:
    return orjson.dumps({"id": f"c{number}", **entity_data(number)})


def _copy(number: int, workspace: UUID, type_id: UUID) -> bytes:
    """No character of the data means anything to COPY."""
    head = f"{new_id()}\t{workspace}\t{type_id}\tc{number}\t"
    return head.encode() + orjson.dumps(entity_data(number))


def _write(file: Path, numbers: Iterable[int], line: Callable[[int], bytes]) -> None:
    with file.open("wb") as output:
        for number in numbers:
            output.write(line(number) + b"\n")


async def _floor_seconds(system: System, copy: Path) -> float:
    await system.connection.execute("DROP TABLE IF EXISTS floor_entity")
    # A statement of its own: with the COPY in one transaction, PostgreSQL would leave out the write-ahead log.
    await system.connection.execute("CREATE TABLE floor_entity (LIKE entity INCLUDING DEFAULTS INCLUDING INDEXES)")
    await system.settle()
    began = time.perf_counter()
    await system.connection.copy_to_table("floor_entity", source=copy, columns=COLUMNS)
    return time.perf_counter() - began


async def _import_seconds(system: System, type_key: str, jsonl: Path, rows: int) -> float:
    await system.settle()
    began = time.perf_counter()
    url = await _begun(system.client, type_key)
    ended = await system.client.upload(url, _pieces(jsonl))
    seconds = time.perf_counter() - began
    if ended["status"] != "COMPLETED" or ended["created"] != rows:
        raise BenchmarkError(f"{rows:,} rows were to be imported, and it is {ended}")
    return seconds


async def _begun(client: Client, type_key: str) -> str:
    made = await client.change(CREATE_IMPORT, entityTypeId=type_key, format="JSONL", externalIdField="id")
    return made["uploadUrl"]


async def _pieces(file: Path) -> AsyncGenerator[bytes]:
    with file.open("rb") as source:
        while piece := await asyncio.to_thread(source.read, PIECE):
            yield piece
