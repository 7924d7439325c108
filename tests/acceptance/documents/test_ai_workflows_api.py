"""Document 002, "Workflows API" of AI workflows over entities: steps in order, runs over a set of entities, jobs to follow."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from acceptance.documents.house import PATIENCE, PROGRESS, RUN, Client, House, check_states, with_provider
from acceptance.documents.test_workflow_automation_api import INTEGRATE
from model_servers import Hangs, Says

pytestmark = pytest.mark.acceptance

NAMES = ["Lamp", "Chair", "Table", "Shelf", "Mirror"]
STEPS: list[dict[str, Any]] = [
    {
        "id": "write",
        "type": "ai_generate",
        "config": {"provider": "house", "model": "gpt-5-mini", "prompt": "Describe {{ name }}.", "keep": True},
    },
    {
        "id": "check",
        "type": "validate",
        "config": {"rules": [{"name": "says something", "expression": "size(input.text) > 3", "code": "TOO_SHORT"}]},
    },
    {"id": "shape", "type": "transform", "config": {"fields": {"slug": "input.name.lowerAscii()"}}},
    {
        "id": "price",
        "type": "condition",
        "config": {"branches": {"dear": "input.price >= 100.0"}, "otherwise": "cheap"},
    },
    {"id": "publish", "type": "publish", "config": {"fields": ["text", "slug"]}},
    {"id": "tell", "type": "notify", "config": {"integration": "shop", "message": "{{ name }} is published"}},
]
CREATE = """mutation ($input: CreateWorkflowInput!) {
  createWorkflow(input: $input) { workflow { id status stepsCount lastRunAt entityType { id } } errors { message path } } }"""
GET = """query ($id: ID!) { workflow(id: $id) {
  id name description status stepsCount lastRunAt steps { stepId type config } } }"""
LIST = "{ workflows { nodes { id name description status stepsCount lastRunAt } } }"
ARCHIVE = (
    "mutation ($input: WorkflowIdInput!) { archiveWorkflow(input: $input) { workflow { status } errors { message } } }"
)
JOB = """query ($id: ID!) { run(id: $id) {
  id status startedAt finishedAt progress { total completed failed skipped cancelled percent }
  logs { nodes { at level message stepId } }
  failures { stepId code message count }
  items { nodes { status error { code stepId } entity { data version publishedAt } steps { stepId status branches output } } } } }"""
CANCEL = "mutation ($input: RunIdInput!) { cancelRun(input: $input) { run { status } errors { message } } }"
ENTITIES = """mutation ($input: CreateEntitiesInput!) {
  createEntities(input: $input) { entities { id } errors { message path } } }"""
PRODUCT: dict[str, Any] = {
    "name": {"type": "string"}, "price": {"type": "number"}, "text": {"type": "string"}, "slug": {"type": "string"},
}  # fmt: skip


@pytest.fixture(scope="module")
async def api(house: House) -> Client:
    """A workspace with a model provider, and a channel to tell."""
    client = await with_provider(house, await house.client("AI workflows"))
    slack = {"webhookUrl": house.inbox.url("/shop"), "channel": "#shop"}
    await client.change(INTEGRATE, name="shop", config={"slack": slack})
    return client


@pytest.fixture(scope="module")
async def product(api: Client) -> str:
    return await api.entity_type("product", PRODUCT, required=["name", "price"])


@pytest.fixture
async def models(house: House) -> AsyncIterator[House]:
    """The model describes whatever it is asked about, and takes its time; about the mirror it has nothing to say."""

    def answer(body: dict[str, Any]) -> Says:
        (name,) = [name for name in NAMES if name in str(body["messages"])]
        return Says("..." if name == "Mirror" else f"A fine {name}.", after=0.15)

    house.models.usual = answer
    yield house
    house.models.usual = Says()


async def entities(api: Client, product: str) -> list[str]:
    rows = [{"data": {"name": name, "price": 60.0 * place}} for place, name in enumerate(NAMES)]
    made = await api.change(ENTITIES, entityTypeId=product, entities=rows)
    return [entity["id"] for entity in made["entities"]]


async def test_a_workflow_has_a_status_its_steps_in_order_and_the_time_of_its_last_run(
    api: Client, product: str
) -> None:
    named = {"name": "Product texts", "description": "Writes what the shop says"}
    given = {**named, "entityTypeId": product, "definition": {"steps": STEPS}}
    made = (await api.change(CREATE, **given, status="DRAFT"))["workflow"]
    assert (made["status"], made["stepsCount"], made["lastRunAt"]) == ("DRAFT", 6, None)
    assert made["entityType"]["id"] == product

    found = (await api.ask(GET, id=made["id"]))["workflow"]
    assert {name: found[name] for name in named} == named
    assert [(step["stepId"], step["type"], step["config"]) for step in found["steps"]] == [
        (step["id"], step["type"], step["config"]) for step in STEPS
    ]
    archived = (await api.change(CREATE, **given))["workflow"]["id"]
    assert (await api.change(ARCHIVE, id=archived))["workflow"]["status"] == "ARCHIVED"
    statuses = {one["id"]: one["status"] for one in (await api.ask(LIST))["workflows"]["nodes"]}
    assert (statuses[made["id"]], statuses[archived]) == ("DRAFT", "ARCHIVED")
    for cannot_run in (made["id"], archived):
        (error,) = await api.refused(RUN, workflowId=cannot_run, entities={"all": True})
        assert error["code"] == "CONFLICT"


async def test_a_run_over_entities_is_followed_to_its_end_and_every_step_did_its_part(
    models: House, api: Client, product: str
) -> None:
    made = (await api.change(CREATE, name="Texts", entityTypeId=product, definition={"steps": STEPS}))["workflow"]
    chosen = await entities(api, product)
    run, states = await models.seen_live(api, workflowId=made["id"], entities={"ids": chosen}, concurrency=1)

    assert any(0 < state["completed"] < len(NAMES) for state in states), "nothing was seen while it ran"
    last = states[-1]
    assert (last["status"], last["total"], last["completed"], last["failed"]) == ("COMPLETED_WITH_FAILURES", 5, 4, 1)
    job = (await api.ask(JOB, id=run))["run"]
    assert job["startedAt"] <= job["finishedAt"]
    assert {name: job["progress"][name] for name in ("total", "completed", "failed")} == {
        "total": 5, "completed": 4, "failed": 1,
    }  # fmt: skip
    (failure,) = job["failures"]
    assert (failure["stepId"], failure["code"], failure["count"]) == ("check", "TOO_SHORT", 1)
    by_name = {item["entity"]["data"]["name"]: item for item in job["items"]["nodes"]}
    assert list(by_name) == NAMES
    for name in NAMES[:4]:
        item = by_name[name]
        assert {step["stepId"]: step["status"] for step in item["steps"]} == dict.fromkeys(
            ("write", "check", "shape", "price", "publish", "tell"), "COMPLETED"
        )
        entity = item["entity"]
        assert (entity["data"]["text"], entity["data"]["slug"]) == (f"A fine {name}.", name.lower())
        assert entity["version"] == 2
        assert entity["publishedAt"] is not None
    branches = {name: item["steps"][3]["branches"] for name, item in by_name.items()}
    assert (branches["Lamp"], branches["Shelf"]) == (["cheap"], ["dear"])
    mirror = by_name["Mirror"]
    assert (mirror["status"], mirror["error"]["stepId"]) == ("FAILED", "check")
    assert (mirror["entity"]["version"], mirror["entity"]["publishedAt"]) == (1, None)
    told = {post.json["text"] for post in await models.inbox.at("/shop", 4)}
    assert told == {f"{name} is published" for name in NAMES[:4]}
    listed = next(one for one in (await api.ask(LIST))["workflows"]["nodes"] if one["id"] == made["id"])
    assert listed["lastRunAt"] is not None


@pytest.mark.usefixtures("models")
async def test_the_log_of_a_job_tells_what_its_steps_said(api: Client, product: str) -> None:
    own = {**STEPS[0]["config"], "model": "a-model-without-a-price"}
    steps = [{"id": "write", "type": "ai_generate", "config": own}]
    workflow = await api.workflow("Says something", {"steps": steps}, entityTypeId=product)
    chosen = await entities(api, product)
    run = (await api.change(RUN, workflowId=workflow, entities={"ids": chosen[:1]}, wait="PT60S"))["run"]

    (line,) = (await api.ask(JOB, id=run["id"]))["run"]["logs"]["nodes"]
    assert (line["level"], line["stepId"]) == ("INFO", "write")
    assert "a-model-without-a-price" in line["message"]


async def test_a_job_is_cancelled_while_it_runs_and_its_watcher_sees_it(
    house: House, api: Client, product: str
) -> None:
    house.models.usual = Hangs()
    try:
        workflow = await api.workflow("Never ends", {"steps": STEPS[:1]}, entityTypeId=product)
        chosen = await entities(api, product)
        with house.at_rest():
            run = (await api.change(RUN, workflowId=workflow, entities={"ids": chosen}))["run"]["id"]
            states = api.watch(PROGRESS, run=run)
            seen = [await anext(states)]
        async with asyncio.timeout(PATIENCE), aclosing(states):
            while seen[-1]["status"] != "RUNNING":
                seen.append(await anext(states))
            await api.change(CANCEL, runId=run)
            seen += [state async for state in states]
    finally:
        house.models.usual = Says()

    check_states(seen)
    assert (seen[-1]["status"], seen[-1]["cancelled"]) == ("CANCELLED", 5)
    job = (await api.ask(JOB, id=run))["run"]
    assert (job["status"], job["finishedAt"] is not None) == ("CANCELLED", True)
    assert {item["status"] for item in job["items"]["nodes"]} == {"CANCELLED"}


@pytest.mark.parametrize("missing", ["type", "prompt"])
async def test_a_step_needs_its_type_and_the_config_of_that_type(api: Client, product: str, missing: str) -> None:
    write = STEPS[0]
    step = {"id": "write", "config": write["config"]}
    if missing == "prompt":
        step = {**write, "config": {name: value for name, value in write["config"].items() if name != "prompt"}}
    errors = await api.refused(CREATE, name="Wrong", entityTypeId=product, definition={"steps": [step]})
    wanted = ["type"] if missing == "type" else ["config", "prompt"]
    assert [error["path"] for error in errors] == [["input", "definition", "steps", "0", *wanted]]
