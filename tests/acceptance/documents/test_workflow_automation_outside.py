"""Document 001 again: its schedules, its integrations with what arrives at the other end, and its templates."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from acceptance.documents.house import RUN, Client, House
from acceptance.documents.test_workflow_automation_api import ENDED, INTEGRATE
from sqlalchemy import text
from standardwebhooks import Webhook

from weft.operations.builtin_templates import builtin_templates

pytestmark = pytest.mark.acceptance

NEW_YORK = "America/New_York"
PATTERNS: dict[str, Callable[[datetime], bool]] = {
    "0 9 * * *": lambda at: (at.hour, at.minute) == (9, 0),
    "0 9 * * 1-5": lambda at: (at.hour, at.minute) == (9, 0) and at.isoweekday() <= 5,
    "0 0 * * 0": lambda at: (at.hour, at.minute, at.isoweekday()) == (0, 0, 7),
    "0 0 1 * *": lambda at: (at.hour, at.minute, at.day) == (0, 0, 1),
}
SCHEDULE = """mutation ($input: CreateScheduleInput!) {
  createSchedule(input: $input) { schedule { id enabled cronExpression timezone nextRuns(count: 10) } errors { code message path } } }"""
GET_SCHEDULE = """query ($id: ID!) { schedule(id: $id) {
  cronExpression timezone enabled nextRuns(count: 3) workflow { id } } }"""
SCHEDULES = "query ($workflow: ID!) { schedules(filter: {workflowId: $workflow}) { nodes { id } } }"
FIRINGS = "query ($id: ID!) { schedule(id: $id) { firings { nodes { outcome run { id } } } } }"
UPDATE_SCHEDULE = """mutation ($input: UpdateScheduleInput!) {
  updateSchedule(input: $input) { schedule { cronExpression timezone enabled } errors { code message path } } }"""
DELETE_SCHEDULE = """mutation ($input: ScheduleIdInput!) {
  deleteSchedule(input: $input) { deletedId errors { message } } }"""
INTEGRATIONS = """query ($workflow: ID) { integrations(workflowId: $workflow) { nodes {
  id name type enabled config { slack { host channel } email { to subject template } webhook { url method headers } } } } }"""
UPDATE_INTEGRATION = """mutation ($input: UpdateIntegrationInput!) {
  updateIntegration(input: $input) { integration { name config { slack { channel } } } errors { message path } } }"""
DELETE_INTEGRATION = """mutation ($input: DeleteIntegrationInput!) {
  deleteIntegration(input: $input) { deletedId errors { message } } }"""
DELIVERIES = (
    """query ($run: ID!) { run(id: $run) { deliveries(status: [DELIVERED]) { nodes { integrationName status } } } }"""
)
TEMPLATES = (
    "query ($category: String) { templates(category: $category, first: 100) { nodes { id name category builtin } } }"
)
USE = """mutation ($input: CreateWorkflowFromTemplateInput!) {
  createWorkflowFromTemplate(input: $input) { workflow { id name description steps { stepId } } errors { message path } } }"""
ECHO = {"steps": [{"type": "echo"}]}
WAIT = "PT60S"


@pytest.fixture(scope="module")
async def api(house: House) -> Client:
    return await house.client("workflow automation, what is outside")


@pytest.fixture
async def workflow(api: Client) -> str:
    return await api.workflow("Invoice Processing", ECHO)


@pytest.mark.parametrize("pattern", PATTERNS)
async def test_each_common_pattern_is_due_when_the_document_says(api: Client, workflow: str, pattern: str) -> None:
    made = (await api.change(SCHEDULE, workflowId=workflow, cronExpression=pattern, timezone=NEW_YORK))["schedule"]

    assert (made["cronExpression"], made["timezone"], made["enabled"]) == (pattern, NEW_YORK, True)
    due = [datetime.fromisoformat(at) for at in made["nextRuns"]]
    assert len(due) == 10
    assert due == sorted(set(due))
    assert due[0] > datetime.now(UTC)
    assert all(PATTERNS[pattern](at.astimezone(ZoneInfo(NEW_YORK))) for at in due)


async def test_a_schedule_is_read_changed_and_deleted(api: Client, workflow: str) -> None:
    given = {"workflowId": workflow, "cronExpression": "0 9 * * 1-5", "timezone": NEW_YORK}
    schedule = (await api.change(SCHEDULE, **given))["schedule"]["id"]

    found = (await api.ask(GET_SCHEDULE, id=schedule))["schedule"]
    assert (found["cronExpression"], found["workflow"]["id"]) == ("0 9 * * 1-5", workflow)
    assert [one["id"] for one in (await api.ask(SCHEDULES, workflow=workflow))["schedules"]["nodes"]] == [schedule]
    changed = await api.change(UPDATE_SCHEDULE, id=schedule, cronExpression="0 10 * * 1-5", enabled=True)
    assert changed["schedule"] == {"cronExpression": "0 10 * * 1-5", "timezone": NEW_YORK, "enabled": True}
    assert (await api.change(DELETE_SCHEDULE, id=schedule))["deletedId"] == schedule
    assert (await api.ask(GET_SCHEDULE, id=schedule))["schedule"] is None


async def test_a_schedule_that_is_due_starts_its_workflow_once(api: Client, workflow: str) -> None:
    given = {"workflowId": workflow, "cronExpression": "0 9 * * 1-5", "timezone": NEW_YORK, "input": {"from": "cron"}}
    schedule = (await api.change(SCHEDULE, **given))["schedule"]["id"]
    async with api.system.database.transaction() as connection:
        # As if it were nine o'clock.
        await connection.execute(
            text("UPDATE schedule SET next_at = now() WHERE cron_expression = '0 9 * * 1-5' AND enabled")
        )

    (run,) = await api.until(ENDED, "runs.nodes", workflow=workflow)
    assert (run["status"], run["trigger"]["type"], run["result"]) == ("COMPLETED", "SCHEDULE", {"from": "cron"})
    (firing,) = (await api.ask(FIRINGS, id=schedule))["schedule"]["firings"]["nodes"]
    assert (firing["outcome"], firing["run"]["id"]) == ("STARTED", run["id"])


async def test_each_integration_is_listed_by_its_workflow_changed_and_deleted(
    house: House, api: Client, workflow: str
) -> None:
    other = await api.workflow("Another", ECHO)
    slack = {"webhookUrl": house.inbox.url("/services/listed"), "channel": "#invoices"}
    named = {"workflowId": workflow, "name": "Slack Notifications", "config": {"slack": slack}}
    made = (await api.change(INTEGRATE, **named))["integration"]
    assert (made["type"], made["workflow"]["id"]) == ("SLACK", workflow)
    email = {"to": ["books@example.com"], "subject": "Invoice", "template": "{{ message }}"}
    await api.change(INTEGRATE, workflowId=workflow, name="Listed mail", config={"email": email})
    await api.change(INTEGRATE, workflowId=other, name="Not listed", config={"slack": slack})

    listed = (await api.ask(INTEGRATIONS, workflow=workflow))["integrations"]["nodes"]
    assert [one["name"] for one in listed] == ["Slack Notifications", "Listed mail"]
    assert listed[0]["config"]["slack"] == {"host": house.inbox.host, "channel": "#invoices"}
    assert listed[1]["config"]["email"] == email
    assert "services/listed" not in str(listed)
    changed = await api.change(UPDATE_INTEGRATION, id=made["id"], config={"slack": {"channel": "#books"}})
    assert changed["integration"]["config"]["slack"]["channel"] == "#books"
    assert (await api.change(DELETE_INTEGRATION, id=made["id"]))["deletedId"] == made["id"]
    left = (await api.ask(INTEGRATIONS, workflow=workflow))["integrations"]["nodes"]
    assert [one["name"] for one in left] == ["Listed mail"]


async def test_one_run_tells_slack_a_mailbox_and_a_webhook(house: House, api: Client) -> None:
    configs: dict[str, Any] = {
        "chat": {"slack": {"webhookUrl": house.inbox.url("/told/slack"), "channel": "#invoices"}},
        "mail": {"email": {"to": ["books@example.com"], "subject": "Paid: {{ number }}", "template": "Dear books, {{ message }}"}},
        "erp": {
            "webhook": {
                "url": house.inbox.url("/told/erp"),
                "method": "PUT",
                "headers": [{"name": "X-Shop", "value": "weft"}],
            }
        },
    }  # fmt: skip
    secrets = {
        name: (await api.change(INTEGRATE, name=name, config=config))["secret"] for name, config in configs.items()
    }
    tells: list[dict[str, Any]] = [
        {"id": name, "type": "integration", "depends_on": [], "config": {"integration_id": name, "template": "{{number}} is paid"}}
        for name in configs
    ]  # fmt: skip
    workflow = await api.workflow("Tell all", {"steps": tells})
    run = (await api.change(RUN, workflowId=workflow, input={"number": "INV-9"}, wait=WAIT))["run"]

    (slack,) = await house.inbox.at("/told/slack")
    assert slack.json == {"text": "INV-9 is paid", "channel": "#invoices"}
    (erp,) = await house.inbox.at("/told/erp")
    assert (erp.method, erp.headers["x-shop"]) == ("PUT", "weft")
    said = Webhook(secrets["erp"]).verify(erp.body, erp.headers)
    assert said["data"]["text"] == "INV-9 is paid"
    delivered = await api.until(DELIVERIES, "run.deliveries.nodes", 3, run=run["id"])
    assert {one["integrationName"] for one in delivered} == {"chat", "mail", "erp"}
    (mail,) = [mail for mail in house.postbox.mails if mail["subject"] == "Paid: INV-9"]
    assert mail["to"] == "books@example.com"
    assert mail.get_content().strip() == "Dear books, INV-9 is paid"


@pytest.mark.parametrize("category", ["invoice", "contract", "resume", "general"])
async def test_templates_of_each_category_are_offered(api: Client, category: str) -> None:
    offered = (await api.ask(TEMPLATES, category=category))["templates"]["nodes"]

    assert {one["category"] for one in offered} == {category}
    known = {one.name for one in builtin_templates() if one.category == category}
    assert known <= {one["name"] for one in offered}


async def test_a_workflow_is_made_from_a_template_and_runs(api: Client) -> None:
    offered = (await api.ask(TEMPLATES, category="invoice"))["templates"]["nodes"]
    template = next(one["id"] for one in offered if one["name"] == "Invoice approval")
    wanted = {"name": "My Invoice Workflow", "description": "Custom invoice processing"}
    made = (await api.change(USE, templateId=template, **wanted))["workflow"]

    assert {name: made[name] for name in wanted} == wanted
    assert len(made["steps"]) > 3
    entity = {"invoiceNumber": "I-1", "vendor": "ACME", "issueDate": "2026-01-10", "currency": "EUR", "net": 100.0, "tax": 19.0, "total": 119.0}  # fmt: skip
    created = await api.change(ENTITY, entityTypeId=await type_of(api, made["id"]), entities=[{"data": entity}])
    ids = [one["id"] for one in created["entities"]]
    await api.change(RUN, workflowId=made["id"], entities={"ids": ids}, wait=WAIT)
    (run,) = await api.until(ENDED, "runs.nodes", workflow=made["id"])
    assert (run["status"], run["result"]["status"]) == ("COMPLETED", "ACCEPTED")


ENTITY = """mutation ($input: CreateEntitiesInput!) {
  createEntities(input: $input) { entities { id } errors { message path } } }"""


async def type_of(api: Client, workflow: str) -> str:
    asked = "query ($id: ID!) { workflow(id: $id) { entityType { id } } }"
    return (await api.ask(asked, id=workflow))["workflow"]["entityType"]["id"]
