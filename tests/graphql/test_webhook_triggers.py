"""Webhook triggers over GraphQL: made, changed, checked, and what is never shown."""

import asyncio
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from asking import ask
from sqlalchemy import func, select
from webhook_senders import standard
from workers import working

from weft.domain.access import Role, Viewer
from weft.domain.entity import EntityType
from weft.graphql.nodes import encode_id
from weft.operations.entity_types import create_entity_type
from weft.operations.services import Services
from weft.operations.webhook_calls import Accepted, Call, WebhookCalls
from weft.operations.workflows import NewWorkflow, create_workflow
from weft.storage.tables import audit_entry, event, webhook_endpoint

FIELDS = """id name scheme enabled filter condition input parameters toleranceSeconds maxBytes ratePerMinute
  previousSecretUntil revision createdBy url workflow { name }"""
ERRORS = "errors { code message path hint line column }"
CREATE = f"""mutation ($input: CreateWebhookTriggerInput!) {{ createWebhookTrigger(input: $input) {{
  webhookTrigger {{ {FIELDS} }} url secret {ERRORS} }} }}"""
UPDATE = f"""mutation ($input: UpdateWebhookTriggerInput!) {{ updateWebhookTrigger(input: $input) {{
  webhookTrigger {{ {FIELDS} }} {ERRORS} }} }}"""
ROTATE = f"""mutation ($input: RotateWebhookTriggerSecretInput!) {{ rotateWebhookTriggerSecret(input: $input) {{
  webhookTrigger {{ {FIELDS} }} secret {ERRORS} }} }}"""
DELETE = f"mutation ($id: ID!) {{ deleteWebhookTrigger(input: {{id: $id}}) {{ deletedId {ERRORS} }} }}"
ONE = f"query ($id: ID!) {{ webhookTrigger(id: $id) {{ {FIELDS} }} node(id: $id) {{ id }} }}"
LIST = """query ($workflow: ID) { webhookTriggers(filter: {workflowId: $workflow}) { totalCount nodes { id name } } }"""

ORDER = {
    "type": "object",
    "properties": {"order": {"type": "integer"}, "total": {"type": "number"}},
    "required": ["order"],
    "additionalProperties": False,
}
DEFINITION = {"inputSchema": ORDER, "steps": [{"id": "say", "type": "echo"}]}
MAPPING = {"order": "int(payload.number)", "total": "payload.net * 1.19"}


@pytest.fixture
async def workflow(services: Services, viewer: Viewer) -> str:
    return encode_id("Workflow", (await create_workflow(services, viewer, NewWorkflow("orders", DEFINITION))).id)


async def create(services: Services, viewer: Viewer, workflow: str, **given: Any) -> dict[str, Any]:
    wanted = {"workflowId": workflow, "name": "from the shop", "input": MAPPING, **given}
    return (await ask(services, viewer, CREATE, input=wanted))["createWebhookTrigger"]


async def update(services: Services, viewer: Viewer, trigger: dict[str, Any], **given: Any) -> dict[str, Any]:
    return (await ask(services, viewer, UPDATE, input={"id": trigger["id"], **given}))["updateWebhookTrigger"]


def places(answer: dict[str, Any]) -> list[str]:
    return sorted(".".join(error["path"]) for error in answer["errors"])


