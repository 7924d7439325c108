"""Document 003, "Workflows" of custom AI workflows: nodes and connections, shared with others, run with inputs."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from acceptance.documents.house import CREATE_WORKFLOW, RUN, Client, House, with_provider
from model_servers import KEY, Refuses, Says

from weft.domain.access import Role

pytestmark = pytest.mark.acceptance

NAME, DESCRIPTION = "Content Marketing Pipeline", "Generate marketing content from product descriptions"
ASK = {"provider": "house", "model": "gpt-5-mini"}
DEFINITION: dict[str, Any] = {
    "nodes": [
        {
            "id": "product",
            "type": "input",
            "position": {"x": 0, "y": 0},
            "data": {
                "schema": {
                    "type": "object",
                    "properties": {"product": {"type": "string"}, "tone": {"type": "string", "default": "friendly"}},
                    "required": ["product"],
                }
            },
        },
        {"id": "headline", "type": "ai_generate", "data": {**ASK, "prompt": "A {{ tone }} headline for {{ product }}", "target": "headline"}},
        {"id": "article", "type": "ai_generate", "data": {**ASK, "prompt": "A {{ tone }} article about {{ product }}", "target": "article"}},
        {"id": "tidy", "type": "transform", "label": "Tidy up", "data": {"fields": {"headline": "input.headline.trim()"}}},
        {"id": "length", "type": "condition", "data": {"branches": {"short": "size(input.article) < 40"}, "otherwise": "long"}},
        {"id": "post", "type": "output", "data": {"fields": {"channel": "'social'", "text": "input.headline"}}},
        {"id": "page", "type": "output", "data": {"fields": {"channel": "'blog'", "text": "input.article"}}},
    ],
    "connections": [
        {"source": "product", "target": "headline"},
        {"source": "product", "target": "article"},
        {"source": "headline", "target": "tidy"},
        {"source": "article", "target": "tidy"},
        {"source": "tidy", "target": "length"},
        {"source": "length", "sourceHandle": "short", "target": "post"},
        {"source": "length", "sourceHandle": "long", "target": "page"},
    ],
    "inputSchema": {"type": "object", "properties": {"product": {"type": "string"}, "tone": {"type": "string"}}, "required": ["product"]},
}  # fmt: skip
CREATE = """mutation ($input: CreateWorkflowInput!) {
  createWorkflow(input: $input) { workflow {
    id name description category public createdBy createdAt updatedAt steps { stepId type dependsOn } } errors { message path } } }"""
LIST = """query ($first: Int! = 20, $after: String, $category: String, $public: Boolean) {
  workflows(first: $first, after: $after, filter: {category: $category, public: $public}) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { id name description category public createdBy createdAt updatedAt usageCount rating ratingCount own } } }"""
GET = """query ($id: ID!) { workflow(id: $id) {
  name description category steps { stepId type name config dependsOn } version { number } definition
  usage { calls inputTokens outputTokens cost } runs { nodes { id status trigger { type by } } } } }"""
UPDATE = """mutation ($input: UpdateWorkflowInput!) {
  updateWorkflow(input: $input) { workflow { name version { number } steps { stepId } } errors { message path } } }"""
DELETE = "mutation ($input: WorkflowIdInput!) { deleteWorkflow(input: $input) { deletedId errors { message } } }"
EXECUTE = """mutation ($input: RunWorkflowInput!) { runWorkflow(input: $input) { run {
  id status result durationMs usage { calls inputTokens outputTokens cost }
  items { nodes { status error { code message stepId } steps { stepId status attempt branches output fromCache usage { calls }
    savedUsage { calls inputTokens } } } } } errors { code message path } } }"""
STATUS = "query ($id: ID!) { run(id: $id) { status result progress { total completed percent } } }"
VALIDATE = """mutation ($input: ValidateWorkflowInput!) {
  validateWorkflow(input: $input) { valid errors { code message path hint } } }"""
RATE = "mutation ($input: RateWorkflowInput!) { rateWorkflow(input: $input) { workflow { rating ratingCount } errors { message } } }"
COPY = """mutation ($input: CopyWorkflowInput!) {
  copyWorkflow(input: $input) { workflow { id name status own copiedFrom { id } } warnings { message } errors { message } } }"""
KEY_MADE = """mutation ($input: CreateApiKeyInput!) {
  createApiKey(input: $input) { apiKey { id } key errors { message path } } }"""
TEMPLATES = '{ templates(category: "general", first: 50) { nodes { id name description } } }'
USE = """mutation ($input: CreateWorkflowFromTemplateInput!) {
  createWorkflowFromTemplate(input: $input) { workflow { id name } errors { message path } } }"""
AUDIT = (
    "query ($subject: ID!) { auditLog(first: 50, filter: {subject: $subject}) { nodes { action actor at address } } }"
)
WAIT = "PT60S"
USES = 156
RATINGS = (5, 5, 5, 5, 4)


@pytest.fixture(scope="module")
async def api(house: House) -> Client:
    """The workspace of the user of the document's example."""
    return await with_provider(house, await house.client("custom workflows", "user_xyz789"))


