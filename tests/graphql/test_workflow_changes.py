"""A changed definition is the next version; everything else changes in place."""

from typing import Any

import pytest
from asking import ask
from sqlalchemy import insert, select, update

from weft.domain.access import Viewer
from weft.domain.ids import UUID, new_id
from weft.domain.workflow import Workflow
from weft.graphql.nodes import encode_id
from weft.operations import entity_types, workflow_changes, workflows
from weft.operations.services import Services
from weft.operations.workflows import NewWorkflow
from weft.storage import tables

UPDATE = """
mutation ($input: UpdateWorkflowInput!) {
  updateWorkflow(input: $input) {
    workflow {
      name category status enabled stepsCount version { number } versions { totalCount nodes { number definition } }
    }
    errors { code path message }
  }
}
"""
DELETE = "mutation ($id: ID!) { deleteWorkflow(input: {id: $id}) { deletedId errors { code path } } }"


@pytest.fixture
async def workflow(services: Services, viewer: Viewer) -> Workflow:
    wanted = NewWorkflow("Echo", {"steps": [{"id": "a", "type": "echo"}]}, category="general")
    return await workflows.create_workflow(services, viewer, wanted)


async def change(services: Services, viewer: Viewer, workflow: Workflow, **fields: Any) -> dict[str, Any]:
    wanted = {"id": encode_id("Workflow", workflow.id), **fields}
    return (await ask(services, viewer, UPDATE, input=wanted))["updateWorkflow"]


async def actions(services: Services) -> list[str]:
    async with services.database.reading() as connection:
        return list(await connection.scalars(select(tables.audit_entry.c.action).order_by(tables.audit_entry.c.id)))


async def add_run(services: Services, workflow: Workflow, status: str) -> UUID:
    run_id = new_id()
    async with services.database.transaction() as connection:
        await connection.execute(
            insert(tables.run).values(
                id=run_id, workspace_id=workflow.workspace_id, workflow_id=workflow.id, version_id=workflow.version_id,
                parameters={}, trigger_type="MANUAL", triggered_by="tests",
            )
        )  # fmt: skip
        empty: list[int] = []
        counters = dict.fromkeys(
            ("step_completed", "step_failed", "step_skipped", "step_retried", "step_busy_us"), empty
        )
        await connection.execute(
            insert(tables.run_state).values(run_id=run_id, status=status, total=1, step_ids=[], **counters)
        )
    return run_id


async def test_a_changed_definition_makes_the_next_version_and_keeps_the_old_one(
    services: Services, viewer: Viewer, workflow: Workflow
) -> None:
    changed = await change(services, viewer, workflow, definition={"steps": [{"type": "echo"}, {"type": "echo"}]})
    assert changed["errors"] == []
    assert (changed["workflow"]["version"]["number"], changed["workflow"]["stepsCount"]) == (2, 2)
    newest, oldest = changed["workflow"]["versions"]["nodes"]
    assert (newest["number"], oldest["number"]) == (2, 1)
    assert [step["id"] for step in oldest["definition"]["steps"]] == ["a"]


async def test_the_same_definition_in_another_spelling_is_no_new_version(
    services: Services, viewer: Viewer, workflow: Workflow
) -> None:
    changed = await change(
        services, viewer, workflow, definition={"tasks": [{"id": "a", "type": "echo", "depends_on": []}]}
    )
    assert changed["workflow"]["version"]["number"] == 1
    assert await actions(services) == ["workflow.created"]


async def test_what_is_left_out_stays_as_it_is(services: Services, viewer: Viewer, workflow: Workflow) -> None:
    changed = (await change(services, viewer, workflow, name="New", enabled=False, category=""))["workflow"]
    assert (changed["name"], changed["enabled"], changed["category"], changed["status"]) == (
        "New",
        False,
        None,
        "ACTIVE",
    )
    assert changed["version"]["number"] == 1
    assert await actions(services) == ["workflow.created", "workflow.updated"]


async def test_a_change_of_what_somebody_else_changed_meanwhile_is_refused(
    services: Services, viewer: Viewer, workflow: Workflow
) -> None:
    definition = {"steps": [{"type": "echo"}, {"type": "echo"}]}
    assert (await change(services, viewer, workflow, definition=definition, expectedVersion=1))["errors"] == []
    refused = await change(services, viewer, workflow, definition={"steps": [{"type": "echo"}]}, expectedVersion=1)
    assert [(error["code"], error["path"]) for error in refused["errors"]] == [
        ("CONFLICT", ["input", "expectedVersion"])
    ]


async def test_a_wrong_definition_changes_nothing(services: Services, viewer: Viewer, workflow: Workflow) -> None:
    refused = await change(services, viewer, workflow, name="New", definition={"steps": [{"type": "nothing"}]})
    assert refused["errors"][0]["code"] == "UNKNOWN_STEP_TYPE"
    assert await workflows.load_workflows(services, viewer, [workflow.id]) == [workflow]


async def test_a_new_entity_type_is_checked_against_the_definition(services: Services, viewer: Viewer) -> None:
    schemas = {"Old": {"total": {"type": "number"}}, "New": {"amount": {"type": "number"}}}
    old, new = [
        await entity_types.create_entity_type(
            services, viewer, name=name, description="", schema={"type": "object", "properties": properties}
        )
        for name, properties in schemas.items()
    ]
    definition = {"steps": [{"type": "echo", "when": "input.total > 1.0"}]}
    made = await workflows.create_workflow(services, viewer, NewWorkflow("W", definition, entity_type_id=old.id))
    refused = await change(services, viewer, made, entityTypeId=encode_id("EntityType", new.id))
    assert [error["code"] for error in refused["errors"]] == ["UNKNOWN_REFERENCE"]
    mended = {"steps": [{"type": "echo", "when": "input.amount > 1.0"}]}
    assert (await change(services, viewer, made, entityTypeId=encode_id("EntityType", new.id), definition=mended))[
        "errors"
    ] == []


async def test_archiving_twice_is_archiving_once(services: Services, viewer: Viewer, workflow: Workflow) -> None:
    for _ in range(2):
        archived = await workflow_changes.archive_workflow(services, viewer, workflow.id)
        assert archived.status == "ARCHIVED"
    assert await actions(services) == ["workflow.created", "workflow.updated"]


async def test_a_workflow_with_a_run_that_is_not_finished_is_not_deleted(
    services: Services, viewer: Viewer, workflow: Workflow
) -> None:
    workflow_id = encode_id("Workflow", workflow.id)
    await add_run(services, workflow, "COMPLETED")
    run_id = await add_run(services, workflow, "PAUSED")
    refused = (await ask(services, viewer, DELETE, id=workflow_id))["deleteWorkflow"]
    assert refused == {"deletedId": None, "errors": [{"code": "CONFLICT", "path": ["input", "id"]}]}
    async with services.database.transaction() as connection:
        await connection.execute(
            update(tables.run_state).where(tables.run_state.c.run_id == run_id).values(status="CANCELLED")
        )
    deleted = (await ask(services, viewer, DELETE, id=workflow_id))["deleteWorkflow"]
    assert deleted == {"deletedId": workflow_id, "errors": []}
    assert await workflows.load_versions(services, viewer, [workflow.version_id]) == [None]
    assert (await actions(services))[-1] == "workflow.deleted"
