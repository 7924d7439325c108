"""Runs over GraphQL: started, read in full, retried and steered, by those who may."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from asking import ask, ask_anything
from workers import working

from weft.domain.access import Role, Viewer
from weft.domain.entity import EntityInput
from weft.domain.workflow import Workflow, WorkflowStatus
from weft.graphql.nodes import encode_id
from weft.operations.entity_creation import create_entities
from weft.operations.entity_types import create_entity_type
from weft.operations.services import Services
from weft.operations.workflow_changes import WorkflowChanges, update_workflow
from weft.operations.workflows import NewWorkflow, create_workflow

SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "gross": {"type": "integer"}},
    "required": ["title"],
}
STEPS: list[dict[str, Any]] = [
    {
        "id": "check",
        "type": "validate",
        "config": {
            "rules": [
                {
                    "name": "gross",
                    "expression": "!has(input.gross) || input.gross >= 0",
                    "message": "'{{ title }}' has a gross of {{ gross }}.",
                    "code": "NEGATIVE",
                }
            ]
        },
    },
    {"id": "sort", "type": "condition", "config": {"branches": {"large": "has(input.gross)", "small": "true"}}},
    {"id": "large", "type": "transform", "config": {"fields": {"size": "'L'"}}, "dependsOn": ["sort:large"]},
    {"id": "small", "type": "transform", "config": {"fields": {"size": "'S'"}}, "dependsOn": ["sort:small"]},
    {
        "id": "say",
        "type": "echo",
        "config": {"message": "{{ title }} is {{ size }}"},
        "dependsOn": ["large", "small"],
    },
]
START = """
mutation ($input: RunWorkflowInput!) {
  runWorkflow(input: $input) {
    run { id status result progress { total completed failed } trigger { type by } }
    errors { code path message }
  }
}
"""
RETRY = """
mutation ($input: RetryRunInput!) {
  retryRun(input: $input) {
    run { id status retryOf { id } trigger { type } progress { total completed failed } }
    errors { code path }
  }
}
"""
READ = """
query ($id: ID!) {
  run(id: $id) {
    id status error parameters input result priority createdAt startedAt finishedAt durationMs
    workflow { name } version { number } entityType { name } retryOf { id }
    progress { total completed failed pending steps { stepId completed failed skipped } }
    failures { stepId code message count exampleItem { ordinal entity { externalId } } }
    logs { nodes { level message stepId item { ordinal } } }
    items {
      totalCount
      nodes {
        id ordinal status output durationMs
        entity { externalId } error { code message stepId }
        steps { stepId type status attempt durationMs input output branches reason error { code } }
      }
    }
  }
}
"""


def steering(verb: str) -> str:
    return f"""
    mutation ($id: ID!) {{
      {verb}(input: {{runId: $id}}) {{ run {{ status progress {{ cancelled pending }} }} errors {{ code path }} }}
    }}
    """


@pytest.fixture
async def films(services: Services, viewer: Viewer) -> Workflow:
    """A workflow over four films, of which two break a rule."""
    made = await create_entity_type(services, viewer, name="film", description="", schema=SCHEMA)
    rows: list[dict[str, Any]] = [
        {"title": "Ran", "gross": 7},
        {"title": "Heat", "gross": -1},
        {"title": "Jaws"},
        {"title": "Speed 2", "gross": -250},
    ]
    await create_entities(services, viewer, made.id, [EntityInput(row, f"f{n}") for n, row in enumerate(rows)])
    return await create_workflow(services, viewer, NewWorkflow("films", {"steps": STEPS}, entity_type_id=made.id))


@pytest.fixture
async def greeting(services: Services, viewer: Viewer) -> Workflow:
    """A workflow without entities."""
    definition = {
        "steps": [{"id": "greet", "type": "transform", "config": {"fields": {"text": "'Hello, ' + input.name"}}}],
        "inputSchema": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
        "output": {"said": "steps.greet.text"},
    }
    return await create_workflow(services, viewer, NewWorkflow("greeting", definition))


@pytest.fixture
async def at_work(services: Services) -> AsyncIterator[Services]:
    async with working(services) as served:
        yield served


async def start(services: Services, viewer: Viewer, workflow: Workflow, **given: Any) -> dict[str, Any]:
    workflow_id = encode_id("Workflow", workflow.id)
    data = await ask(services, viewer, START, input={"workflowId": workflow_id, **given})
    return data["runWorkflow"]


async def film_run(services: Services, viewer: Viewer, films: Workflow) -> dict[str, Any]:
    """A finished one."""
    started = await start(services, viewer, films, entities={"all": True}, wait="PT20S")
    assert started["errors"] == []
    return started["run"]


async def test_a_run_without_entities_answers_with_its_result(
    at_work: Services, viewer: Viewer, greeting: Workflow
) -> None:
    started = await start(at_work, viewer, greeting, input={"name": "Ada"}, wait="PT20S")
    assert started["errors"] == []
    assert started["run"]["status"] == "COMPLETED"
    assert started["run"]["result"] == {"said": "Hello, Ada"}
    assert started["run"]["trigger"] == {"type": "MANUAL", "by": viewer.key_name}
    read = (await ask(at_work, viewer, READ, id=started["run"]["id"]))["run"]
    (item,) = read["items"]["nodes"]
    (step,) = item["steps"]
    assert (read["input"], item["entity"], step["input"]) == ({"name": "Ada"}, None, {"name": "Ada"})
    assert step["output"] == {"name": "Ada", "text": "Hello, Ada"}


async def test_everything_about_a_run_over_entities_can_be_read(
    at_work: Services, viewer: Viewer, films: Workflow
) -> None:
    run = await film_run(at_work, viewer, films)
    read = (await ask(at_work, viewer, READ, id=run["id"]))["run"]
    assert (read["status"], read["error"], read["result"]) == ("COMPLETED_WITH_FAILURES", None, None)
    assert (read["workflow"]["name"], read["version"]["number"], read["entityType"]["name"]) == ("films", 1, "film")
    assert read["durationMs"] > 0
    assert read["items"]["totalCount"] == 4
    assert [item["status"] for item in read["items"]["nodes"]] == ["COMPLETED", "FAILED", "COMPLETED", "FAILED"]
    assert [item["entity"]["externalId"] for item in read["items"]["nodes"]] == ["f0", "f1", "f2", "f3"]
    assert sorted((line["message"], line["item"]["ordinal"]) for line in read["logs"]["nodes"]) == [
        ("Jaws is S", 2),
        ("Ran is L", 0),
    ]


async def test_the_steps_of_an_item_show_what_went_in_and_what_came_out(
    at_work: Services, viewer: Viewer, films: Workflow
) -> None:
    run = await film_run(at_work, viewer, films)
    ran, heat, *_ = (await ask(at_work, viewer, READ, id=run["id"]))["run"]["items"]["nodes"]
    film, sized = {"title": "Ran", "gross": 7}, {"title": "Ran", "gross": 7, "size": "L"}
    assert ran["output"] == sized
    assert {step["stepId"]: (step["status"], step["input"], step["output"]) for step in ran["steps"]} == {
        "check": ("COMPLETED", film, film),
        "sort": ("COMPLETED", film, film),
        "large": ("COMPLETED", film, sized),
        "small": ("SKIPPED", None, None),
        "say": ("COMPLETED", sized, sized),
    }
    assert [step["branches"] for step in ran["steps"]] == [None, ["large"], None, None, None]
    assert heat["output"] is None
    assert heat["error"] == {"code": "NEGATIVE", "message": "'Heat' has a gross of -1.", "stepId": "check"}
    assert [step["status"] for step in heat["steps"]] == ["FAILED", *["CANCELLED"] * 4]
    assert (heat["steps"][0]["error"]["code"], heat["steps"][0]["attempt"]) == ("NEGATIVE", 1)


async def test_failures_are_grouped_by_what_their_messages_have_in_common(
    at_work: Services, viewer: Viewer, films: Workflow
) -> None:
    run = await film_run(at_work, viewer, films)
    assert (await ask(at_work, viewer, READ, id=run["id"]))["run"]["failures"] == [
        {
            "stepId": "check",
            "code": "NEGATIVE",
            "message": "'Heat' has a gross of -1.",
            "count": 2,
            "exampleItem": {"ordinal": 1, "entity": {"externalId": "f1"}},
        }
    ]


async def test_a_retry_is_a_run_over_the_failed_items(at_work: Services, viewer: Viewer, films: Workflow) -> None:
    run = await film_run(at_work, viewer, films)
    retried = (await ask(at_work, viewer, RETRY, input={"runId": run["id"], "wait": "PT20S"}))["retryRun"]
    assert retried["errors"] == []
    assert retried["run"]["progress"] == {"total": 2, "completed": 0, "failed": 2}
    assert (retried["run"]["retryOf"], retried["run"]["trigger"]) == ({"id": run["id"]}, {"type": "RETRY"})


async def test_a_run_is_paused_resumed_and_cancelled(services: Services, viewer: Viewer, films: Workflow) -> None:
    run = (await start(services, viewer, films, entities={"all": True}))["run"]
    for verb, status in (("pauseRun", "PAUSED"), ("resumeRun", "PENDING"), ("cancelRun", "CANCELLED")):
        answer = (await ask(services, viewer, steering(verb), id=run["id"]))[verb]
        assert (answer["errors"], answer["run"]["status"]) == ([], status)
    read = (await ask(services, viewer, READ, id=run["id"]))["run"]
    assert read["items"]["totalCount"] == 4
    assert {item["status"] for item in read["items"]["nodes"]} == {"CANCELLED"}
    assert {step["status"] for item in read["items"]["nodes"] for step in item["steps"]} == {"CANCELLED"}
    again = (await ask(services, viewer, steering("cancelRun"), id=run["id"]))["cancelRun"]
    assert again["errors"] == [{"code": "CONFLICT", "path": ["input", "runId"]}]


async def test_the_same_key_gives_the_same_run(services: Services, viewer: Viewer, greeting: Workflow) -> None:
    given: dict[str, Any] = {"input": {"name": "Ada"}, "idempotencyKey": "k1", "wait": "PT0S"}
    first, second = [await start(services, viewer, greeting, **given) for _ in range(2)]
    assert first["run"]["id"] == second["run"]["id"]
    other = await start(services, viewer, greeting, **{**given, "input": {"name": "Bob"}})
    assert [error["code"] for error in other["errors"]] == ["CONFLICT"]


async def test_a_wrong_request_starts_nothing_and_says_where_it_is_wrong(
    services: Services, viewer: Viewer, greeting: Workflow
) -> None:
    given: dict[str, Any]
    for given, path in (
        ({"input": {"name": 5}}, ["input", "name"]),
        ({"input": {"name": "Ada"}, "parameters": [1]}, ["parameters"]),
        ({"input": {"name": "Ada"}, "priority": 1000}, ["priority"]),
        ({"input": {"name": "Ada"}, "wait": "PT2H"}, ["wait"]),
        ({"entities": {"all": True}}, ["entities"]),
        ({"workflowId": "bm9uc2Vuc2U"}, ["workflowId"]),
    ):
        answer = await start(services, viewer, greeting, **given)
        assert answer["run"] is None
        assert [(error["code"], error["path"]) for error in answer["errors"]] == [("INVALID", ["input", *path])]
    assert (await ask(services, viewer, "{ runs { nodes { id } } }"))["runs"]["nodes"] == []


async def test_a_filter_on_a_field_that_no_film_has_starts_nothing(
    services: Services, viewer: Viewer, films: Workflow
) -> None:
    misspelt = {"filter": {"where": [{"field": "yaer", "op": "GT", "value": 2000}]}}
    answer = await start(services, viewer, films, entities=misspelt)
    assert answer["run"] is None
    ((code, path),) = [(error["code"], error["path"]) for error in answer["errors"]]
    assert (code, path) == ("UNKNOWN_REFERENCE", ["input", "entities", "filter", "where", "0", "field"])


async def test_an_archived_workflow_is_not_run(services: Services, viewer: Viewer, greeting: Workflow) -> None:
    await update_workflow(services, viewer, greeting.id, WorkflowChanges(status=WorkflowStatus.ARCHIVED))
    answer = await start(services, viewer, greeting, input={"name": "Ada"})
    assert [(error["code"], error["path"]) for error in answer["errors"]] == [("CONFLICT", ["input", "workflowId"])]


async def test_another_workspace_sees_and_changes_nothing(
    at_work: Services, viewer: Viewer, stranger: Viewer, films: Workflow
) -> None:
    run = await film_run(at_work, viewer, films)
    item = (await ask(at_work, viewer, READ, id=run["id"]))["run"]["items"]["nodes"][0]
    node = "query ($id: ID!) { node(id: $id) { id } }"
    assert (await ask(at_work, viewer, node, id=item["id"]))["node"] == {"id": item["id"]}
    assert (await ask(at_work, stranger, READ, id=run["id"]))["run"] is None
    assert (await ask(at_work, stranger, "{ runs { nodes { id } } }"))["runs"]["nodes"] == []
    for node_id in (run["id"], item["id"]):
        assert (await ask(at_work, stranger, node, id=node_id))["node"] is None
    for verb in ("pauseRun", "resumeRun", "cancelRun"):
        answer = (await ask(at_work, stranger, steering(verb), id=run["id"]))[verb]
        assert answer == {"run": None, "errors": [{"code": "NOT_FOUND", "path": ["input", "runId"]}]}
    assert (await ask(at_work, stranger, RETRY, input={"runId": run["id"]}))["retryRun"]["run"] is None
    assert (await start(at_work, stranger, films, entities={"all": True}))["run"] is None


async def test_viewers_read_and_runners_run(services: Services, viewer: Viewer, greeting: Workflow) -> None:
    reader, runner = replace(viewer, role=Role.VIEWER), replace(viewer, role=Role.RUNNER)
    wanted = {"workflowId": encode_id("Workflow", greeting.id), "input": {"name": "Ada"}}
    run = (await start(services, runner, greeting, input={"name": "Ada"}))["run"]
    assert (await ask(services, reader, READ, id=run["id"]))["run"]["status"] == "PENDING"
    for document, variables in (
        (START, {"input": wanted}),
        (RETRY, {"input": {"runId": run["id"]}}),
        *((steering(verb), {"id": run["id"]}) for verb in ("pauseRun", "resumeRun", "cancelRun")),
    ):
        _, errors = await ask_anything(services, reader, document, **variables)
        assert [error["extensions"]["code"] for error in errors] == ["FORBIDDEN"]
