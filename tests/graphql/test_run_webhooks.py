"""Run webhooks as clients give and see them."""

from typing import Any

import pytest
from asking import ask
from integrations.receivers import answers, receiving
from integrations.told_runs import REVERSE, Desk
from sqlalchemy import text
from standardwebhooks import Webhook

from weft.domain.access import Viewer
from weft.operations.services import Services
from weft.operations.workflows import NewWorkflow, create_workflow

RUN = """mutation ($input: RunWorkflowInput!) { runWorkflow(input: $input) {
  run { id } webhookSecret errors { code message path } } }"""
SEEN = """query ($id: ID!) { run(id: $id) { webhook { host status lastRevisionTold
  deliveries(first: 10) { nodes { kind status integrationName attempts { statusCode } run { id } } } } } }"""
GIVEN = "whsec_" + "c2VjcmV0IG9mIHRoZSB0ZXN0cyBvbmx5"


@pytest.fixture
async def workflow_id(services: Services, viewer: Viewer) -> str:
    return str((await create_workflow(services, viewer, NewWorkflow("told", REVERSE))).id)


async def run(services: Services, viewer: Viewer, workflow_id: str, **given: Any) -> dict[str, Any]:
    wanted = {"workflowId": workflow_id, "input": {"text": "abc"}, **given}
    return (await ask(services, viewer, RUN, input=wanted))["runWorkflow"]


async def test_a_secret_is_made_and_shown_once_and_signs_what_is_told(
    services: Services, viewer: Viewer, workflow_id: str
) -> None:
    async with receiving() as receiver:
        wanted = {"webhookUrl": receiver.url("/hook?token=t0ken"), "idempotencyKey": "once"}
        made = await run(services, viewer, workflow_id, **wanted)
        again = await run(services, viewer, workflow_id, **wanted)
        assert made["errors"] == again["errors"] == []
        assert made["run"] == again["run"]
        assert again["webhookSecret"] is None
        desk = Desk.of(services, viewer)
        async with services.database.transaction() as connection:
            await connection.execute(text("UPDATE run_state SET status = 'RUNNING', started_at = now(), revision = 1"))
        before = (await ask(services, viewer, SEEN, id=made["run"]["id"]))["run"]["webhook"]
        assert before | {"deliveries": None} == {
            "host": f"127.0.0.1:{receiver.port}",
            "status": "ACTIVE",
            "lastRevisionTold": None,
            "deliveries": None,
        }
        await desk.round()
    (told,) = receiver.received
    assert told.path == "/hook?token=t0ken"
    assert Webhook(made["webhookSecret"]).verify(told.body, told.headers)["type"] == "run.started"
    seen = (await ask(services, viewer, SEEN, id=made["run"]["id"]))["run"]["webhook"]
    assert (seen["status"], seen["lastRevisionTold"]) == ("ACTIVE", 1)
    (message,) = seen["deliveries"]["nodes"]
    assert message == {
        "kind": "RUN",
        "status": "DELIVERED",
        "integrationName": f"127.0.0.1:{receiver.port}",
        "attempts": [{"statusCode": 200}],
        "run": {"id": made["run"]["id"]},
    }
    async with services.database.reading() as connection:
        for table in ("run_webhook", "audit_entry", "delivery", "idempotency_key", "run"):
            stored = str((await connection.execute(text(f"SELECT * FROM {table}"))).all())
            assert made["webhookSecret"] not in stored
            assert "t0ken" not in stored


async def test_a_secret_of_ones_own_is_not_shown_again(services: Services, viewer: Viewer, workflow_id: str) -> None:
    made = await run(services, viewer, workflow_id, webhookUrl="https://example.com/webhook", webhookSecret=GIVEN)
    assert made["errors"] == []
    assert made["webhookSecret"] is None


async def test_where_it_goes_is_part_of_what_an_idempotency_key_stands_for(
    services: Services, viewer: Viewer, workflow_id: str
) -> None:
    first = await run(services, viewer, workflow_id, webhookUrl="https://example.com/a", idempotencyKey="k")
    assert first["errors"] == []
    for other in (
        {"webhookUrl": "https://example.com/b"},
        {"webhookUrl": "https://example.com/a", "webhookSecret": GIVEN},
        {},
    ):
        refused = await run(services, viewer, workflow_id, idempotencyKey="k", **other)
        assert [error["code"] for error in refused["errors"]] == ["CONFLICT"]
        assert refused["webhookSecret"] is None


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"webhookUrl": "ftp://example.com"}, "webhookUrl"),
        ({"webhookUrl": "https://user:pass@example.com"}, "webhookUrl"),
        ({"webhookUrl": "not a url"}, "webhookUrl"),
        ({"webhookUrl": "https://example.com/" + "x" * 20_000}, "webhookUrl"),
        ({"webhookUrl": "https://example.com", "webhookSecret": "secret"}, "webhookSecret"),
        ({"webhookUrl": "https://example.com", "webhookSecret": "whsec_c2hvcnQ="}, "webhookSecret"),
        ({"webhookSecret": GIVEN}, "webhookSecret"),
    ],
)
async def test_what_cannot_be_told_anything_is_refused_at_its_place(
    services: Services, viewer: Viewer, workflow_id: str, given: dict[str, str], path: str
) -> None:
    refused = await run(services, viewer, workflow_id, **given)
    assert (refused["run"], refused["webhookSecret"]) == (None, None)
    assert [(error["code"], error["path"]) for error in refused["errors"]] == [("INVALID", ["input", path])]


async def test_how_it_fares_can_be_seen(services: Services, viewer: Viewer, stranger: Viewer) -> None:
    desk = Desk.of(services, viewer, most_attempts=2)

    async def seen() -> tuple[Any, Any]:
        hook = (await ask(services, viewer, SEEN, id=str(told.id)))["run"]["webhook"]
        return hook["status"], hook["lastRevisionTold"]

    async with receiving(answers(500), answers(500), answers(200)) as receiver:
        told = await desk.begun(receiver.url())
        await desk.round()
        assert await seen() == ("RETRYING", 1)
        await desk.later()
        await desk.send()
        assert await seen() == ("FAILED", 1)
        await desk.end(told)
        await desk.round()
        assert await seen() == ("DELIVERED", 2)
    async with services.database.transaction() as connection:
        await connection.execute(text("DELETE FROM delivery"))
    assert await seen() == (None, 2)
    assert (await ask(services, stranger, SEEN, id=str(told.id)))["run"] is None


async def test_a_run_that_nobody_is_told_of_has_no_webhook(
    services: Services, viewer: Viewer, workflow_id: str
) -> None:
    made = await run(services, viewer, workflow_id)
    assert (await ask(services, viewer, SEEN, id=made["run"]["id"]))["run"]["webhook"] is None
