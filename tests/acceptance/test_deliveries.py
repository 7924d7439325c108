"""Messages of a run, sent by real workers, one of which is killed in the middle of it."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from acceptance.receiver import served
from acceptance.system import System, running_system
from aiohttp import web
from sqlalchemy import text
from standardwebhooks import Webhook

from weft.engine.deliveries.sender import PER_LANE

pytestmark = pytest.mark.acceptance
ITEMS = 100
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}}
TYPE = 'mutation ($schema: JSON!) { createEntityType(input: {name: "person", schema: $schema}) { entityType { id } } }'
ENTITIES = """mutation ($type: ID!, $rows: [NewEntityInput!]!) {
  createEntities(input: {entityTypeId: $type, entities: $rows}) { errors { message } } }"""
HOOK = """mutation ($url: String!) { createIntegration(input: {name: "erp", config: {webhook: {url: $url}}}) {
  secret errors { message } } }"""
WORKFLOW = """mutation ($type: ID!, $definition: JSON!) { createWorkflow(input: {
  name: "notifies", entityTypeId: $type, definition: $definition}) { workflow { id } errors { message } } }"""
RUN = """mutation ($id: ID!) { runWorkflow(input: {workflowId: $id, entities: {all: true}, wait: "PT30S"}) {
  run { status } errors { message } } }"""
DEFINITION = {"steps": [{"id": "say", "type": "notify", "config": {"integration": "erp", "message": "Hi {{ name }}"}}]}


class Hook:
    def __init__(self) -> None:
        self.url, self.secret = "", ""
        self.messages = Counter[str]()
        self.texts = set[str]()

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        said = Webhook(self.secret).verify(body, dict(request.headers))
        self.messages[request.headers["webhook-id"]] += 1
        self.texts.add(said["data"]["text"])
        await asyncio.sleep(0.05)
        return web.Response()

    async def until(self, messages: int) -> None:
        async with asyncio.timeout(60):
            while len(self.messages) < messages:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def hooked() -> AsyncGenerator[Hook]:
    hook, app = Hook(), web.Application()
    app.router.add_post("/", hook.take)
    async with served(app) as origin:
        hook.url = f"{origin}/"
        yield hook


async def _run(system: System, hook: Hook) -> None:
    hook.secret = (await system.ask(HOOK, url=hook.url))["createIntegration"]["secret"]
    kind = (await system.ask(TYPE, schema=SCHEMA))["createEntityType"]["entityType"]["id"]
    rows = [{"data": {"name": f"n{number}"}} for number in range(ITEMS)]
    assert (await system.ask(ENTITIES, type=kind, rows=rows))["createEntities"]["errors"] == []
    made = (await system.ask(WORKFLOW, type=kind, definition=DEFINITION))["createWorkflow"]
    assert made["errors"] == []
    started = (await system.ask(RUN, id=made["workflow"]["id"]))["runWorkflow"]
    assert started == {"run": {"status": "COMPLETED"}, "errors": []}


async def test_every_message_of_a_run_arrives_although_its_worker_is_killed(tmp_path: Path) -> None:
    async with hooked() as hook, running_system(tmp_path, workers=1, WEFT_ALLOWED_HOSTS="127.0.0.1") as system:
        await _run(system, hook)
        await hook.until(20)
        await system.kill("worker-0")
        async with system.database.transaction() as connection:
            # As if the claims of the dead worker had run out.
            await connection.execute(text("UPDATE delivery SET next_at = now() WHERE status = 'SENDING'"))
        await system.start("worker-1", "worker")
        await hook.until(ITEMS)
        async with asyncio.timeout(20):
            while (await _by_status(system)) != {"DELIVERED": ITEMS}:
                await asyncio.sleep(0.05)
    assert hook.texts == {f"Hi n{number}" for number in range(ITEMS)}
    assert hook.messages.total() <= ITEMS + PER_LANE


async def _by_status(system: System) -> dict[str, int]:
    async with system.database.reading() as connection:
        rows = await connection.execute(text("SELECT status, count(*) AS messages FROM delivery GROUP BY status"))
        return {row.status: row.messages for row in rows}
