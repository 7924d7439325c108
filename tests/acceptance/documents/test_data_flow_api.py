"""Document 004, "Workflows" of a data flow platform: the dummy workflow, its executions, and who is told of them."""

from typing import Any

import pytest
from acceptance.documents.house import CREATE_WORKFLOW, RUN, Client, House
from standardwebhooks import Webhook

pytestmark = pytest.mark.acceptance

NAME = "Dummy Workflow"
STEPS: list[dict[str, Any]] = [
    {"type": "StaticTextInput", "input": "Hello, world!"},
    {"type": "TextOperation.Reverse"},
    {"type": "Echo"},
]
TEXT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}
TAKES_TEXT: dict[str, Any] = {"steps": STEPS[1:], "inputSchema": TEXT_SCHEMA}
EXECUTE = """mutation ($input: RunWorkflowInput!) {
  runWorkflow(input: $input) { run { id status } webhookSecret errors { code message path } } }"""
STATUS = """query ($id: ID!) { run(id: $id) { id status workflow { id }
  items { nodes { steps { stepId type status input output } } } } }"""
EXECUTIONS = """query ($id: ID!) { workflow(id: $id) { stats { runsTotal } runs { nodes {
  id status createdAt startedAt finishedAt } } } }"""
WAIT = "PT60S"


@pytest.fixture(scope="module")
async def api(house: House) -> Client:
    return await house.client("data flow")


async def test_a_created_workflow_is_not_executed_and_each_execution_has_an_id_of_its_own(api: Client) -> None:
    workflow = await api.workflow(NAME, {"steps": STEPS})
    before = (await api.ask(EXECUTIONS, id=workflow))["workflow"]
    assert (before["runs"]["nodes"], before["stats"]["runsTotal"]) == ([], 0)

    executions = [(await api.change(RUN, workflowId=workflow, wait=WAIT))["run"] for _ in range(2)]

    assert {one["status"] for one in executions} == {"COMPLETED"}
    listed = (await api.ask(EXECUTIONS, id=workflow))["workflow"]["runs"]
    assert [one["id"] for one in listed["nodes"]] == [executions[1]["id"], executions[0]["id"]]
    assert executions[0]["id"] != executions[1]["id"]
    for one in listed["nodes"]:
        assert one["createdAt"] <= one["startedAt"] <= one["finishedAt"]


async def test_the_status_of_an_execution_shows_each_task_with_what_went_in_and_came_out(api: Client) -> None:
    workflow = await api.workflow(NAME, {"steps": STEPS})
    run = (await api.change(RUN, workflowId=workflow, wait=WAIT))["run"]["id"]

    execution = (await api.ask(STATUS, id=run))["run"]
    assert (execution["status"], execution["workflow"]["id"]) == ("COMPLETED", workflow)
    tasks = execution["items"]["nodes"][0]["steps"]
    forwards, backwards = {"text": "Hello, world!"}, {"text": "!dlrow ,olleH"}
    assert [(task["type"], task["status"], task["input"], task["output"]) for task in tasks] == [
        ("StaticTextInput", "COMPLETED", None, forwards),
        ("TextOperation.Reverse", "COMPLETED", forwards, backwards),
        ("Echo", "COMPLETED", backwards, backwards),
    ]
    assert len({task["stepId"] for task in tasks}) == 3


async def test_an_execution_is_seen_before_and_while_its_tasks_are_done(house: House, api: Client) -> None:
    workflow = await api.workflow(NAME, {"steps": STEPS})
    with house.at_rest():
        run = (await api.change(RUN, workflowId=workflow))["run"]
        waiting = (await api.ask(STATUS, id=run["id"]))["run"]
    assert (run["status"], waiting["status"]) == ("PENDING", "PENDING")
    assert [task["status"] for task in waiting["items"]["nodes"][0]["steps"]] == ["PENDING"] * 3

    _, states = await house.seen_live(api, workflowId=workflow)
    assert (states[0]["status"], states[-1]["status"]) == ("PENDING", "COMPLETED")


@pytest.mark.parametrize(
    ("steps", "code", "place"),
    [
        ([STEPS[0], {"type": "TextOperation.Revers"}], "UNKNOWN_STEP_TYPE", ["1", "type"]),
        ([{"type": "StaticTextInput"}, STEPS[2]], "INVALID_CONFIG", ["0", "config"]),
        ([STEPS[0], {"type": "TextOperation.Length"}, STEPS[1]], "TYPE_MISMATCH", ["2"]),
        ([], "INVALID", []),
    ],
)
async def test_steps_that_do_not_exist_or_do_not_fit_each_other_are_refused(
    api: Client, steps: list[dict[str, Any]], code: str, place: list[str]
) -> None:
    errors = await api.refused(CREATE_WORKFLOW, name=NAME, definition={"steps": steps})
    assert (code, ["input", "definition", "steps", *place]) in [(error["code"], error["path"]) for error in errors]


async def test_input_is_checked_before_anything_starts(api: Client) -> None:
    workflow = await api.workflow(NAME, TAKES_TEXT)
    for wrong, path in (({"text": 5}, ["text"]), ({}, ["text"]), ({"text": "a", "txt": "b"}, ["txt"]), (None, [])):
        errors = await api.refused(RUN, workflowId=workflow, input=wrong)
        assert [error["path"] for error in errors] == [["input", "input", *path]]
    assert (await api.ask(EXECUTIONS, id=workflow))["workflow"]["runs"]["nodes"] == []

    run = (await api.change(RUN, workflowId=workflow, input={"text": "Hello, world!"}, wait=WAIT))["run"]
    tasks = (await api.ask(STATUS, id=run["id"]))["run"]["items"]["nodes"][0]["steps"]
    assert (tasks[0]["input"], tasks[-1]["output"]) == ({"text": "Hello, world!"}, {"text": "!dlrow ,olleH"})


async def test_a_webhook_is_told_by_signed_messages_how_an_execution_goes_on(house: House, api: Client) -> None:
    workflow = await api.workflow(NAME, TAKES_TEXT)
    given = {"workflowId": workflow, "input": {"text": "Hello, world!"}, "webhookUrl": house.inbox.url("/webhook")}
    started = await api.change(EXECUTE, **given)

    posts = await house.inbox.at("/webhook", 2)
    told = [Webhook(started["webhookSecret"]).verify(post.body, post.headers) for post in posts]
    assert (told[0]["type"], told[-1]["type"]) == ("run.started", "run.completed")
    assert len({one["data"]["runId"] for one in told}) == 1
    assert (await api.ask(STATUS, id=told[0]["data"]["runId"]))["run"]["id"] == started["run"]["id"]
    revisions = [one["data"]["revision"] for one in told]
    assert revisions == sorted(set(revisions))
    last = told[-1]["data"]
    assert (last["status"], last["result"], last["progress"]["completed"]) == (
        "COMPLETED",
        {"text": "!dlrow ,olleH"},
        1,
    )
