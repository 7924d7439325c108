"""Integrations and deliveries over GraphQL: made, changed, tested, and what is never shown."""

from dataclasses import replace
from typing import Any

import pytest
from asking import ask
from integrations.receivers import answers, receiving
from sqlalchemy import text
from standardwebhooks import Webhook

from weft.domain.access import Role, Viewer
from weft.domain.delivery import NewDelivery
from weft.domain.ids import new_id
from weft.engine.deliveries import Attempts, DeliverySender
from weft.engine.outside import OutsideOptions, World
from weft.graphql.nodes import encode_id
from weft.integrations.mail import MailServer
from weft.operations.services import Services
from weft.operations.workflows import NewWorkflow, create_workflow
from weft.storage.deliveries import add_deliveries

FIELDS = """id name type enabled revision workflow { name }
  config { slack { host channel } email { to subject template } webhook { url method headers } }"""
CREATE = f"""mutation ($input: CreateIntegrationInput!) {{ createIntegration(input: $input) {{
  integration {{ {FIELDS} }} secret errors {{ code message path hint line column }} }} }}"""
UPDATE = CREATE.replace("CreateIntegrationInput", "UpdateIntegrationInput").replace(
    "createIntegration", "updateIntegration"
)
DELETE = "mutation ($id: ID!) { deleteIntegration(input: {id: $id}) { deletedId errors { code path } } }"
TEST = """mutation ($id: ID!) { testIntegration(input: {id: $id}) { errors { code message }
  delivery { id kind status integrationName errorCode error attempts { number statusCode excerpt durationMs } } } }"""
REDELIVER = """mutation ($id: ID!) { redeliver(input: {id: $id}) {
  delivery { id status nextAttemptAt } errors { code message path } } }"""
LIST = f"query ($workflow: ID, $type: IntegrationType) {{ integrations(workflowId: $workflow, type: $type) {{ totalCount nodes {{ {FIELDS} }} }} }}"


async def create(services: Services, viewer: Viewer, name: str, **config: Any) -> dict[str, Any]:
    variables = {"input": {"name": name, "config": config}}
    return (await ask(services, viewer, CREATE, **variables))["createIntegration"]


async def update(services: Services, viewer: Viewer, made: dict[str, Any], **changes: Any) -> dict[str, Any]:
    variables = {"input": {"id": made["integration"]["id"], **changes}}
    return (await ask(services, viewer, UPDATE, **variables))["updateIntegration"]


async def test_a_webhook_is_made_with_a_secret_that_is_shown_once(services: Services, viewer: Viewer) -> None:
    async with receiving(answers(200, "fine")) as receiver:
        url = receiver.url("/hook?token=hidden-in-query")
        made = await create(
            services, viewer, "erp", webhook={"url": url, "headers": [{"name": "X-Key", "value": "v4lue"}]}
        )
        assert made["errors"] == []
        shown = made["integration"]
        assert shown["config"]["webhook"] == {"url": receiver.url("/hook?…"), "method": "POST", "headers": ["X-Key"]}
        assert (shown["config"]["slack"], shown["config"]["email"]) == (None, None)
        tested = (await ask(services, viewer, TEST, id=shown["id"]))["testIntegration"]
        (received,) = receiver.received
    assert (received.path, received.headers["x-key"]) == ("/hook?token=hidden-in-query", "v4lue")
    Webhook(made["secret"]).verify(received.body, received.headers)
    delivery = tested["delivery"]
    assert (delivery["kind"], delivery["status"], delivery["integrationName"]) == ("TEST", "DELIVERED", "erp")
    assert [(one["statusCode"], one["excerpt"]) for one in delivery["attempts"]] == [(200, "fine")]
    everything = str(await ask(services, viewer, LIST)) + str(
        await ask(
            services, viewer, "{ node(id: $id) { ... on Integration { name } } }".replace("$id", f'"{shown["id"]}"')
        )
    )
    for secret in (made["secret"], "v4lue", "hidden-in-query"):
        assert secret not in everything


