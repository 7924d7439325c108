"""Inbound webhooks on real processes: every genuine call answered after its commit and run exactly once, no forged one stored."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from acceptance.system import System, running_system
from sqlalchemy import text
from webhook_senders import standard

from weft.graphql.nodes import read_id

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]

CONNECTIONS = 4
PATIENCE_SECONDS = 120

WORKFLOW = (
    "mutation ($input: CreateWorkflowInput!) { createWorkflow(input: $input) { workflow { id } errors { message } } }"
)
TRIGGER = """mutation ($input: CreateWebhookTriggerInput!) { createWebhookTrigger(input: $input) {
  webhookTrigger { id } url secret errors { message } } }"""
RUN = """query ($id: ID!) { run(id: $id) { status input trigger { type webhookTrigger { id } event { id } } } }"""
ORDER = {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}
RUNS = """SELECT r.id, r.event_id, r.input ->> 'number' AS number, s.status
  FROM run r JOIN run_state s ON s.run_id = r.id WHERE r.trigger_id = :trigger"""
STORED = "SELECT id, external_key FROM event WHERE trigger_id = :trigger"


async def trigger_in(system: System) -> tuple[str, str, str]:
    """The id, the URL and the secret of a new one."""
    definition = {"inputSchema": ORDER, "steps": [{"id": "say", "type": "echo"}]}
    made = (await system.ask(WORKFLOW, input={"name": "called", "definition": definition}))["createWorkflow"]
    wanted = {
        "workflowId": made["workflow"]["id"],
        "name": "orders",
        "input": {"number": "int(payload.order.number)"},
        "ratePerMinute": 100_000,
    }
    created = (await system.ask(TRIGGER, input=wanted))["createWebhookTrigger"]
    assert created["errors"] == []
    return created["webhookTrigger"]["id"], created["url"], created["secret"]


async def rows(system: System, query: str, trigger: str) -> list[dict[str, Any]]:
    async with system.database.reading() as connection:
        found = await connection.execute(text(query), {"trigger": read_id(trigger, "WebhookTrigger")})
        return [dict(row) for row in found.mappings()]


async def all_run(system: System, trigger: str, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            runs = await rows(system, RUNS, trigger)
            if len(runs) >= count and all(run["status"] == "COMPLETED" for run in runs):
                return runs
            await asyncio.sleep(0.1)


async def test_genuine_calls_run_once_each_and_forged_ones_leave_nothing(system: System) -> None:
    trigger, url, secret = await trigger_in(system)
    genuine, forged = dict[int, str](), set[str]()
    bodies = [f'{{"order": {{"number": {number}}}}}'.encode() for number in range(400)]
    waiting = iter(enumerate(bodies))

    async def sender(session: aiohttp.ClientSession) -> None:
        for number, body in waiting:
            is_forged = number % 10 == 9
            headers = standard("whsec_" + "A" * 32 if is_forged else secret, body, message_id=f"msg_{number}")
            async with session.post(url, data=body, headers=headers) as answer:
                told = await answer.json()
            if is_forged:
                assert answer.status == 404
                forged.add(str(told))
                continue
            assert answer.status == 202
            genuine[number] = told["id"]
            if number % 50 == 0:  # stored before it was answered, and the same when it is sent again
                assert told["id"] in {str(row["id"]) for row in await rows(system, STORED, trigger)}
                async with session.post(url, data=body, headers=headers) as again:
                    assert (again.status, await again.json()) == (202, told)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as session:
        await asyncio.gather(*(sender(session) for _ in range(CONNECTIONS)))
    assert (len(genuine), len(forged)) == (360, 1)
    runs = await all_run(system, trigger, len(genuine))
    assert {int(run["number"]): str(run["event_id"]) for run in runs} == genuine
    assert len(runs) == len(genuine)
    stored = {row["external_key"] for row in await rows(system, STORED, trigger)}
    assert stored == {f"msg_{number}" for number in genuine}
    run = (await system.ask(RUN, id=str(runs[0]["id"])))["run"]
    assert run["status"] == "COMPLETED"
    assert (run["trigger"]["type"], run["trigger"]["webhookTrigger"]) == ("WEBHOOK", {"id": trigger})


async def test_what_was_answered_runs_although_everything_is_killed(tmp_path: Path) -> None:
    async with running_system(tmp_path, workers=1) as system:
        trigger, url, secret = await trigger_in(system)
        answered, sent = set[str](), 0

        async def send() -> None:
            """Until the API is killed: what a sender did not get an answer for it sends again."""
            nonlocal sent
            async with aiohttp.ClientSession() as session:
                while True:
                    sent += 1
                    body = f'{{"order": {{"number": {sent}}}}}'.encode()
                    headers = standard(secret, body, message_id=f"msg_{sent}")
                    async with session.post(url, data=body, headers=headers) as answer:
                        assert answer.status == 202
                        answered.add((await answer.json())["id"])

        senders = [asyncio.create_task(send()) for _ in range(CONNECTIONS)]
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(answered) < 60:
                await asyncio.sleep(0.01)
        await asyncio.gather(system.kill("worker-0"), system.kill("api"))
        outcomes = await asyncio.gather(*senders, return_exceptions=True)
        assert all(isinstance(outcome, aiohttp.ClientError) for outcome in outcomes)
        await system.start_api(0)
        await system.start("worker-1", "worker")
        await system.ready()
        for number in range(1, sent + 1):
            body = f'{{"order": {{"number": {number}}}}}'.encode()
            headers = standard(secret, body, message_id=f"msg_{number}")
            async with system.session.post(url, data=body, headers=headers) as answer:
                assert answer.status == 202
                answered.add((await answer.json())["id"])
        runs = await all_run(system, trigger, sent)
        assert sorted(int(run["number"]) for run in runs) == list(range(1, sent + 1))
        assert {str(run["event_id"]) for run in runs} == answered
