"""The API is killed while it works: what it acknowledged is stored, and what it did not is not half there."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import orjson
import pytest
from acceptance.bad_input import CREATE_TYPE, Caller
from acceptance.system import System, running_system
from sqlalchemy import text

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(90)]

SCHEMA = {"type": "object", "properties": {"ref": {"type": "string"}}, "required": ["ref"]}
CREATE_IMPORT = """mutation ($type: ID!) { createImport(input: {entityTypeId: $type, format: JSONL, externalIdField: "ref"}) {
  import { id } uploadUrl errors { message } } }"""
CREATE_ENTITY = """mutation ($type: ID!, $ref: String!, $data: JSON!) {
  createEntities(input: {entityTypeId: $type, entities: [{externalId: $ref, data: $data}]}) {
    entities { id } errors { message } } }"""
ROWS = 60_000


async def _rows_read(system: System) -> int:
    async with system.database.reading() as connection:
        return (await connection.execute(text("SELECT coalesce(max(rows_read), 0) FROM entity_import"))).scalar_one()


async def test_what_was_acknowledged_is_stored_when_the_api_is_killed(tmp_path: Path) -> None:
    async with running_system(tmp_path, workers=0) as system:
        caller = Caller(system, system.key)
        files = await caller.made(CREATE_TYPE, name="files", schema=SCHEMA)
        singles = await caller.made(CREATE_TYPE, name="singles", schema=SCHEMA)
        made = await caller.payload(CREATE_IMPORT, type=files)
        lines = [orjson.dumps({"ref": f"r{number}"}) + b"\n" for number in range(ROWS)]
        acknowledged: list[str] = []

        async def mutate(name: str) -> None:
            number = 0
            while True:
                ref = f"{name} {number}"
                payload = await caller.payload(CREATE_ENTITY, type=singles, ref=ref, data={"ref": ref})
                assert payload["errors"] == []
                acknowledged.append(ref)
                number += 1

        async def pieces() -> AsyncIterator[bytes]:
            for start in range(0, ROWS, 1_000):
                yield b"".join(lines[start : start + 1_000])
                await asyncio.sleep(0.02)

        async def upload() -> None:
            await system.session.put(made["uploadUrl"], data=pieces())

        working = [asyncio.create_task(work) for work in (upload(), *(mutate(f"m{n}") for n in range(4)))]
        async with asyncio.timeout(30):
            while await _rows_read(system) < 3_000:
                await asyncio.sleep(0.01)
        await system.kill("api")
        ended = await asyncio.gather(*working, return_exceptions=True)
        assert all(isinstance(error, aiohttp.ClientError) for error in ended), ended
        await _check_what_is_stored(system, acknowledged)
        await _goes_on(system, made["uploadUrl"], lines)


async def _check_what_is_stored(system: System, acknowledged: list[str]) -> None:
    async with system.database.reading() as connection:
        found = await connection.execute(
            text(
                "SELECT e.external_id FROM entity e JOIN entity_type t ON t.id = e.entity_type_id WHERE t.name = 'singles'"
            )
        )
        stored = {row.external_id for row in found}
        counted = (
            await connection.execute(
                text("SELECT rows_read, created, updated + skipped + failed AS others FROM entity_import")
            )
        ).one()
        rows = (
            await connection.execute(
                text(
                    "SELECT count(*) FROM entity e JOIN entity_type t ON t.id = e.entity_type_id WHERE t.name = 'files'"
                )
            )
        ).scalar_one()
    assert acknowledged
    assert set(acknowledged) <= stored
    assert len(stored) <= len(acknowledged) + 4
    assert 3_000 <= rows == counted.created == counted.rows_read
    assert counted.others == 0


async def _goes_on(system: System, url: str, lines: list[bytes]) -> None:
    """The same file to the same link, once the silence has shown that the upload died."""
    async with system.database.transaction() as connection:
        await connection.execute(text("UPDATE entity_import SET updated_at = now() - interval '1 minute'"))
    await system.start("api", "api")
    await system.ready()
    answer = await system.upload(url, b"".join(lines))
    assert (answer["import"]["status"], answer["import"]["created"]) == ("COMPLETED", ROWS)
