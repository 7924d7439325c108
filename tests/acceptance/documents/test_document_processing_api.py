"""Document 000, "Workflow Endpoints" of a document processing API: its examples, done through GraphQL."""

from typing import Any

import pytest
from acceptance.documents.house import CREATE_WORKFLOW, RUN, Client, House
from papers.files import as_pdf

pytestmark = pytest.mark.acceptance

NAME, DESCRIPTION = "Invoice Processing", "Extract information from invoices"
DEFINITION: dict[str, Any] = {
    "triggers": [{"type": "document_upload", "filter": {"mime_types": ["application/pdf"]}}],
    "tasks": [
        {"id": "parse_document", "type": "document_parser", "config": {"output_format": "json"}},
        {
            "id": "extract_invoice_data",
            "type": "entity_extraction",
            "depends_on": ["parse_document"],
            "config": {"entities": ["invoice_number", "date", "total_amount", "vendor_name", "line_items"]},
        },
        {
            "id": "store_results",
            "type": "database_connector",
            "depends_on": ["extract_invoice_data"],
            "config": {"connection": "default_database", "table": "invoices"},
        },
    ],
    "error_handling": {"retry": {"max_attempts": 3, "backoff": "exponential"}},
}
COLUMNS = {
    "invoice_number": "TEXT", "date": "DATE", "total_amount": "NUMBER", "vendor_name": "TEXT", "line_items": "JSON",
}  # fmt: skip
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f64540"
    "0000000049454e44ae426082"
)
DATASTORE = """mutation ($input: CreateDatastoreInput!) {
  createDatastore(input: $input) { datastore { id } errors { message path } } }"""
TABLE = """mutation ($input: CreateDatastoreTableInput!) {
  createDatastoreTable(input: $input) { table { uniqueKeys } errors { message path } } }"""
CREATE = """mutation ($input: CreateWorkflowInput!) {
  createWorkflow(input: $input) {
    workflow { id name description createdAt updatedAt status definition } errors { code message path hint } } }"""
GET = """query ($id: ID!) { workflow(id: $id) {
  id name description createdAt updatedAt status definition
  stats { runsTotal runsSuccessful runsFailed averageDurationMs } } }"""
LIST = """query ($first: Int, $after: String, $status: WorkflowStatus) {
  workflows(first: $first, after: $after, filter: {status: $status}) {
    totalCount nodes { id name description createdAt updatedAt status } pageInfo { hasNextPage endCursor } } }"""
EXECUTE = """mutation ($input: RunWorkflowInput!) {
  runWorkflow(input: $input) { run { id status createdAt workflow { id } } errors { code message path } } }"""
EXECUTION = """query ($id: ID!) { run(id: $id) {
  id status createdAt finishedAt durationMs parameters result workflow { id } trigger { type by }
  items { nodes { entity { id } steps { stepId status startedAt completedAt durationMs attempt output error { code } } } } } }"""
RUNS = """query ($workflow: ID!) { runs(filter: {workflowId: $workflow, status: [COMPLETED, FAILED]}) {
  nodes { id status trigger { type by } items { nodes { entity { id } } } } } }"""
DISABLE = """mutation ($input: UpdateWorkflowInput!) {
  updateWorkflow(input: $input) { workflow { enabled } errors { message path } } }"""
WAIT = "PT60S"


def paper(number: str, amount: str = "100.00") -> bytes:
    return as_pdf(f"""Hartwell & Moss Ltd                              INVOICE
14 Quarry Lane, Leeds LS1 4AB                    Invoice number: {number}
VAT Reg No: GB 123 4567 82                       Invoice date: 3 March 2026

Bill to:
Orchard Press Ltd
2 Mill Road, York YO1 7HH

Description                Qty      Unit price       Amount
Oak shelf 120 cm             1      {amount:>10}     {amount:>7}

                                    Total        {amount} GBP
""")


@pytest.fixture(scope="module")
async def api(house: House) -> Client:
    """A workspace with the database that the example stores into."""
    client = await house.client("document processing")
    made = await client.change(DATASTORE, name="default_database", address={"sqlite": {"file": "default.db"}})
    columns = [{"name": name, "kind": kind} for name, kind in COLUMNS.items()]
    await client.change(TABLE, datastoreId=made["datastore"]["id"], name="invoices", columns=columns)
    return client