async def test_secrets_are_sealed_in_the_database_and_absent_from_the_audit_log(
    services: Services, viewer: Viewer
) -> None:
    made = await create(services, viewer, "team", slack={"webhookUrl": "https://hooks.example/services/s3cret"})
    assert made["integration"]["config"]["slack"] == {"host": "hooks.example", "channel": None}
    await update(services, viewer, made, config={"slack": {"webhookUrl": "https://hooks.example/services/n3w"}})
    async with services.database.reading() as connection:
        stored = str((await connection.execute(text("SELECT * FROM integration"))).all())
        log = (await connection.execute(text("SELECT action, details::text FROM audit_entry ORDER BY id"))).all()
    assert [action for action, _ in log] == ["integration.created", "integration.updated"]
    for secret in ("s3cret", "n3w"):
        assert secret not in stored
        assert secret not in str(log)


async def test_a_change_keeps_what_it_does_not_name(services: Services, viewer: Viewer) -> None:
    async with receiving() as receiver:
        made = await create(
            services,
            viewer,
            "erp",
            webhook={"url": receiver.url("/a"), "headers": [{"name": "X-Key", "value": "v4lue"}]},
        )
        changed = await update(services, viewer, made, name="ERP", config={"webhook": {"url": receiver.url("/b")}})
        assert changed["errors"] == []
        assert changed["secret"] is None
        assert (changed["integration"]["name"], changed["integration"]["revision"]) == ("ERP", 2)
        await ask(services, viewer, TEST, id=made["integration"]["id"])
        rotated = await update(services, viewer, made, config={"webhook": {"newSecret": True}})
        await ask(services, viewer, TEST, id=made["integration"]["id"])
        before, after = receiver.received
    assert (before.path, before.headers["x-key"]) == ("/b", "v4lue")
    Webhook(made["secret"]).verify(before.body, before.headers)
    Webhook(rotated["secret"]).verify(after.body, after.headers)
    assert rotated["secret"] != made["secret"]


async def test_headers_that_nobody_can_read_do_not_follow_the_url_to_another_server(
    services: Services, viewer: Viewer
) -> None:
    async with receiving() as here, receiving() as there:
        headers = [{"name": "X-Key", "value": "v4lue"}]
        made = await create(services, viewer, "erp", webhook={"url": here.url(), "headers": headers})
        refused = await update(services, viewer, made, config={"webhook": {"url": there.url()}})
        assert [error["path"] for error in refused["errors"]] == [["input", "config", "webhook", "headers"]]
        moved = await update(services, viewer, made, config={"webhook": {"url": there.url(), "headers": []}})
        assert moved["errors"] == []
        await ask(services, viewer, TEST, id=made["integration"]["id"])
    assert here.received == []
    assert "x-key" not in there.received[0].headers


async def test_a_change_is_refused_where_somebody_else_was_faster(services: Services, viewer: Viewer) -> None:
    made = await create(services, viewer, "team", slack={"webhookUrl": "https://hooks.example/x"})
    await update(services, viewer, made, enabled=False)
    late = await update(services, viewer, made, enabled=True, expectedRevision=1)
    assert [(error["code"], error["path"]) for error in late["errors"]] == [("CONFLICT", ["input", "expectedRevision"])]
    other = await update(services, viewer, made, config={"email": {"to": ["a@b.de"]}})
    assert "type SLACK" in other["errors"][0]["message"]


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({"slack": {"webhookUrl": "hooks.example/x"}}, ["slack", "webhookUrl"]),
        ({"slack": {"webhookUrl": "https://user:pass@hooks.example"}}, ["slack", "webhookUrl"]),
        ({"webhook": {"url": "ftp://x"}}, ["webhook", "url"]),
        ({"webhook": {"url": "https://x.de", "method": "GET"}}, ["webhook", "method"]),
        ({"webhook": {"url": "https://x.de", "secret": "whsec_short"}}, ["webhook", "secret"]),
        (
            {"webhook": {"url": "https://x.de", "headers": [{"name": "Host", "value": "y"}]}},
            ["webhook", "headers", "Host"],
        ),
        (
            {"webhook": {"url": "https://x.de", "headers": [{"name": "Webhook-Id", "value": "y"}]}},
            ["webhook", "headers", "Webhook-Id"],
        ),
        (
            {"webhook": {"url": "https://x.de", "headers": [{"name": "X", "value": "a\r\nb: c"}]}},
            ["webhook", "headers", "X"],
        ),
        ({"email": {"to": ["Ada <a@b.de>"]}}, ["email", "to", "0"]),
        ({"email": {"to": []}}, ["email", "to"]),
        ({"email": {"to": [f"a{n}@b.de" for n in range(51)]}}, ["email", "to"]),
        ({"email": {"to": ["a@b.de"], "template": "{{ x | nofilter }}"}}, ["email", "template"]),
        ({"email": {"to": ["a@b.de"], "subject": "{% if %}"}}, ["email", "subject"]),
    ],
)
async def test_a_wrong_config_is_told_at_its_place(
    services: Services, viewer: Viewer, config: dict[str, Any], path: list[str]
) -> None:
    made = await create(services, viewer, "wrong", **config)
    assert made["integration"] is None
    assert made["secret"] is None
    assert made["errors"][0]["path"] == ["input", "config", *path]


