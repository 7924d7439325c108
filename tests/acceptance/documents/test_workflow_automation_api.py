"""Document 001, "Workflows API" of automated document processing: workflows that start by themselves, and what they tell others."""

from datetime import UTC, datetime
from typing import Any

import pytest
from acceptance.documents.house import Client, House
from acceptance.documents.test_document_processing_api import paper
from standardwebhooks import Webhook

pytestmark = pytest.mark.acceptance

NAME, DESCRIPTION = "Invoice Processing", "Automatically extract data from invoices"
KNOWLEDGE_BASE = "kb-uuid"
SCHEMA: dict[str, Any] = {
    "invoice_number": {"type": "string"},
    "invoice_date": {"type": "string", "format": "date"},
    "total": {"type": "number"},
}
TRIGGER: dict[str, Any] = {
    "trigger_type": "event",
    "trigger_config": {
        "event": "document.uploaded",
        "filters": {"file_type": "pdf", "knowledge_base_id": KNOWLEDGE_BASE},
    },
}
LIST = """{ workflows { nodes {
  id name description enabled createdAt triggers { event filter enabled } definition } } }"""
GET = """query ($id: ID!) { workflow(id: $id) {
  name description enabled version { number } steps { stepId type config } triggers { event filter } } }"""
UPDATE = """mutation ($input: UpdateWorkflowInput!) {
  updateWorkflow(input: $input) { workflow { name enabled version { number } } errors { message path } } }"""
DELETE = "mutation ($input: WorkflowIdInput!) { deleteWorkflow(input: $input) { deletedId errors { message } } }"
EXECUTE = """mutation ($input: RunWorkflowInput!) {
  runWorkflow(input: $input) { run { id status startedAt } errors { code message path } } }"""
EXECUTIONS = """query ($workflow: ID!, $first: Int!) { workflow(id: $workflow) { runs(first: $first) { totalCount nodes {
  id status startedAt finishedAt input trigger { type by } result
  items { nodes { entity { id } steps { stepId status durationMs } } } } pageInfo { hasNextPage endCursor } } } }"""
EXECUTION = """query ($id: ID!) { run(id: $id) { status input result trigger { type by }
  items { nodes { status error { code message } entity { id } steps { stepId status durationMs } } } } }"""
ENDED = """query ($workflow: ID!) { runs(filter: {workflowId: $workflow, status: [COMPLETED, COMPLETED_WITH_FAILURES, FAILED]}) {
  nodes { id status input result trigger { type by } items { nodes { entity { id } error { message } } } } } }"""
INTEGRATE = """mutation ($input: CreateIntegrationInput!) {
  createIntegration(input: $input) { integration { id name type workflow { id } } secret errors { message path } } }"""
EMIT = """mutation ($input: EmitEventInput!) {
  emitEvent(input: $input) { event { id name } errors { code message path } } }"""
HANDLED = "query ($id: ID!) { event(id: $id) { handledAt } }"
WAIT = "PT60S"


def definition(integration: str) -> dict[str, Any]:
    return {
        "steps": [
            {"id": "parse", "type": "parse", "config": {}},
            {"id": "extract", "type": "extract", "config": {"schema_id": "invoice-schema"}},
            {
                "id": "notify",
                "type": "integration",
                "config": {"integration_id": integration, "template": "Invoice processed: {{invoice_number}}"},
            },
        ]
    }


@pytest.fixture(scope="module")
async def api(house: House) -> Client:
    """A workspace with the schema that the example extracts by."""
    client = await house.client("workflow automation")
    await client.entity_type("invoice-schema", SCHEMA, required=["invoice_number"])
    return client


async def slack(house: House, api: Client, name: str, **given: Any) -> str:
    """An integration; its channel is the path of the inbox that has its name."""
    config = {"slack": {"webhookUrl": house.inbox.url(f"/{name}"), "channel": "#invoices"}}
    return (await api.change(INTEGRATE, name=name, config=config, **given))["integration"]["id"]


