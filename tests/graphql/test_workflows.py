"""Workflows over GraphQL: made, read, listed, and refused where they are wrong."""

from dataclasses import replace
from typing import Any

import pytest
from asking import ask, ask_anything
from sqlalchemy import event

from weft.domain.access import Role, Viewer
from weft.domain.entity import EntityType
from weft.graphql.nodes import encode_id
from weft.operations import entity_types
from weft.operations.services import Services

CREATE = """
mutation ($input: CreateWorkflowInput!) {
  createWorkflow(input: $input) {
    workflow {
      id name description category status enabled public stepsCount createdBy createdAt updatedAt lastRunAt definition
      entityType { id name }
      steps { stepId type name config dependsOn when timeout onFailure retry { maxAttempts backoff initialDelay } }
      version { id number definition steps { stepId } }
      versions { totalCount nodes { number } }
    }
    errors { code message path hint line column }
  }
}
"""
VALIDATE = """
mutation ($input: ValidateWorkflowInput!) {
  validateWorkflow(input: $input) { valid definition errors { code path hint } }
}
"""
LIST = """
query ($first: Int!, $after: String, $filter: WorkflowFilterInput) {
  workflows(first: $first, after: $after, filter: $filter) {
    totalCount nodes { name steps { stepId } } pageInfo { endCursor hasNextPage }
  }
}
"""
STEPS: dict[str, Any] = {
    "steps": [
        {"id": "check", "type": "condition", "config": {"branches": {"large": "input.total > 1000.0"}}},
        {"type": "echo", "dependsOn": ["check:large"], "retry": {"maxAttempts": 3}, "timeout": 2, "when": "true"},
    ]
}


@pytest.fixture
async def invoice(services: Services, viewer: Viewer) -> EntityType:
    schema = {"type": "object", "properties": {"total": {"type": "number"}}}
    return await entity_types.create_entity_type(services, viewer, name="Invoice", description="", schema=schema)


async def create(services: Services, viewer: Viewer, **fields: Any) -> dict[str, Any]:
    wanted = {"name": "A workflow", "definition": {"steps": [{"type": "echo"}]}, **fields}
    return (await ask(services, viewer, CREATE, input=wanted))["createWorkflow"]


async def test_a_workflow_is_made_and_read_with_its_steps(
    services: Services, viewer: Viewer, invoice: EntityType
) -> None:
    type_id = encode_id("EntityType", invoice.id)
    made = await create(services, viewer, name=" Invoices ", definition=STEPS, category="billing", entityTypeId=type_id)
    assert made["errors"] == []
    workflow = made["workflow"]
    assert (workflow["name"], workflow["category"], workflow["status"]) == ("Invoices", "billing", "ACTIVE")
    assert (workflow["enabled"], workflow["public"], workflow["stepsCount"]) == (True, False, 2)
    assert workflow["entityType"] == {"id": type_id, "name": "Invoice"}
    assert workflow["createdBy"] == viewer.key_name
    assert workflow["lastRunAt"] is None
    assert workflow["steps"][1] == {
        "stepId": "echo_2",
        "type": "echo",
        "name": None,
        "config": {},
        "dependsOn": ["check:large"],
        "when": "true",
        "timeout": "PT2S",
        "onFailure": None,
        "retry": {"maxAttempts": 3, "backoff": "EXPONENTIAL", "initialDelay": "PT1S"},
    }
    assert workflow["definition"] == workflow["version"]["definition"]
    assert workflow["version"]["number"] == 1
    assert workflow["versions"] == {"totalCount": 1, "nodes": [{"number": 1}]}


async def test_everything_that_is_wrong_is_told_at_once_and_nothing_is_saved(
    services: Services, viewer: Viewer, invoice: EntityType
) -> None:
    definition: dict[str, Any] = {
        "steps": [{"type": "ech"}, {"type": "echo", "when": "input.totl > 1.0", "dependsOn": []}],
        "ouput": {},
    }
    made = await create(
        services, viewer, name=" ", definition=definition, entityTypeId=encode_id("EntityType", invoice.id)
    )
    assert made["workflow"] is None
    assert [(error["code"], ".".join(error["path"])) for error in made["errors"]] == [
        ("INVALID", "input.name"),
        ("UNKNOWN_FIELD", "input.definition.ouput"),
        ("UNKNOWN_STEP_TYPE", "input.definition.steps.0.type"),
        ("UNKNOWN_REFERENCE", "input.definition.steps.1.when"),
    ]
    assert (made["errors"][3]["hint"], made["errors"][3]["line"], made["errors"][3]["column"]) == (
        'Did you mean "total"?',
        1,
        7,
    )
    assert (await ask(services, viewer, LIST, first=5))["workflows"]["totalCount"] == 0


async def test_a_draft_is_checked_as_well(services: Services, viewer: Viewer) -> None:
    made = await create(services, viewer, status="DRAFT", definition={"steps": [{"type": "nothing"}]})
    assert made["errors"][0]["code"] == "UNKNOWN_STEP_TYPE"