async def test_a_name_is_taken_once_in_a_workspace(services: Services, viewer: Viewer, stranger: Viewer) -> None:
    slack = {"webhookUrl": "https://hooks.example/x"}
    assert (await create(services, viewer, "team", slack=slack))["errors"] == []
    assert (await create(services, viewer, "team", slack=slack))["errors"][0]["path"] == ["input", "name"]
    assert (await create(services, stranger, "team", slack=slack))["errors"] == []


async def test_without_a_mail_server_there_are_no_email_integrations(services: Services, viewer: Viewer) -> None:
    made = await create(services, viewer, "mail", email={"to": ["a@b.de"]})
    assert made["errors"][0]["path"] == ["input", "config", "email"]
    assert "WEFT_SMTP_URL" in made["errors"][0]["hint"]


async def test_an_email_integration_shows_what_it_is(services: Services, viewer: Viewer, redis_url: str) -> None:
    server = MailServer.parse("smtp+insecure://127.0.0.1:1", "weft@example.com")
    options = OutsideOptions(services.secret_key, redis_url, mail=server)
    async with World(services.database, options) as world:
        served = replace(services, world=world)
        made = await create(served, viewer, "mail", email={"to": ["a@b.de", "a@b.de"], "subject": "{{ subject }}!"})
        email = {"to": ["a@b.de"], "subject": "{{ subject }}!", "template": None}
        assert made["integration"]["config"]["email"] == email
        tested = (await ask(served, viewer, TEST, id=made["integration"]["id"]))["testIntegration"]["delivery"]
    assert (tested["status"], tested["errorCode"]) == ("FAILED", "NETWORK_FAULT")


async def test_integrations_are_listed_by_workflow_and_by_type(services: Services, viewer: Viewer) -> None:
    workflow = await create_workflow(services, viewer, NewWorkflow("w", {"steps": [{"id": "a", "type": "echo"}]}))
    workflow_id = encode_id("Workflow", workflow.id)
    config = {"slack": {"webhookUrl": "https://hooks.example/x"}}
    wanted = {"input": {"name": "of w", "config": config, "workflowId": workflow_id}}
    made = (await ask(services, viewer, CREATE, **wanted))["createIntegration"]
    assert made["integration"]["workflow"] == {"name": "w"}
    await create(services, viewer, "of all", webhook={"url": "https://x.de"})

    async def names(**filters: Any) -> list[str]:
        found = (await ask(services, viewer, LIST, **filters))["integrations"]
        assert found["totalCount"] == len(found["nodes"])
        return [one["name"] for one in found["nodes"]]

    assert await names() == ["of w", "of all"]
    assert await names(workflow=workflow_id) == ["of w"]
    assert await names(type="WEBHOOK") == ["of all"]
    wrong = {"input": {**wanted["input"], "name": "x", "workflowId": encode_id("Workflow", new_id())}}
    assert (await ask(services, viewer, CREATE, **wrong))["createIntegration"]["errors"][0]["code"] == "NOT_FOUND"