async def test_an_upload_into_the_knowledge_base_is_parsed_extracted_and_told_to_slack(
    house: House, api: Client
) -> None:
    channel = await slack(house, api, "Slack-Notifications")
    workflow = await api.workflow(NAME, {**definition(channel), **TRIGGER}, description=DESCRIPTION, enabled=True)

    listed = next(one for one in (await api.ask(LIST))["workflows"]["nodes"] if one["id"] == workflow)
    assert (listed["name"], listed["description"], listed["enabled"]) == (NAME, DESCRIPTION, True)
    (trigger,) = listed["triggers"]
    assert (trigger["event"], trigger["enabled"]) == ("document.uploaded", True)
    assert trigger["filter"]["mimeType"] == "application/pdf"
    extract = listed["definition"]["steps"][1]["config"]
    assert extract["schema"]["properties"] == SCHEMA

    inside = {"fields": {"knowledge_base_id": KNOWLEDGE_BASE}}
    await api.uploaded("notes.txt", b"Invoice number: NO-1\n", **inside)
    await api.uploaded("elsewhere.pdf", paper("NO-2"), fields={"knowledge_base_id": "another"})
    await api.uploaded("nowhere.pdf", paper("NO-3"))
    document = await api.uploaded("invoice.pdf", paper("INV-2024"), **inside)

    (run,) = await api.until(ENDED, "runs.nodes", workflow=workflow)
    assert (run["status"], run["trigger"]["type"]) == ("COMPLETED", "EVENT")
    assert [item["entity"]["id"] for item in run["items"]["nodes"]] == [document]
    (post,) = await house.inbox.at("/Slack-Notifications")
    assert post.json == {"text": "Invoice processed: INV-2024", "channel": "#invoices"}
    await api.change(UPDATE, id=workflow, enabled=False)


async def test_a_workflow_is_executed_with_trigger_data_and_its_log_is_listed(house: House, api: Client) -> None:
    channel = await slack(house, api, "by-hand")
    workflow = await api.workflow(NAME, {**definition(channel), **TRIGGER}, enabled=False)
    documents = [await api.uploaded(f"{number}.pdf", paper(f"EX-{number}")) for number in range(3)]
    trigger_data = {"document_id": documents[0]}

    run, states = await house.seen_live(api, workflowId=workflow, entities={"ids": [trigger_data["document_id"]]})
    assert states[-1]["status"] == "COMPLETED"
    for document in documents[1:]:
        await api.change(EXECUTE, workflowId=workflow, entities={"ids": [document]}, wait=WAIT)

    history = (await api.ask(EXECUTIONS, workflow=workflow, first=2))["workflow"]["runs"]
    assert (len(history["nodes"]), history["pageInfo"]["hasNextPage"]) == (2, True)
    only = (await api.ask(EXECUTION, id=run))["run"]
    assert (only["status"], only["trigger"]["type"]) == ("COMPLETED", "MANUAL")
    (item,) = only["items"]["nodes"]
    assert item["entity"]["id"] == documents[0]
    assert [(step["stepId"], step["status"]) for step in item["steps"]] == [
        ("parse", "COMPLETED"), ("extract", "COMPLETED"), ("notify", "COMPLETED"),
    ]  # fmt: skip
    assert all(step["durationMs"] is not None for step in item["steps"])
    told = {post.json["text"] for post in await house.inbox.at("/by-hand", 3)}
    assert told == {f"Invoice processed: EX-{number}" for number in range(3)}


async def test_a_workflow_is_read_changed_and_deleted(house: House, api: Client) -> None:
    channel = await slack(house, api, "changes")
    workflow = await api.workflow(NAME, {**definition(channel), **TRIGGER}, enabled=False)
    found = (await api.ask(GET, id=workflow))["workflow"]
    assert [step["type"] for step in found["steps"]] == ["parse", "extract", "integration"]

    steps = definition(channel)["steps"][:2]
    changed = await api.change(UPDATE, id=workflow, name="Invoice Reading", definition={"steps": steps}, enabled=True)
    assert changed["workflow"] == {"name": "Invoice Reading", "enabled": True, "version": {"number": 2}}
    after = (await api.ask(GET, id=workflow))["workflow"]
    assert len(after["steps"]) == 2
    assert after["triggers"] == found["triggers"]
    assert (await api.change(DELETE, id=workflow))["deletedId"] == workflow
    assert (await api.ask(GET, id=workflow))["workflow"] is None


