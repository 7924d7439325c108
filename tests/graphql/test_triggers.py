"""Triggers over GraphQL: in definitions, beside them, changed, and refused where they are wrong."""

from typing import Any

from asking import ask
from triggers.made_workflows import ORDER, PDF, STEPS, WORKFLOW, create, made, revisions

from weft.domain.access import Viewer
from weft.domain.files import DOCUMENT_TYPE
from weft.operations.services import Services

VALIDATE = """
mutation ($input: ValidateWorkflowInput!) { validateWorkflow(input: $input) { valid definition errors { path } } }
"""
READ = f"query ($id: ID!) {{ workflow(id: $id) {{ {WORKFLOW} }} }}"
NODE = "query ($id: ID!) { node(id: $id) { __typename id ... on EventTrigger { event } } }"


async def test_a_definition_brings_its_triggers(services: Services, viewer: Viewer) -> None:
    order = {"event": "order.placed", "name": "Orders", "input": {"entityId": "payload.bill"}, "enabled": False}
    workflow = await made(services, viewer, definition={**STEPS, "triggers": [PDF, order]})
    pdf, orders = workflow["triggers"]
    assert pdf["event"] == pdf["name"] == "document.uploaded"
    assert pdf["filter"] == {"mimeType": ["application/pdf"]}
    assert (pdf["condition"], pdf["input"], pdf["parameters"], pdf["enabled"]) == (None, None, None, True)
    assert (orders["name"], orders["input"], orders["enabled"]) == ("Orders", {"entityId": "payload.bill"}, False)
    assert orders["workflow"] == {"id": workflow["id"]}
    assert workflow["definition"]["triggers"] == [
        {"type": "EVENT", "event": "document.uploaded", "filter": {"mimeType": ["application/pdf"]}},
        {"type": "EVENT", **order, "filter": {}},
    ]


async def test_triggers_beside_the_definition_are_part_of_it(services: Services, viewer: Viewer) -> None:
    beside = await made(services, viewer, triggers=[PDF])
    within = await made(services, viewer, definition={**STEPS, "triggers": [PDF]})
    assert beside["definition"] == within["definition"]
    assert beside["entityType"] == within["entityType"] == {"name": DOCUMENT_TYPE}


async def test_the_first_documents_definition_is_right_as_far_as_its_trigger_goes(
    services: Services, viewer: Viewer
) -> None:
    definition = {
        "triggers": [PDF],
        "tasks": [{"id": "parse_document", "type": "parse"}],
        "error_handling": {"retry": {"max_attempts": 3, "backoff": "exponential"}},
    }
    workflow = await made(services, viewer, definition=definition)
    assert [one["filter"] for one in workflow["triggers"]] == [{"mimeType": ["application/pdf"]}]


async def test_the_second_documents_trigger_is_right(services: Services, viewer: Viewer) -> None:
    definition: dict[str, Any] = {
        "steps": [{"id": "parse", "type": "parse", "config": {}}],
        "trigger_type": "event",
        "trigger_config": {
            "event": "document.uploaded",
            "filters": {"file_type": "pdf", "knowledge_base_id": "kb-uuid"},
        },
    }
    workflow = await made(services, viewer, definition=definition)
    assert [(one["event"], one["filter"]) for one in workflow["triggers"]] == [
        ("document.uploaded", {"mimeType": "application/pdf", "knowledge_base_id": "kb-uuid"})
    ]
    assert workflow["entityType"] == {"name": DOCUMENT_TYPE}


async def test_a_workflow_with_an_input_of_its_own_does_not_become_one_of_documents(
    services: Services, viewer: Viewer
) -> None:
    definition = {**STEPS, "inputSchema": {"type": "object", "properties": {"name": {"type": "string"}}}}
    assert (await made(services, viewer, definition=definition, triggers=[PDF]))["entityType"] is None
    mapped = [{**PDF, "input": {"file": "payload.name"}}]
    assert (await made(services, viewer, triggers=mapped))["entityType"] is None
    assert (await made(services, viewer, triggers=[ORDER]))["entityType"] is None


async def test_a_type_of_ones_own_in_the_name_of_documents_has_to_be_named(services: Services, viewer: Viewer) -> None:
    make = 'mutation { createEntityType(input: {name: "document", schema: {type: "object"}}) { errors { code } } }'
    assert (await ask(services, viewer, make))["createEntityType"]["errors"] == []
    (error,) = (await create(services, viewer, triggers=[PDF]))["errors"]
    assert (error["code"], error["path"]) == ("CONFLICT", ["input", "entityTypeId"])


async def test_every_problem_has_its_place_where_it_was_written(services: Services, viewer: Viewer) -> None:
    wrong: list[dict[str, Any]] = [
        {"type": "cron"},
        {"event": "run.completd"},
        {"type": "document_upload", "filters": {"mime_type": "pff", "siize": 5, "fields": {"a": {}}}},
        {"event": "document.uploaded", "condition": "payload.siz > 5", "input": {"a": "payload.", "b": "1"}},
    ]
    places: list[tuple[dict[str, Any], list[str]]] = [
        ({"triggers": wrong}, ["input"]),
        ({"definition": {**STEPS, "triggers": wrong}}, ["input", "definition"]),
    ]
    for given, prefix in places:
        answer = await create(services, viewer, **given)
        assert answer["workflow"] is None
        assert sorted(error["path"] for error in answer["errors"]) == [
            [*prefix, "triggers", "0", "type"],
            [*prefix, "triggers", "1", "event"],
            [*prefix, "triggers", "2", "filters", "mime_type"],
            [*prefix, "triggers", "2", "filters", "siize"],
            [*prefix, "triggers", "3", "condition"],
            [*prefix, "triggers", "3", "input", "a"],
        ]
        hints = {error["path"][-1]: error["hint"] for error in answer["errors"]}
        assert hints["type"] == "Make it with createSchedule."
        assert hints["event"] == "Did you mean 'run.completed'?"