async def test_a_trigger_gives_a_url_and_a_secret_that_is_shown_once(
    services: Services, viewer: Viewer, workflow: str
) -> None:
    made = await create(services, viewer, workflow)
    assert made["errors"] == []
    assert re.fullmatch(r"http://127\.0\.0\.1:8000/hooks/[\w-]{56}", made["url"])
    assert made["secret"].startswith("whsec_")
    assert made["webhookTrigger"] == {
        "id": made["webhookTrigger"]["id"], "name": "from the shop", "scheme": "STANDARD", "enabled": True, "filter": {},
        "condition": None, "input": MAPPING, "parameters": None, "toleranceSeconds": 300, "maxBytes": 1_000_000,
        "ratePerMinute": 6_000, "previousSecretUntil": None, "revision": 1, "createdBy": viewer.key_name,
        "url": made["url"], "workflow": {"name": "orders"},
    }  # fmt: skip
    found = await ask(services, viewer, ONE, id=made["webhookTrigger"]["id"])
    assert found == {"webhookTrigger": made["webhookTrigger"], "node": {"id": made["webhookTrigger"]["id"]}}
    secret = made["secret"].encode()
    async with services.database.reading() as connection:
        sealed = (await connection.execute(select(webhook_endpoint.c.sealed))).scalar_one()
        told = (await connection.execute(select(audit_entry.c.action, audit_entry.c.details))).all()
    assert secret not in sealed
    assert [row.action for row in told][-1] == "webhookTrigger.created"
    assert made["secret"] not in str(told)


async def test_two_triggers_have_different_urls_and_secrets(services: Services, viewer: Viewer, workflow: str) -> None:
    made = [await create(services, viewer, workflow, scheme=scheme) for scheme in ("STANDARD", "GITHUB", "GITHUB")]
    assert len({one["url"] for one in made}) == len({one["secret"] for one in made}) == 3


async def test_those_who_may_not_change_it_see_no_url(services: Services, viewer: Viewer, workflow: str) -> None:
    made = await create(services, viewer, workflow)
    for role, seen in ((Role.VIEWER, None), (Role.RUNNER, None), (Role.EDITOR, made["url"])):
        found = await ask(services, replace(viewer, role=role), ONE, id=made["webhookTrigger"]["id"])
        assert found["webhookTrigger"]["url"] == seen
        assert found["webhookTrigger"]["name"] == "from the shop"


async def test_slack_and_stripe_make_their_secrets_themselves(
    services: Services, viewer: Viewer, workflow: str
) -> None:
    for scheme in ("SLACK", "STRIPE"):
        refused = await create(services, viewer, workflow, scheme=scheme)
        assert (refused["webhookTrigger"], places(refused)) == (None, ["input.secret"])
        made = await create(services, viewer, workflow, scheme=scheme, secret="8f742231b10e8888abcd99yyyzzz85a5")
        assert made["errors"] == []


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"name": " "}, "name"),
        ({"secret": "whsec_short"}, "secret"),
        ({"scheme": "GITHUB", "secret": "short"}, "secret"),
        ({"toleranceSeconds": 1}, "toleranceSeconds"),
        ({"maxBytes": 0}, "maxBytes"),
        ({"ratePerMinute": 0}, "ratePerMinute"),
        ({"condition": "payload.total >"}, "condition"),
        ({"condition": "payload.total + 1.0"}, "condition"),
        ({"condition": "body.total > 1.0"}, "condition"),
        ({"condition": "a\0b"}, "condition"),
        ({"input": {"order": "int(payload.number", "total": "1.0"}}, "input.order"),
        ({"input": {"order": 7}}, "input.order"),
        ({"input": "payload"}, "input"),
        ({"input": {"order": "string(payload.number)"}}, "input"),
        ({"input": {"total": "1.5"}}, "input"),
        ({"parameters": {"a": "nothing.known"}}, "parameters.a"),
        ({"filter": {"type": {"deep": {"value": [[1]]}}}}, "filter.type.deep.value"),
        ({"filter": ["a"]}, "filter"),
    ],
)
async def test_what_could_never_work_is_refused_before_it_is_saved(
    services: Services, viewer: Viewer, workflow: str, given: dict[str, Any], where: str
) -> None:
    refused = await create(services, viewer, workflow, **given)
    assert (refused["webhookTrigger"], refused["url"], refused["secret"]) == (None, None, None)
    assert places(refused) == [f"input.{where}"]
    assert (await ask(services, viewer, LIST))["webhookTriggers"]["totalCount"] == 0