async def test_each_platform_event_starts_the_workflow_that_waits_for_it(house: House, api: Client) -> None:
    channel = await slack(house, api, "events")
    said = {"message": "payload.message", "document": "payload.document"}
    waiting = {
        "document.uploaded": {"name": "payload.name"},
        "document.processed": {"by": "payload.workflowId"},
        "extraction.completed": {"found": "payload.output.invoice_number"},
        "chat.message": said,
    }
    workflows = {
        event: await api.workflow(
            f"On {event}",
            {
                "steps": [{"type": "echo"}],
                "triggers": [{"type": "event", "event": event, "input": mapping, "condition": CONDITIONS.get(event)}],
            },
        )
        for event, mapping in waiting.items()
    }
    processing = await api.workflow(NAME, {**definition(channel), **TRIGGER}, enabled=False)
    document = await api.uploaded("event.pdf", paper("EV-7"))
    await api.change(EXECUTE, workflowId=processing, entities={"ids": [document]}, wait=WAIT)
    await api.change(EMIT, name="chat.message", payload={"message": "Where is EV-7?", "document": document})

    results = {
        event: (await api.until(ENDED, "runs.nodes", workflow=workflow))[0] for event, workflow in workflows.items()
    }
    assert {event: run["status"] for event, run in results.items()} == dict.fromkeys(waiting, "COMPLETED")
    assert {run["trigger"]["type"] for run in results.values()} == {"EVENT"}
    assert results["document.uploaded"]["result"] == {"name": "event.pdf"}
    assert list(results["document.processed"]["result"]) == ["by"]
    assert results["extraction.completed"]["result"] == {"found": "EV-7"}
    assert results["chat.message"]["result"] == {"message": "Where is EV-7?", "document": document}
    for workflow in workflows.values():
        await api.change(UPDATE, id=workflow, enabled=False)


CONDITIONS = {"document.uploaded": "payload.name == 'event.pdf'"}


async def test_a_disabled_workflow_is_not_started_until_it_is_enabled(api: Client) -> None:
    waits = {"steps": [{"type": "echo"}], "triggers": [{"type": "event", "event": "chat.message"}]}
    workflow = await api.workflow("Answers", waits, enabled=False)
    early = (await api.change(EMIT, name="chat.message", payload={"message": "anybody there?"}))["event"]
    await api.until(HANDLED, "event.handledAt", id=early["id"])
    await api.change(UPDATE, id=workflow, enabled=True)
    await api.change(EMIT, name="chat.message", payload={"message": "and now?"})

    (run,) = await api.until(ENDED, "runs.nodes", workflow=workflow)
    assert run["result"] == {"message": "and now?"}
    await api.change(UPDATE, id=workflow, enabled=False)


HOOK = """mutation ($input: CreateWebhookTriggerInput!) {
  createWebhookTrigger(input: $input) { webhookTrigger { id } url secret errors { code message path } } }"""


async def test_an_external_webhook_starts_a_workflow_and_a_forged_one_does_not(api: Client) -> None:
    workflow = await api.workflow("Orders", {"steps": [{"type": "echo"}]})
    made = await api.change(HOOK, workflowId=workflow, name="the shop", input={"order": "payload.id"})
    signer, body = Webhook(made["secret"]), b'{"id": "O-77"}'

    answers = [await called(api, made["url"], signer, body, message) for message in ("m1", "m1")]
    forged = await called(api, made["url"], Webhook("whsec_" + "A" * 32), body, "m2")

    assert [status // 100 for status in answers] == [2, 2]
    assert forged // 100 == 4
    (run,) = await api.until(ENDED, "runs.nodes", workflow=workflow)
    assert (run["trigger"]["type"], run["result"]) == ("WEBHOOK", {"order": "O-77"})


async def called(api: Client, url: str, signer: Webhook, body: bytes, message: str) -> int:
    at = datetime.now(UTC)
    headers = {
        "webhook-id": message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signer.sign(message, at, body.decode()),
        "content-type": "application/json",
    }
    async with api.system.session.post(url, data=body, headers=headers) as reply:
        return reply.status