async def test_validating_finds_the_same_and_saves_nothing(services: Services, viewer: Viewer) -> None:
    wrong = (await ask(services, viewer, VALIDATE, input={"definition": {"steps": [{"type": "ech"}]}}))[
        "validateWorkflow"
    ]
    assert wrong == {
        "valid": False,
        "definition": None,
        "errors": [
            {
                "code": "UNKNOWN_STEP_TYPE",
                "path": ["input", "definition", "steps", "0", "type"],
                "hint": "Did you mean 'echo'?",
            }
        ],
    }
    nodes = {"nodes": [{"id": "a", "type": "Echo"}], "connections": []}
    right = (await ask(services, viewer, VALIDATE, input={"definition": nodes}))["validateWorkflow"]
    assert right["valid"]
    assert right["definition"] == {"steps": [{"id": "a", "type": "Echo", "dependsOn": [], "config": {}}]}
    assert (await ask(services, viewer, LIST, first=5))["workflows"]["totalCount"] == 0


async def test_definitions_have_limits(services: Services, viewer: Viewer) -> None:
    limited = replace(services, limits=replace(services.limits, definition_bytes=500, steps_per_definition=3))
    many = await create(limited, viewer, definition={"steps": [{"type": "echo"}] * 4})
    large = await create(limited, viewer, definition={"steps": [{"type": "echo", "name": "x" * 600}]})
    assert [error["code"] for made in (many, large) for error in made["errors"]] == ["LIMIT_EXCEEDED"] * 2


async def test_lists_are_paged_and_filtered(services: Services, viewer: Viewer) -> None:
    for number in range(5):
        await create(
            services, viewer, name=f"Number {number}", category="odd" if number % 2 else "even",
            status="DRAFT" if number == 4 else "ACTIVE", description="100% _sure_" if number == 3 else "",
        )  # fmt: skip

    async def names(first: int = 10, after: str | None = None, **wanted: Any) -> list[str]:
        answer = await ask(services, viewer, LIST, first=first, after=after, filter=wanted)
        return [node["name"][-1] for node in answer["workflows"]["nodes"]]

    first = (await ask(services, viewer, LIST, first=2))["workflows"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (5, True)
    assert await names(after=first["pageInfo"]["endCursor"]) == ["2", "1", "0"]
    assert await names(category="odd") == ["3", "1"]
    assert await names(status="DRAFT") == ["4"]
    assert await names(search="NUMBER 2") == ["2"]
    assert await names(search="0% _s") == ["3"]
    assert await names(search="%") == ["3"]
    assert await names(public=True) == []


async def test_the_number_of_statements_does_not_grow_with_the_rows(
    services: Services, viewer: Viewer, invoice: EntityType
) -> None:
    document = """{ workflows(first: 50) { totalCount nodes {
        steps { stepId } definition version { number steps { stepId } } versions(first: 3) { totalCount nodes { number } }
        entityType { name } runs(first: 2) { nodes { id } } } } }"""
    seen: list[str] = []
    event.listen(
        services.database.engine.sync_engine, "before_cursor_execute", lambda *arguments: seen.append(arguments[2])
    )
    counts: list[int] = []
    for _ in range(2):
        for number in range(4):
            await create(services, viewer, name=f"{number}", entityTypeId=encode_id("EntityType", invoice.id))
        seen.clear()
        await ask(services, viewer, document)
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 6


async def test_another_workspace_sees_and_changes_nothing(
    services: Services, viewer: Viewer, stranger: Viewer, invoice: EntityType
) -> None:
    workflow_id = (await create(services, viewer))["workflow"]["id"]
    assert (await ask(services, stranger, "query ($id: ID!) { workflow(id: $id) { id } }", id=workflow_id))[
        "workflow"
    ] is None
    assert (await ask(services, stranger, "query ($id: ID!) { node(id: $id) { id } }", id=workflow_id))["node"] is None
    assert (await ask(services, stranger, LIST, first=5))["workflows"]["nodes"] == []
    for verb in ("archiveWorkflow", "deleteWorkflow"):
        answer = await ask(
            services,
            stranger,
            f"mutation ($id: ID!) {{ {verb}(input: {{id: $id}}) {{ errors {{ code path }} }} }}",
            id=workflow_id,
        )
        assert answer[verb]["errors"] == [{"code": "NOT_FOUND", "path": ["input", "id"]}]
    foreign = await create(services, stranger, entityTypeId=encode_id("EntityType", invoice.id))
    assert [(error["code"], error["path"]) for error in foreign["errors"]] == [("NOT_FOUND", ["input", "entityTypeId"])]


async def test_only_editors_make_workflows_and_everybody_reads_them(services: Services, viewer: Viewer) -> None:
    await create(services, viewer)
    runner = replace(viewer, role=Role.RUNNER)
    _, errors = await ask_anything(services, runner, CREATE, input={"name": "x", "definition": {}})
    assert errors[0]["extensions"]["code"] == "FORBIDDEN"
    assert (await ask(services, replace(viewer, role=Role.VIEWER), LIST, first=5))["workflows"]["totalCount"] == 1


async def test_step_types_are_data(services: Services, viewer: Viewer) -> None:
    document = """{ stepTypes { kind title category shape aliases version configSchema inputSchema outputSchema
                    defaultRetry { maxAttempts } defaultTimeout } conditions: stepTypes(category: CONDITION) { kind } }"""
    answer = await ask(services, viewer, document)
    text = next(entry for entry in answer["stepTypes"] if entry["kind"] == "text")
    assert (text["category"], text["shape"]) == ("PROCESSING", "COMPUTES")
    assert "StaticTextInput" in text["aliases"]
    assert "operation" in text["configSchema"]["properties"]
    assert answer["conditions"] == [{"kind": "condition"}]
