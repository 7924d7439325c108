"""What a change of a workflow makes of its triggers."""

from typing import Any

from asking import ask
from triggers.made_workflows import ORDER, STEPS, WORKFLOW, made, revisions

from weft.domain.access import Viewer
from weft.domain.ids import UUID
from weft.graphql.nodes import decode_id
from weft.operations.services import Services
from weft.storage import tables

UPDATE = f"""
mutation ($input: UpdateWorkflowInput!) {{
  updateWorkflow(input: $input) {{ workflow {{ {WORKFLOW} }} errors {{ code message path hint }} }}
}}
"""


async def update(services: Services, viewer: Viewer, workflow: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answer = (await ask(services, viewer, UPDATE, input={"id": workflow["id"], **fields}))["updateWorkflow"]
    assert answer["errors"] == []
    return answer["workflow"]


async def test_a_definition_that_says_nothing_of_triggers_keeps_them(services: Services, viewer: Viewer) -> None:
    workflow = await made(services, viewer, triggers=[ORDER])
    changed = await update(services, viewer, workflow, definition={"steps": [{"id": "b", "type": "echo"}]})
    assert changed["version"]["number"] == 2
    assert changed["triggers"] == workflow["triggers"]
    assert changed["definition"]["triggers"] == workflow["definition"]["triggers"]
    assert await revisions(services) == {"Orders": 1}


async def test_an_empty_list_takes_all_triggers_away(services: Services, viewer: Viewer) -> None:
    workflow = await made(services, viewer, triggers=[ORDER])
    changes: list[dict[str, Any]] = [
        {"triggers": []},
        {"definition": {**STEPS, "triggers": []}},
        {"definition": {**STEPS, "trigger_type": "manual"}},
    ]
    for change in changes:
        changed = await update(services, viewer, workflow, **change)
        assert changed["triggers"] == []
        assert "triggers" not in changed["definition"]
        assert await revisions(services) == {}
        await update(services, viewer, workflow, triggers=[ORDER])


async def test_only_triggers_make_the_next_version(services: Services, viewer: Viewer) -> None:
    workflow = await made(services, viewer, triggers=[ORDER])
    changed = await update(services, viewer, workflow, triggers=[{"event": "chat.message"}, ORDER])
    assert changed["version"]["number"] == 2
    assert [one["event"] for one in changed["triggers"]] == ["chat.message", "order.placed"]
    assert changed["triggers"][1] == workflow["triggers"][0]
    assert (await update(services, viewer, workflow, triggers=[{"event": "chat.message"}, ORDER]))["version"] == {
        "number": 2
    }
    swapped = await update(services, viewer, workflow, triggers=[ORDER, {"event": "chat.message"}])
    assert swapped["triggers"] == changed["triggers"][::-1]
    assert await revisions(services) == {"chat.message": 1, "Orders": 1}


async def test_a_changed_trigger_keeps_its_id_under_the_next_revision(services: Services, viewer: Viewer) -> None:
    workflow = await made(services, viewer, triggers=[ORDER, {"event": "chat.message"}])
    changed = await update(
        services, viewer, workflow, triggers=[{"event": "chat.message"}, ORDER | {"condition": "payload.total > 5"}]
    )
    assert [one["id"] for one in changed["triggers"]] == [one["id"] for one in workflow["triggers"]][::-1]
    assert changed["triggers"][1]["condition"] == "payload.total > 5"
    assert changed["triggers"][1]["updatedAt"] > workflow["triggers"][0]["updatedAt"]
    assert await revisions(services) == {"Orders": 2, "chat.message": 1}


async def test_a_change_of_the_name_alone_leaves_triggers_alone(services: Services, viewer: Viewer) -> None:
    workflow = await made(services, viewer, triggers=[ORDER])
    changed = await update(services, viewer, workflow, name="Another")
    assert (changed["version"], changed["triggers"]) == (workflow["version"], workflow["triggers"])


async def test_a_webhook_of_the_workflow_is_none_of_its_definitions_triggers(
    services: Services, viewer: Viewer
) -> None:
    workflow = await made(services, viewer, triggers=[ORDER])
    values: dict[str, Any] = {
        "type": "WEBHOOK",
        "name": "Hook",
        "filter": {},
        "created_by": "tests",
        "workspace_id": viewer.workspace_id,
    }
    workflow_id = UUID(decode_id(workflow["id"])[1])
    async with services.database.transaction() as connection:
        await connection.execute(tables.trigger.insert().values(id=UUID(int=7), workflow_id=workflow_id, **values))
    changed = await update(services, viewer, workflow, triggers=[])
    assert changed["triggers"] == []
    assert await revisions(services) == {"Hook": 1}