@pytest.fixture
async def by_hand(api: Client) -> str:
    """The workflow of the document, which uploads do not start."""
    return await api.workflow(NAME, DEFINITION, description=DESCRIPTION, enabled=False)


async def test_a_workflow_is_created_active_and_stored_in_canonical_words(api: Client) -> None:
    made = (await api.change(CREATE, name=NAME, description=DESCRIPTION, definition=DEFINITION, enabled=False))[
        "workflow"
    ]

    assert (made["name"], made["description"], made["status"]) == (NAME, DESCRIPTION, "ACTIVE")
    assert made["createdAt"] == made["updatedAt"]
    definition = made["definition"]
    (trigger,) = definition["triggers"]
    assert (trigger["type"], trigger["event"]) == ("EVENT", "document.uploaded")
    assert trigger["filter"] == {"mimeType": ["application/pdf"]}
    assert [(step["id"], step["dependsOn"]) for step in definition["steps"]] == [
        ("parse_document", []),
        ("extract_invoice_data", ["parse_document"]),
        ("store_results", ["extract_invoice_data"]),
    ]
    assert definition["steps"][2]["config"] == {"datastore": "default_database", "table": "invoices"}
    retry = definition["errorHandling"]["retry"]
    assert (retry["maxAttempts"], retry["backoff"]) == (3, "EXPONENTIAL")


async def test_without_the_bearer_header_nothing_is_answered(api: Client) -> None:
    _, answer = await Client(api.system, "your_api_key_here").post(LIST, first=10)

    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert not answer.get("data")


async def test_a_workflow_is_executed_on_a_document_and_every_task_tells_what_it_did(
    house: House, api: Client, by_hand: str
) -> None:
    document = await api.uploaded("invoice.pdf", paper("INV-1001", "1250.00"))
    run, states = await house.seen_live(
        api, workflowId=by_hand, entities={"ids": [document]}, parameters={"custom_parameter": "custom_value"}
    )
    assert states[-1]["status"] == "COMPLETED"

    execution = (await api.ask(EXECUTION, id=run))["run"]
    assert (execution["status"], execution["workflow"]["id"]) == ("COMPLETED", by_hand)
    assert execution["parameters"] == {"custom_parameter": "custom_value"}
    assert execution["createdAt"] <= execution["finishedAt"]
    assert execution["durationMs"] > 0
    assert execution["trigger"]["type"] == "MANUAL"
    (item,) = execution["items"]["nodes"]
    assert item["entity"]["id"] == document
    parsed, extracted, stored = item["steps"]
    for step in item["steps"]:
        assert step["status"] == "COMPLETED"
        assert step["startedAt"] <= step["completedAt"]
        assert step["durationMs"] >= 0
    assert "INV-1001" in parsed["output"]["text"]
    assert len(parsed["output"]["pages"]) == 1
    values = extracted["output"]
    lines = values.pop("line_items")
    assert values == {
        "invoice_number": "INV-1001", "date": "2026-03-03", "total_amount": 1250.0, "vendor_name": "Hartwell & Moss Ltd",
    }  # fmt: skip
    assert [line["description"] for line in lines] == ["Oak shelf 120 cm"]
    assert stored["output"] == {"stored": True, "datastore": "default_database", "table": "invoices"}
    assert execution["result"] == stored["output"]
    (row,) = house.rows("default.db", "SELECT * FROM invoices WHERE invoice_number = 'INV-1001'")
    assert (row["date"], float(row["total_amount"]), row["vendor_name"]) == (
        "2026-03-03", 1250.0, "Hartwell & Moss Ltd",
    )  # fmt: skip
    assert "Oak shelf" in row["line_items"]


