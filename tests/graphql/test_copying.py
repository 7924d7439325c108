"""Copies of workflows: their own, whatever becomes of what they were made of."""

from datetime import timedelta

from asking import ask
from pytest_httpserver import HTTPServer
from sharing import CHECK, INVOICE, NOTIFY, UPDATE, change, copy, entity_type, make, names
from workers import working

from weft.domain.access import Viewer
from weft.domain.entity import EntityInput
from weft.domain.ids import UUID
from weft.domain.run import Selection
from weft.graphql.nodes import decode_id
from weft.operations.entity_creation import create_entities
from weft.operations.integration_configs import WebhookSettings
from weft.operations.integrations import NewIntegration, create_integration
from weft.operations.run_starts import StartRun, start_run
from weft.operations.services import Services


async def test_a_copy_runs_in_its_own_workspace_and_stays_when_its_source_goes(
    services: Services, viewer: Viewer, stranger: Viewer
) -> None:
    type_id = await entity_type(services, viewer, "Invoice", INVOICE)
    source_id = await make(services, viewer, "Invoices", category="billing", entityTypeId=type_id, definition=CHECK)
    made = await copy(services, stranger, source_id, name="Ours")
    assert (made["errors"], made["warnings"]) == ([], [])
    copied = made["workflow"]
    assert (copied["name"], copied["category"], copied["status"], copied["public"]) == (
        "Ours",
        "billing",
        "ACTIVE",
        False,
    )
    assert copied["copiedFrom"] == {"id": source_id}
    assert (copied["entityType"]["name"], copied["entityType"]["id"] == type_id) == ("Invoice", False)
    own_type, own_id = (
        UUID(decode_id(copied[key]["id"] if key == "entityType" else copied["id"])[1]) for key in ("entityType", "id")
    )
    await create_entities(services, stranger, own_type, [EntityInput({"total": 500.0})])
    async with working(services) as served:
        wanted = StartRun(own_id, selection=Selection(all=True), wait=timedelta(seconds=20))
        assert (await start_run(served, stranger, wanted)).progress.completed == 1
    await ask(services, viewer, "mutation ($id: ID!) { deleteWorkflow(input: {id: $id}) { deletedId } }", id=source_id)
    answer = await ask(
        services, stranger, "query ($id: ID!) { workflow(id: $id) { name own copiedFrom { id } } }", id=copied["id"]
    )
    assert answer["workflow"] == {"name": "Ours", "own": True, "copiedFrom": None}
    assert await names(services, viewer) == []


async def test_a_second_copy_takes_the_entity_type_of_the_first(
    services: Services, viewer: Viewer, stranger: Viewer
) -> None:
    type_id = await entity_type(services, viewer, "Invoice", INVOICE)
    source_id = await make(services, viewer, entityTypeId=type_id, definition=CHECK)
    first, second = [await copy(services, stranger, source_id) for _ in range(2)]
    assert first["workflow"]["entityType"] == second["workflow"]["entityType"]
    other = await entity_type(services, stranger, "Bill", INVOICE)
    chosen = await copy(services, stranger, source_id, entityTypeId=other)
    assert chosen["workflow"]["entityType"]["name"] == "Bill"
    foreign = await copy(services, stranger, source_id, entityTypeId=type_id)
    assert [(error["code"], error["path"]) for error in foreign["errors"]] == [("NOT_FOUND", ["input", "entityTypeId"])]
    own = await copy(services, viewer, source_id)
    assert own["workflow"]["entityType"]["id"] == type_id


async def test_an_entity_type_of_that_name_with_another_schema_is_not_taken(
    services: Services, viewer: Viewer, stranger: Viewer
) -> None:
    type_id = await entity_type(services, viewer, "Invoice", INVOICE)
    source_id = await make(services, viewer, entityTypeId=type_id)
    await entity_type(services, stranger, "Invoice", {"type": "object"})
    refused = await copy(services, stranger, source_id)
    assert [(error["code"], error["path"]) for error in refused["errors"]] == [("CONFLICT", ["input", "entityTypeId"])]
    assert await names(services, stranger) == []


async def test_a_copy_that_does_not_fit_is_a_draft_that_cannot_run_until_all_is_put_right(
    services: Services, viewer: Viewer, stranger: Viewer, httpserver: HTTPServer
) -> None:
    team = NewIntegration("The team", WebhookSettings(url=httpserver.url_for("/")))
    await create_integration(services, viewer, team)
    made = await copy(services, stranger, await make(services, viewer, definition=NOTIFY))
    copied = made["workflow"]
    assert (made["errors"], copied["status"]) == ([], "DRAFT")
    assert copied["definition"]["steps"][0]["config"] == NOTIFY["steps"][0]["config"]
    (warning,) = made["warnings"]
    assert warning["path"] == ["workflow", "definition", "steps", "0", "config", "integration"]
    run = f'mutation {{ runWorkflow(input: {{workflowId: "{copied["id"]}", input: {{}}}}) {{ errors {{ code }} }} }}'
    assert (await ask(services, stranger, run))["runWorkflow"]["errors"] == [{"code": "CONFLICT"}]
    activate = {"id": copied["id"], "status": "ACTIVE"}
    refused = (await ask(services, stranger, UPDATE, input=activate))["updateWorkflow"]["errors"]
    assert [error["message"] for error in refused] == [warning["message"]]
    await change(services, stranger, copied["id"], name="Still a draft")
    await create_integration(services, stranger, team)
    await change(services, stranger, copied["id"], status="ACTIVE")
    assert (await ask(services, stranger, run))["runWorkflow"]["errors"] == []


async def test_a_copy_with_triggers_does_not_start_by_itself(
    services: Services, viewer: Viewer, stranger: Viewer
) -> None:
    definition = {"steps": [{"type": "echo"}], "triggers": [{"event": "order.placed"}]}
    source_id = await make(services, viewer, definition=definition)
    made = await copy(services, stranger, source_id)
    assert (made["workflow"]["status"], made["workflow"]["enabled"]) == ("ACTIVE", False)
    assert made["workflow"]["definition"]["triggers"][0]["event"] == "order.placed"