async def test_triggers_have_to_fit_what_the_workflow_takes(services: Services, viewer: Viewer) -> None:
    definition = {
        **STEPS,
        "inputSchema": {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]},
        "parametersSchema": {"type": "object", "properties": {"limit": {"type": "number"}}, "required": ["limit"]},
    }
    answer = await create(services, viewer, definition=definition, triggers=[{"event": "run.completed"}])
    assert [error["path"] for error in answer["errors"]] == [
        ["input", "triggers", "0", "input"],
        ["input", "triggers", "0", "parameters"],
    ]
    fitting = {"event": "run.completed", "input": {"order": "payload.runId"}, "parameters": {"limit": "5.0"}}
    assert (await create(services, viewer, definition=definition, triggers=[fitting]))["errors"] == []
    broken = {**definition, "inputSchema": {"type": "object", "required": 5}}
    answer = await create(services, viewer, definition=broken, triggers=[{"event": "run.completed"}])
    assert {error["code"] for error in answer["errors"]} == {"INVALID_SCHEMA"}


async def test_triggers_are_given_in_one_place(services: Services, viewer: Viewer) -> None:
    definition = {**STEPS, "trigger_type": "manual"}
    answer = await create(services, viewer, definition=definition, triggers=[PDF])
    assert [error["path"] for error in answer["errors"]] == [["input", "triggers"]]
    checked = await ask(services, viewer, VALIDATE, input={"definition": definition, "triggers": []})
    assert checked["validateWorkflow"]["errors"] == [{"path": ["input", "triggers"]}]


async def test_validating_finds_the_same_problems_and_saves_nothing(services: Services, viewer: Viewer) -> None:
    given = {"definition": STEPS, "triggers": [{"event": "document.upload"}]}
    checked = (await ask(services, viewer, VALIDATE, input=given))["validateWorkflow"]
    assert checked["errors"] == [{"path": ["input", "triggers", "0", "event"]}]
    checked = (await ask(services, viewer, VALIDATE, input={"definition": STEPS, "triggers": [PDF]}))[
        "validateWorkflow"
    ]
    assert checked["valid"]
    assert len(checked["definition"]["triggers"]) == 1
    assert await revisions(services) == {}


async def test_templates_keep_the_triggers(services: Services, viewer: Viewer) -> None:
    workflow = await made(services, viewer, triggers=[PDF, ORDER | {"input": None}])
    save = (
        "mutation ($input: SaveAsTemplateInput!) { saveAsTemplate(input: $input) { template { id } errors { path } } }"
    )
    saved = (await ask(services, viewer, save, input={"workflowId": workflow["id"], "category": "general"}))[
        "saveAsTemplate"
    ]
    use = f"""
    mutation ($input: CreateWorkflowFromTemplateInput!) {{
      createWorkflowFromTemplate(input: $input) {{ workflow {{ {WORKFLOW} }} errors {{ path message }} }}
    }}
    """
    copied = await ask(services, viewer, use, input={"templateId": saved["template"]["id"], "name": "A copy"})
    copy = copied["createWorkflowFromTemplate"]["workflow"]
    assert [one["event"] for one in copy["triggers"]] == ["document.uploaded", "order.placed"]
    assert {one["id"] for one in copy["triggers"]}.isdisjoint(one["id"] for one in workflow["triggers"])
    assert copy["entityType"] == {"name": DOCUMENT_TYPE}


async def test_a_trigger_is_a_node_of_its_workspace(services: Services, viewer: Viewer, stranger: Viewer) -> None:
    workflow = await made(services, viewer, triggers=[ORDER])
    trigger_id = workflow["triggers"][0]["id"]
    found = await ask(services, viewer, NODE, id=trigger_id)
    assert found["node"] == {"__typename": "EventTrigger", "id": trigger_id, "event": "order.placed"}
    assert (await ask(services, stranger, NODE, id=trigger_id))["node"] is None


async def test_a_public_workflow_shows_its_triggers_to_nobody_else(
    services: Services, viewer: Viewer, stranger: Viewer
) -> None:
    workflow = await made(services, viewer, triggers=[ORDER], public=True)
    seen = (await ask(services, stranger, READ, id=workflow["id"]))["workflow"]
    assert seen["triggers"] == []


async def test_event_types_say_what_can_be_listened_to(services: Services, viewer: Viewer) -> None:
    found = (await ask(services, viewer, "{ eventTypes { name description payloadSchema } }"))["eventTypes"]
    by_name = {one["name"]: one for one in found}
    assert {"document.uploaded", "document.processed", "extraction.completed", "chat.message"} <= by_name.keys()
    assert {f"entity.{what}" for what in ("created", "updated", "published")} <= by_name.keys()
    assert {f"run.{what}" for what in ("started", "completed", "failed", "cancelled")} <= by_name.keys()
    assert "mimeType" in by_name["document.uploaded"]["payloadSchema"]["properties"]
    assert by_name["chat.message"]["payloadSchema"] is None
    assert all(one["description"] for one in found)
