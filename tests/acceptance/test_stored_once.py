"""Rows in a database elsewhere, with real processes: whatever is killed on the way, each item has its row once."""

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest
from acceptance.system import System, running_system
from datastores.relay import relayed
from sqlalchemy import text
from sqlalchemy.engine import make_url

from weft.storage.database import Database

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]

ITEMS = 10_000
SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "amount": {"type": "number"}},
    "required": ["name", "amount"],
}
STORE = {"id": "keep", "type": "store", "config": {"datastore": "books", "table": "account"}}

CREATE_DATASTORE = """mutation ($address: DatastoreAddressInput!) {
  createDatastore(input: {name: "books", address: $address}) { errors { message } } }"""
CREATE_TYPE = """mutation ($schema: JSON!) {
  createEntityType(input: {name: "account", schema: $schema}) { entityType { id } errors { message } } }"""
CREATE_IMPORT = """mutation ($type: ID!) {
  createImport(input: {entityTypeId: $type, format: JSONL}) { uploadUrl errors { message } } }"""
CREATE_WORKFLOW = """mutation ($type: ID!, $definition: JSON!) {
  createWorkflow(input: {name: "keep", entityTypeId: $type, definition: $definition}) {
    workflow { id } errors { message path } } }"""
RUN = """mutation ($workflow: ID!) {
  runWorkflow(input: {workflowId: $workflow, entities: {all: true}}) { run { id } errors { message } } }"""
WATCH = "subscription ($run: ID!) { runProgress(runId: $run) { status completed failed } }"


async def _asked(system: System, document: str, **variables: Any) -> dict[str, Any]:
    (payload,) = (await system.ask(document, **variables)).values()
    assert payload["errors"] == []
    return payload


async def _started(system: System, address: dict[str, Any]) -> str:
    await _asked(system, CREATE_DATASTORE, address={"postgresql": address})
    entity_type = (await _asked(system, CREATE_TYPE, schema=SCHEMA))["entityType"]["id"]
    upload = (await _asked(system, CREATE_IMPORT, type=entity_type))["uploadUrl"]
    rows = [orjson.dumps({"name": f"account {number}", "amount": number + 0.5}) for number in range(ITEMS)]
    await system.upload(upload, b"\n".join(rows))
    workflow = await _asked(system, CREATE_WORKFLOW, type=entity_type, definition={"steps": [STORE]})
    return (await _asked(system, RUN, workflow=workflow["workflow"]["id"]))["run"]["id"]


async def _stored(target: Database) -> int:
    async with target.reading() as connection:
        return (await connection.execute(text("SELECT count(*) FROM account"))).scalar_one()


async def _kill_after(system: System, target: Database, name: str, rows: int) -> None:
    async with asyncio.timeout(60):
        while await _stored(target) < rows:
            await asyncio.sleep(0.002)
    await system.kill(name)


async def test_a_row_is_inserted_once_although_workers_are_killed(tmp_path: Path) -> None:
    async with running_system(tmp_path, workers=1, WEFT_LEASE_SECONDS="2", WEFT_ALLOWED_HOSTS="127.0.0.1") as system:
        url = make_url(system.services.database_url)
        async with system.database.reading() as connection:
            await connection.execute(text("CREATE DATABASE books"))
        target = Database.connect(url.set(database="books").render_as_string(hide_password=False))
        async with target.transaction() as connection:
            # Nothing in the table itself would keep a second row away.
            await connection.execute(text("CREATE TABLE account (name text NOT NULL, amount numeric NOT NULL)"))
        async with relayed(f"{url.query['host']}/.s.PGSQL.{url.query['port']}") as relay:
            address = {"host": "127.0.0.1", "port": relay.port, "database": "books", "user": url.username, "tls": "OFF"}
            run = await _started(system, address)
            await _kill_after(system, target, "worker-0", 1)
            await system.start("worker-1", "worker")
            before = await _stored(target)
            await _kill_after(system, target, "worker-1", before + 1)
            killed_at = await _stored(target)
            await system.start("worker-2", "worker")
            last: dict[str, Any] = {}
            async with asyncio.timeout(90):
                async for state in system.subscribe(WATCH, run=run):
                    last = state["runProgress"]
        assert last == {"status": "COMPLETED", "completed": ITEMS, "failed": 0}
        assert 0 < before < killed_at < ITEMS, "the workers were killed too late to show anything"
        async with target.reading() as connection:
            found = await connection.execute(
                text("SELECT count(*) AS rows, count(DISTINCT name) AS names, sum(amount) AS amount FROM account")
            )
            counted = found.mappings().one()
        assert counted == {"rows": ITEMS, "names": ITEMS, "amount": sum(range(ITEMS)) + ITEMS / 2}
        await target.close()