@pytest.fixture(autouse=True)
async def models(house: House) -> AsyncIterator[House]:
    """The model writes much about a lamp and little about all else."""

    def answer(body: dict[str, Any]) -> Says:
        asked = str(body["messages"])
        if "headline" in asked:
            return Says("  Buy it!  ", after=0.1)
        return Says("A lamp gives light. " * 3 if "lamp" in asked else "Good.", after=0.1)

    house.models.usual = answer
    yield house
    house.models.usual = Says()


@pytest.fixture
async def pipeline(api: Client) -> str:
    return await api.workflow(NAME, DEFINITION, description=DESCRIPTION, category="marketing")


async def test_a_public_workflow_is_listed_with_its_use_and_rating_wherever_it_is_looked_for(
    house: House, api: Client
) -> None:
    echo = {"nodes": [{"id": "say", "type": "Echo"}], "connections": []}
    wanted = {"name": NAME, "description": DESCRIPTION, "category": "marketing", "public": True}
    made = (await api.change(CREATE, **wanted, definition=echo))["workflow"]
    assert made["createdBy"] == "user_xyz789"

    async def use(numbers: range) -> None:
        for number in numbers:
            await api.change(RUN, workflowId=made["id"], input={"number": number})

    await asyncio.gather(*(use(range(start, USES - 1, 5)) for start in range(5)))
    elsewhere = await house.client("custom workflows, elsewhere", "a neighbour")
    copied = (await elsewhere.change(COPY, id=made["id"]))["workflow"]
    assert (copied["name"], copied["own"], copied["copiedFrom"]["id"]) == (NAME, True, made["id"])
    for number, rating in enumerate(RATINGS):
        key = (await elsewhere.change(KEY_MADE, name=f"reader {number}", role="VIEWER"))["key"]
        await Client(api.system, key).change(RATE, id=made["id"], rating=rating)

    for client, own in ((api, True), (elsewhere, False)):
        listed = (await client.ask(LIST, category="marketing", public=True))["workflows"]
        assert listed["pageInfo"]["hasNextPage"] is False
        (found,) = [one for one in listed["nodes"] if one["id"] == made["id"]]
        assert {name: found[name] for name in wanted} == wanted
        assert (found["own"], found["createdBy"]) == (own, "user_xyz789")
        assert (found["usageCount"], found["rating"], found["ratingCount"]) == (USES, 4.8, 5)
        assert found["createdAt"] <= found["updatedAt"]
    mine = (await elsewhere.ask(LIST, category="marketing"))["workflows"]["nodes"]
    assert made["id"] not in [one["id"] for one in mine]


async def test_lists_go_on_behind_a_page(house: House) -> None:
    api = await house.client("custom workflows, a long list")
    for number in range(25):
        await api.workflow(f"Pipeline {number}", {"steps": [{"type": "echo"}]}, category="marketing")

    first = (await api.ask(LIST, category="marketing"))["workflows"]
    assert (first["totalCount"], len(first["nodes"]), first["pageInfo"]["hasNextPage"]) == (25, 20, True)
    rest = (await api.ask(LIST, category="marketing", after=first["pageInfo"]["endCursor"]))["workflows"]
    assert (len(rest["nodes"]), rest["pageInfo"]["hasNextPage"]) == (5, False)
    assert (await api.ask(LIST, category="sales"))["workflows"]["totalCount"] == 0


