"""What a webhook is told of a run by real workers, one of which is killed in the middle of it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from acceptance.receiver import served
from acceptance.system import System, running_system
from aiohttp import web
from sqlalchemy import text
from standardwebhooks import Webhook

pytestmark = pytest.mark.acceptance
ITEMS = 120
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}}
TYPE = 'mutation ($schema: JSON!) { createEntityType(input: {name: "person", schema: $schema}) { entityType { id } } }'
ENTITIES = """mutation ($type: ID!, $rows: [NewEntityInput!]!) {
  createEntities(input: {entityTypeId: $type, entities: $rows}) { errors { message } } }"""
WORKFLOW = """mutation ($input: CreateWorkflowInput!) { createWorkflow(input: $input) { workflow { id } errors { message } } }"""
RUN = """mutation ($input: RunWorkflowInput!) { runWorkflow(input: $input) { run { id } webhookSecret errors { message } } }"""


class Listener:
    """An outside service that takes its time, and the webhook that is told how the run that asks it goes on."""

    def __init__(self) -> None:
        self.origin = ""
        self.told: list[tuple[web.Request, bytes]] = []

    async def answer(self, _request: web.Request) -> web.Response:
        await asyncio.sleep(0.2)
        return web.json_response({"known": True})

    async def hear(self, request: web.Request) -> web.Response:
        self.told.append((request, await request.read()))
        return web.Response(status=503 if len(self.told) % 3 == 0 else 200)

    def messages(self, secret: str) -> list[dict[str, Any]]:
        """In the order in which they came."""
        return [Webhook(secret).verify(body, dict(request.headers)) for request, body in self.told]


@asynccontextmanager
async def listening() -> AsyncGenerator[Listener]:
    listener, app = Listener(), web.Application()
    app.router.add_post("/told", listener.hear)
    app.router.add_get("/", listener.answer)
    async with served(app) as origin:
        listener.origin = origin
        yield listener


async def _slow_run(system: System, origin: str) -> str:
    """Its secret."""
    kind = (await system.ask(TYPE, schema=SCHEMA))["createEntityType"]["entityType"]["id"]
    for first in range(0, ITEMS, 60):
        rows = [{"data": {"name": f"n{number}"}} for number in range(first, first + 60)]
        assert (await system.ask(ENTITIES, type=kind, rows=rows))["createEntities"]["errors"] == []
    definition = {"steps": [{"id": "ask", "type": "http", "config": {"method": "GET", "url": origin}}]}
    workflow = {"name": "slow", "entityTypeId": kind, "definition": definition}
    made = (await system.ask(WORKFLOW, input=workflow))["createWorkflow"]
    assert made["errors"] == []
    wanted = {
        "workflowId": made["workflow"]["id"],
        "entities": {"all": True},
        "concurrency": 6,
        "webhookUrl": f"{origin}/told",
    }
    run = (await system.ask(RUN, input=wanted))["runWorkflow"]
    assert run["errors"] == []
    return run["webhookSecret"]


async def test_a_run_is_told_in_order_and_to_its_end_although_a_worker_is_killed(tmp_path: Path) -> None:
    async with (
        listening() as listener,
        running_system(tmp_path, workers=2, WEFT_ALLOWED_HOSTS="127.0.0.1", WEFT_LEASE_SECONDS="1") as system,
    ):
        secret = await _slow_run(system, listener.origin)
        async with asyncio.timeout(30):
            while len(listener.told) < 2:
                await asyncio.sleep(0.01)
        await system.kill("worker-0")
        async with asyncio.timeout(60):
            while await _status(system) != "DELIVERED":
                async with system.database.transaction() as connection:
                    # As if the claims of the dead worker had run out.
                    await connection.execute(
                        text(
                            "UPDATE delivery SET next_at = now() WHERE status = 'SENDING' "
                            "AND next_at < now() + interval '40 seconds'"
                        )
                    )
                await asyncio.sleep(0.1)
    messages = listener.messages(secret)
    revisions = [message["data"]["revision"] for message in messages]
    assert revisions == sorted(revisions)
    assert messages[0]["type"] == "run.started"
    assert "run.progress" in {message["type"] for message in messages}
    assert (messages[-1]["type"], messages[-1]["data"]["progress"]["completed"]) == ("run.completed", ITEMS)
    # One that was answered 503 comes again; so may one whose worker was killed.
    ids = [request.headers["webhook-id"] for request, _ in listener.told]
    assert len(ids) - len(set(ids)) <= len(ids) // 3 + 1


async def _status(system: System) -> str | None:
    async with system.database.reading() as connection:
        rows = await connection.execute(
            text("SELECT d.status FROM run_webhook w JOIN delivery d ON d.id = w.delivery_id WHERE w.told = 'ENDED'")
        )
        return rows.scalar_one_or_none()