async def test_all_problems_are_told_at_once(services: Services, viewer: Viewer, workflow: str) -> None:
    refused = await create(services, viewer, workflow, name="", maxBytes=0, input={"order": ""}, secret="x")
    assert places(refused) == ["input.input.order", "input.maxBytes", "input.name", "input.secret"]


async def test_an_unknown_workflow_is_not_found(services: Services, stranger: Viewer, workflow: str) -> None:
    refused = await create(services, stranger, workflow)
    assert [(error["code"], error["path"]) for error in refused["errors"]] == [("NOT_FOUND", ["input", "workflowId"])]


async def test_a_workflow_over_entities_needs_an_input_that_names_them(services: Services, viewer: Viewer) -> None:
    kind: EntityType = await create_entity_type(
        services, viewer, name="customer", description="", schema={"type": "object"}
    )
    wanted = NewWorkflow("of entities", {"steps": [{"id": "say", "type": "echo"}]}, entity_type_id=kind.id)
    workflow = encode_id("Workflow", (await create_workflow(services, viewer, wanted)).id)
    assert places(await create(services, viewer, workflow, input={"order": "1"})) == ["input.input"]
    assert (await create(services, viewer, workflow, input={"entityId": "payload.customer"}))["errors"] == []


async def test_an_update_changes_what_it_names_and_checks_the_whole(
    services: Services, viewer: Viewer, workflow: str
) -> None:
    made = await create(services, viewer, workflow, condition="payload.net > 0.0", filter={"kind": ["order"]})
    trigger = made["webhookTrigger"]
    changed = await update(services, viewer, trigger, name="renamed", condition=None, enabled=False, maxBytes=500)
    assert changed["errors"] == []
    expected = {"name": "renamed", "condition": None, "enabled": False, "maxBytes": 500, "revision": 2}
    assert changed["webhookTrigger"] == trigger | expected
    assert places(await update(services, viewer, trigger, input=None)) == []
    assert places(await update(services, viewer, trigger, input={"order": "'x'"})) == ["input.input"]
    stale = await update(services, viewer, trigger, name="late", expectedRevision=1)
    assert [(error["code"], error["path"]) for error in stale["errors"]] == [
        ("CONFLICT", ["input", "expectedRevision"])
    ]


async def test_a_rotated_secret_overlaps_and_is_shown_once(services: Services, viewer: Viewer, workflow: str) -> None:
    made = await create(services, viewer, workflow)
    wanted = {"id": made["webhookTrigger"]["id"]}
    rotated = (await ask(services, viewer, ROTATE, input=wanted))["rotateWebhookTriggerSecret"]
    assert rotated["errors"] == []
    assert rotated["secret"] not in {None, made["secret"]}
    until = datetime.fromisoformat(rotated["webhookTrigger"]["previousSecretUntil"]) - services.clock()
    assert timedelta(hours=23) < until <= timedelta(hours=24)
    assert rotated["webhookTrigger"]["url"] == made["url"]
    at_once = (await ask(services, viewer, ROTATE, input=wanted | {"overlap": "PT0S"}))["rotateWebhookTriggerSecret"]
    assert at_once["webhookTrigger"]["previousSecretUntil"] is None
    for wrong, where in (({"overlap": "P31D"}, "overlap"), ({"secret": "whsec_"}, "secret")):
        refused = (await ask(services, viewer, ROTATE, input=wanted | wrong))["rotateWebhookTriggerSecret"]
        assert places(refused) == [f"input.{where}"]