async def test_nodes_and_connections_are_read_changed_and_deleted(api: Client, pipeline: str) -> None:
    found = (await api.ask(GET, id=pipeline))["workflow"]
    edges = {step["stepId"]: step["dependsOn"] for step in found["steps"]}
    assert edges == {
        "product": [], "headline": ["product"], "article": ["product"], "tidy": ["headline", "article"],
        "length": ["tidy"], "post": ["length:short"], "page": ["length:long"],
    }  # fmt: skip
    assert next(step["name"] for step in found["steps"] if step["stepId"] == "tidy") == "Tidy up"

    fewer = {**DEFINITION, "nodes": DEFINITION["nodes"][:-2], "connections": DEFINITION["connections"][:-2]}
    changed = (await api.change(UPDATE, id=pipeline, name="Content Pipeline", definition=fewer))["workflow"]
    assert (changed["name"], changed["version"]["number"], len(changed["steps"])) == ("Content Pipeline", 2, 5)
    assert (await api.change(DELETE, id=pipeline))["deletedId"] == pipeline
    assert (await api.ask(GET, id=pipeline))["workflow"] is None


async def test_every_kind_of_node_does_its_part_and_branches_run_side_by_side(
    house: House, api: Client, pipeline: str
) -> None:
    house.models.most_at_once = 0
    short = (await api.change(EXECUTE, workflowId=pipeline, input={"product": "chair"}, wait=WAIT))["run"]
    long = (await api.change(EXECUTE, workflowId=pipeline, input={"product": "lamp"}, wait=WAIT))["run"]

    assert (short["status"], short["result"]) == ("COMPLETED", {"channel": "social", "text": "Buy it!"})
    assert long["result"] == {"channel": "blog", "text": "A lamp gives light. " * 3}
    assert house.models.most_at_once >= 2
    steps = {step["stepId"]: step for step in long["items"]["nodes"][0]["steps"]}
    assert steps["product"]["output"] == {"product": "lamp", "tone": "friendly"}
    assert steps["length"]["branches"] == ["long"]
    assert (steps["post"]["status"], steps["page"]["status"]) == ("SKIPPED", "COMPLETED")
    kinds = (await api.ask("{ stepTypes { kind category } }"))["stepTypes"]
    category = {one["kind"]: one["category"] for one in kinds}
    assert {category[node["type"]] for node in DEFINITION["nodes"]} == {
        "INPUT", "AI", "PROCESSING", "CONDITION", "OUTPUT",
    }  # fmt: skip


async def test_an_execution_is_waited_for_or_followed(house: House, api: Client, pipeline: str) -> None:
    at_once = (await api.change(EXECUTE, workflowId=pipeline, input={"product": "chair"}, wait=WAIT))["run"]
    assert at_once["durationMs"] > 0
    run, states = await house.seen_live(api, workflowId=pipeline, input={"product": "chair"})
    assert states[-1]["status"] == "COMPLETED"
    status = (await api.ask(STATUS, id=run))["run"]
    assert (status["status"], status["result"]) == ("COMPLETED", at_once["result"])
    assert status["progress"] == {"total": 1, "completed": 1, "percent": 100.0}
    history = (await api.ask(GET, id=pipeline))["workflow"]["runs"]
    assert [one["id"] for one in history["nodes"]] == [run, at_once["id"]]
    assert {one["trigger"]["by"] for one in history["nodes"]} == {"user_xyz789"}


async def test_tokens_and_cost_are_counted_and_repeated_questions_are_remembered(api: Client) -> None:
    nodes = [{"id": "write", "type": "ai_generate", "data": {**ASK, "prompt": "About {{ product }}"}, "cache": True}]
    workflow = await api.workflow("Remembers", {"nodes": nodes, "connections": []})
    given = {"workflowId": workflow, "input": {"product": "a chair nobody asked about"}, "wait": WAIT}
    first, second = [(await api.change(EXECUTE, **given))["run"] for _ in range(2)]

    assert (first["usage"]["calls"], first["usage"]["inputTokens"], first["usage"]["outputTokens"]) == (1, 100, 20)
    assert float(first["usage"]["cost"]) > 0
    assert second["usage"] == {"calls": 0, "inputTokens": 0, "outputTokens": 0, "cost": "0"}
    (step,) = second["items"]["nodes"][0]["steps"]
    assert (step["fromCache"], step["savedUsage"]) == (True, {"calls": 1, "inputTokens": 100})
    assert first["result"] == second["result"]
    total = (await api.ask(GET, id=workflow))["workflow"]["usage"]
    assert total == first["usage"]