async def test_a_test_tells_what_is_wrong_and_is_tried_once(services: Services, viewer: Viewer) -> None:
    async with receiving(answers(500, "boom")) as receiver:
        made = await create(services, viewer, "erp", webhook={"url": receiver.url()})
        await update(services, viewer, made, enabled=False)
        delivery = (await ask(services, viewer, TEST, id=made["integration"]["id"]))["testIntegration"]["delivery"]
        assert await DeliverySender(services.database, Attempts(services.world)).run_once() == 0
    assert (delivery["status"], delivery["errorCode"], len(receiver.received)) == ("FAILED", "HTTP_500", 1)


async def test_a_failed_message_is_sent_again_with_its_old_id(services: Services, viewer: Viewer) -> None:
    sender = DeliverySender(services.database, Attempts(services.world), most_attempts=1)
    async with receiving(answers(500), answers(200)) as receiver:
        made = await create(services, viewer, "erp", webhook={"url": receiver.url()})
        one = NewDelivery(new_id(), "erp", 0, "say", {"text": "Hello"})
        run_id = new_id()
        async with services.database.transaction() as connection:
            await add_deliveries(connection, viewer.workspace_id, run_id, [one])
        delivery_id = encode_id("Delivery", one.id)
        await sender.run_once()
        await sender.stop()
        again = (await ask(services, viewer, REDELIVER, id=delivery_id))["redeliver"]
        assert again["errors"] == []
        assert again["delivery"]["status"] == "PENDING"
        sender = DeliverySender(services.database, Attempts(services.world), most_attempts=1)
        await sender.run_once()
        await sender.stop()
        assert len({received.headers["webhook-id"] for received in receiver.received}) == 1
    query = """query ($filter: DeliveryFilterInput) { deliveries(filter: $filter) { nodes {
      id status stepId message integration { name } run { id } attempts { number statusCode } } } }"""
    for given in (None, {"runId": encode_id("Run", run_id)}, {"integrationId": made["integration"]["id"]}):
        (found,) = (await ask(services, viewer, query, filter=given))["deliveries"]["nodes"]
        assert (found["id"], found["status"], found["integration"]) == (delivery_id, "DELIVERED", {"name": "erp"})
        assert (found["stepId"], found["message"]) == ("say", {"text": "Hello"})
        assert [attempt["statusCode"] for attempt in found["attempts"]] == [500, 200]
    assert (await ask(services, viewer, query, filter={"status": ["FAILED"]}))["deliveries"]["nodes"] == []
    await ask(services, viewer, DELETE, id=made["integration"]["id"])
    gone = (await ask(services, viewer, REDELIVER, id=delivery_id))["redeliver"]
    assert [error["code"] for error in gone["errors"]] == ["CONFLICT"]
    (kept,) = (await ask(services, viewer, query))["deliveries"]["nodes"]
    assert (kept["status"], kept["integration"]) == ("DELIVERED", None)


async def test_what_is_of_another_workspace_is_not_there(services: Services, viewer: Viewer, stranger: Viewer) -> None:
    async with receiving() as receiver:
        made = await create(services, viewer, "erp", webhook={"url": receiver.url()})
        own = made["integration"]["id"]
        sent = (await ask(services, viewer, TEST, id=own))["testIntegration"]["delivery"]["id"]
        assert len(receiver.received) == 1
        for document, field, key in (
            (DELETE, "deleteIntegration", own),
            (TEST, "testIntegration", own),
            (REDELIVER, "redeliver", sent),
        ):
            answer = (await ask(services, stranger, document, id=key))[field]
            assert [error["code"] for error in answer["errors"]] == ["NOT_FOUND"], field
        assert [error["code"] for error in (await update(services, stranger, made, name="mine"))["errors"]] == [
            "NOT_FOUND"
        ]
        assert len(receiver.received) == 1
    node = "query ($id: ID!) { node(id: $id) { id } }"
    for key in (own, sent):
        assert await ask(services, stranger, node, id=key) == {"node": None}
        assert await ask(services, replace(viewer, role=Role.VIEWER), node, id=key) == {"node": {"id": key}}
    lists = "{ integrations { nodes { id } } deliveries { nodes { id } } }"
    nothing: dict[str, Any] = {"nodes": []}
    assert await ask(services, stranger, lists) == {"integrations": nothing, "deliveries": nothing}