async def test_a_deleted_trigger_is_gone_and_another_workspace_sees_none(
    services: Services, viewer: Viewer, stranger: Viewer, workflow: str
) -> None:
    trigger = (await create(services, viewer, workflow))["webhookTrigger"]
    assert (await ask(services, stranger, ONE, id=trigger["id"])) == {"webhookTrigger": None, "node": None}
    refused = (await ask(services, stranger, DELETE, id=trigger["id"]))["deleteWebhookTrigger"]
    assert [error["code"] for error in refused["errors"]] == ["NOT_FOUND"]
    deleted = (await ask(services, viewer, DELETE, id=trigger["id"]))["deleteWebhookTrigger"]
    assert deleted == {"deletedId": trigger["id"], "errors": []}
    assert (await ask(services, viewer, ONE, id=trigger["id"]))["webhookTrigger"] is None
    async with services.database.reading() as connection:
        actions = (await connection.scalars(select(audit_entry.c.action).order_by(audit_entry.c.id))).all()
        assert (await connection.execute(select(webhook_endpoint))).all() == []
    assert actions[-2:] == ["webhookTrigger.created", "webhookTrigger.deleted"]


async def test_triggers_are_listed_by_workflow_and_stand_at_it(
    services: Services, viewer: Viewer, workflow: str
) -> None:
    other = encode_id("Workflow", (await create_workflow(services, viewer, NewWorkflow("other", DEFINITION))).id)
    for name in ("one", "two"):
        await create(services, viewer, workflow, name=name)
    await create(services, viewer, other, name="three")
    assert [one["name"] for one in (await ask(services, viewer, LIST))["webhookTriggers"]["nodes"]] == [
        "one", "two", "three",
    ]  # fmt: skip
    listed = (await ask(services, viewer, LIST, workflow=workflow))["webhookTriggers"]
    assert (listed["totalCount"], [one["name"] for one in listed["nodes"]]) == (2, ["one", "two"])
    asked = "query ($id: ID!) { workflow(id: $id) { webhookTriggers { name } } }"
    found = await ask(services, viewer, asked, id=workflow)
    assert found["workflow"]["webhookTriggers"] == [{"name": "one"}, {"name": "two"}]


async def ended(services: Services, viewer: Viewer, asked: str) -> list[dict[str, Any]]:
    """The runs, once all calls were looked at and nothing runs any more."""
    async with asyncio.timeout(30):
        while True:
            async with services.database.reading() as connection:
                waiting = await connection.scalar(select(func.count()).where(event.c.handled_at.is_(None)))
            nodes = (await ask(services, viewer, asked))["runs"]["nodes"]
            if not waiting and all(one["status"] == "COMPLETED" for one in nodes):
                return nodes
            await asyncio.sleep(0.02)


async def test_a_call_becomes_one_run_that_names_its_trigger(services: Services, viewer: Viewer, workflow: str) -> None:
    made = await create(
        services, viewer, workflow, filter={"kind": "order"}, condition='headers["user-agent"].startsWith("shop")'
    )
    token = made["url"].rpartition("/")[2]
    asked = """query { runs { nodes { id status input trigger { type by webhookTrigger { id } } } } }"""
    async with working(services) as served:
        calls = WebhookCalls(served)
        for number, (kind, agent) in enumerate([("order", "shop/1"), ("offer", "shop/1"), ("order", "curl")]):
            body = f'{{"kind": "{kind}", "number": {number}, "net": 100.0}}'.encode()
            headers = standard(made["secret"], body) | {"user-agent": agent}
            assert isinstance(await calls.receive(Call(token, headers, b"", body)), Accepted)
        nodes = await ended(served, viewer, asked)
    assert nodes == [
        {
            "id": nodes[0]["id"], "status": "COMPLETED", "input": {"order": 0, "total": 119.0},
            "trigger": {
                "type": "WEBHOOK", "by": "from the shop", "webhookTrigger": {"id": made["webhookTrigger"]["id"]},
            },
        }
    ]  # fmt: skip
    await ask(services, viewer, DELETE, id=made["webhookTrigger"]["id"])
    (kept,) = (await ask(services, viewer, asked))["runs"]["nodes"]
    assert kept["trigger"] == {"type": "WEBHOOK", "by": "from the shop", "webhookTrigger": None}