async def test_a_workflow_that_is_wrong_is_refused_with_all_its_mistakes(api: Client) -> None:
    nodes = [*DEFINITION["nodes"][:3], {"id": "odd", "type": "ai_generat"}]
    connections = [{"source": "product", "target": "nowhere"}, {"source": "headline", "target": "odd"}]
    wrong = {**DEFINITION, "nodes": nodes, "connections": connections}
    checked = (await api.ask(VALIDATE, input={"definition": wrong}))["validateWorkflow"]

    assert checked["valid"] is False
    found = {error["code"]: error for error in checked["errors"]}
    assert found["UNKNOWN_STEP_TYPE"]["hint"] == "Did you mean 'ai_generate'?"
    assert found["UNKNOWN_REFERENCE"]["path"] == ["input", "definition", "connections", "0", "target"]
    refused = await api.refused(CREATE_WORKFLOW, name=NAME, definition=wrong)
    assert [error["path"] for error in refused] == [error["path"] for error in checked["errors"]]


async def test_an_execution_that_fails_says_where_and_why(house: House, api: Client, pipeline: str) -> None:
    house.models.usual = Refuses(400, "the prompt is not allowed", code="content_policy")
    run = (await api.change(EXECUTE, workflowId=pipeline, input={"product": "chair"}, wait=WAIT))["run"]

    assert (run["status"], run["result"]) == ("FAILED", None)
    (item,) = run["items"]["nodes"]
    assert item["error"]["stepId"] in {"headline", "article"}
    assert "the prompt is not allowed" in item["error"]["message"]
    assert KEY not in str(run)
    (error,) = await api.refused(RUN, workflowId=pipeline, input={"tone": "friendly"})
    assert error["path"][:2] == ["input", "input"]


async def test_a_fault_that_passes_is_tried_again_as_the_workflow_says(house: House, api: Client) -> None:
    house.models.script = [Refuses(503, "overloaded")]
    ask = {"id": "write", "type": "ai_generate", "data": {**ASK, "prompt": "About {{ product }}, once more"}}
    retry = {"retry": {"max_attempts": 3, "backoff": "exponential", "initial_delay": 0.1}}
    workflow = await api.workflow("Tries", {"nodes": [ask], "connections": [], "error_handling": retry})
    run = (await api.change(EXECUTE, workflowId=workflow, input={"product": "chair"}, wait=WAIT))["run"]

    assert (run["status"], run["result"]) == ("COMPLETED", {"text": "Good."})
    assert run["items"]["nodes"][0]["steps"][0]["attempt"] == 2


async def test_a_workflow_is_made_from_a_template(api: Client) -> None:
    offered = (await api.ask(TEMPLATES))["templates"]["nodes"]
    template = next(one["id"] for one in offered if one["name"] == "Reverse a text")
    made = (await api.change(USE, templateId=template, name="Backwards"))["workflow"]
    run = (await api.change(EXECUTE, workflowId=made["id"], input={"text": "weft"}, wait=WAIT))["run"]
    assert (made["name"], run["result"]) == ("Backwards", {"text": "tfew"})


async def test_roles_decide_who_may_do_what_and_every_change_is_on_record(
    house: House, api: Client, pipeline: str
) -> None:
    of_role: dict[Role, Client] = {}
    for role in (Role.VIEWER, Role.RUNNER):
        made = await api.change(KEY_MADE, name=f"only {role.lower()}", role=role)
        of_role[role] = Client(api.system, made["key"])
    assert (await of_role[Role.VIEWER].ask(GET, id=pipeline))["workflow"]["name"] == NAME
    _, answer = await of_role[Role.VIEWER].post(RUN, input={"workflowId": pipeline, "input": {"product": "x"}})
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    _, answer = await of_role[Role.RUNNER].post(UPDATE, input={"id": pipeline, "name": "Mine"})
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    run = (await of_role[Role.RUNNER].change(RUN, workflowId=pipeline, input={"product": "x"}, wait=WAIT))["run"]
    await api.change(UPDATE, id=pipeline, name="Renamed")

    changes = (await api.ask(AUDIT, subject=pipeline))["auditLog"]["nodes"]
    assert [(one["action"], one["actor"]) for one in changes] == [
        ("workflow.updated", "user_xyz789"), ("workflow.created", "user_xyz789"),
    ]  # fmt: skip
    (started,) = (await api.ask(AUDIT, subject=run["id"]))["auditLog"]["nodes"]
    assert (started["action"], started["actor"], started["address"]) == ("run.started", "only runner", "127.0.0.1")
    stranger = await house.client("custom workflows, strangers")
    assert (await stranger.ask(GET, id=pipeline))["workflow"] is None