async def test_the_stats_count_executions_and_tell_their_average_duration(api: Client, by_hand: str) -> None:
    good = [await api.uploaded(f"{number}.pdf", paper(f"ST-{number}")) for number in range(4)]
    bad = await api.uploaded("broken.pdf", b"%PDF-1.7\nnothing of it can be read")
    durations: list[float] = []
    for document in (*good, bad):
        run = {"workflowId": by_hand, "entities": {"ids": [document]}, "wait": WAIT}
        started = (await api.change(RUN, **run))["run"]
        assert started["status"] == ("FAILED" if document == bad else "COMPLETED")
        durations.append((await api.ask(EXECUTION, id=started["id"]))["run"]["durationMs"])

    found = (await api.ask(GET, id=by_hand))["workflow"]
    stats = found["stats"]
    average = stats.pop("averageDurationMs")
    assert stats == {"runsTotal": 5, "runsSuccessful": 4, "runsFailed": 1}
    assert average == pytest.approx(sum(durations) / len(durations), rel=0.01, abs=1)
    assert (found["name"], found["status"], len(found["definition"]["steps"])) == (NAME, "ACTIVE", 3)


async def test_workflows_are_listed_by_pages_with_a_total_and_by_status(house: House) -> None:
    api = await house.client("document processing, many workflows")
    echo = {"steps": [{"type": "echo"}]}
    for name in ("Invoice Processing", "Contract Analysis", *(f"Workflow {number}" for number in range(3, 51))):
        await api.workflow(name, echo)
    await api.workflow("Not yet", echo, status="DRAFT")

    first = (await api.ask(LIST, first=10, status="ACTIVE"))["workflows"]
    assert (first["totalCount"], len(first["nodes"]), first["pageInfo"]["hasNextPage"]) == (50, 10, True)
    names: list[str] = [node["name"] for node in first["nodes"]]
    page = first["pageInfo"]
    while page["hasNextPage"]:
        following = (await api.ask(LIST, first=10, after=page["endCursor"], status="ACTIVE"))["workflows"]
        names += [node["name"] for node in following["nodes"]]
        page = following["pageInfo"]
    assert (len(names), len(set(names))) == (50, 50)
    assert {"Invoice Processing", "Contract Analysis"} <= set(names)
    inactive = (await api.ask(LIST, first=10, status="DRAFT"))["workflows"]
    assert [node["name"] for node in inactive["nodes"]] == ["Not yet"]
    largest = (await api.ask(LIST, first=100))["workflows"]
    assert (largest["totalCount"], len(largest["nodes"])) == (51, 51)
    _, refused = await api.post(LIST, first=101)
    assert "100" in refused["errors"][0]["message"]


async def test_an_uploaded_pdf_starts_the_workflow_and_a_picture_does_not(house: House, api: Client) -> None:
    workflow = await api.workflow(NAME, DEFINITION, description=DESCRIPTION)
    await api.uploaded("photo.png", PNG)
    document = await api.uploaded("by-trigger.pdf", paper("TR-1"))

    (run,) = await api.until(RUNS, "runs.nodes", workflow=workflow)
    assert run["status"] == "COMPLETED"
    assert run["trigger"]["type"] == "EVENT"
    assert [item["entity"]["id"] for item in run["items"]["nodes"]] == [document]
    assert len(house.rows("default.db", "SELECT * FROM invoices WHERE invoice_number = 'TR-1'")) == 1
    looked_at = await api.ask("{ events(first: 2) { nodes { payload handledAt firings { nodes { outcome } } } } }")
    assert [
        (event["payload"]["mimeType"], [firing["outcome"] for firing in event["firings"]["nodes"]])
        for event in looked_at["events"]["nodes"]
    ] == [("application/pdf", ["STARTED"]), ("image/png", [])]
    assert all(event["handledAt"] for event in looked_at["events"]["nodes"])
    await api.change(DISABLE, id=workflow, enabled=False)


async def test_a_definition_that_cannot_work_is_refused_with_the_place_of_the_mistake(api: Client) -> None:
    tasks = [DEFINITION["tasks"][0], {**DEFINITION["tasks"][2], "depends_on": ["parse_documents"]}]
    errors = await api.refused(CREATE_WORKFLOW, name=NAME, definition={**DEFINITION, "tasks": tasks})

    (unknown,) = [error for error in errors if error["code"] == "UNKNOWN_REFERENCE" and "step" in error["message"]]
    assert unknown["path"] == ["input", "definition", "tasks", "1", "depends_on", "0"]
    assert unknown["hint"] == "Did you mean 'parse_document'?"
