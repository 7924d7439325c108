"""Real invoices from their upload to a table elsewhere, by the built-in template, through GraphQL alone."""

import json
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree as ET

import pypdfium2
import pytest
from acceptance.runs import end_of
from acceptance.system import running_system
from samples import facturx_invoice, invoices

from weft.cli.demonstration.client import Api

pytestmark = pytest.mark.acceptance

UPLOAD = """mutation ($input: CreateUploadInput!) {
  createUpload(input: $input) { upload { id } uploadUrl errors { message path } } }"""
DOCUMENT = """mutation ($input: CreateDocumentInput!) {
  createDocument(input: $input) { document { id file { mimeType sha256 size } } errors { message path } } }"""
DATASTORE = """mutation ($input: CreateDatastoreInput!) {
  createDatastore(input: $input) { datastore { id } errors { message path } } }"""
TABLE = """mutation ($input: CreateDatastoreTableInput!) {
  createDatastoreTable(input: $input) { table { uniqueKeys } errors { message path } } }"""
TEMPLATES = '{ templates(category: "invoice", first: 100) { nodes { id name } } }'
WORKFLOW = """mutation ($input: CreateWorkflowFromTemplateInput!) {
  createWorkflowFromTemplate(input: $input) { workflow { id } errors { message path hint } } }"""
RUN = """mutation ($input: RunWorkflowInput!) {
  runWorkflow(input: $input) { run { id } errors { message path } } }"""
ITEMS = """query ($run: ID!) { run(id: $run) { items(first: 100) { nodes {
  status error { code message } entity { data } steps { stepId output } } } } }"""
COLUMNS = {
    "number": "TEXT", "issuer": "TEXT", "invoice_date": "DATE", "due_date": "DATE", "net": "NUMBER", "tax": "NUMBER",
    "total": "NUMBER", "currency": "TEXT", "status": "TEXT", "file": "TEXT",
}  # fmt: skip
EXPECTED = {"number": "invoice_number", "date": "date", "total": "amount", "issuer": "issuer", "currency": "currency"}
SURE = 0.8
OTHER_NAMES = {("FlipkartInvoice", "issuer"), ("oyo", "issuer")}
"""Where the expectation has the brand, and the paper names the company that sells under it."""
XML = {
    "number": "./rsm:ExchangedDocument/ram:ID",
    "date": "./rsm:ExchangedDocument/ram:IssueDateTime/udt:DateTimeString",
    "issuer": ".//ram:SellerTradeParty/ram:Name",
    "recipient": ".//ram:BuyerTradeParty/ram:Name",
    "currency": ".//ram:InvoiceCurrencyCode",
    "net": ".//ram:SpecifiedTradeSettlementHeaderMonetarySummation/ram:TaxBasisTotalAmount",
    "tax": ".//ram:SpecifiedTradeSettlementHeaderMonetarySummation/ram:TaxTotalAmount",
    "total": ".//ram:SpecifiedTradeSettlementHeaderMonetarySummation/ram:GrandTotalAmount",
}


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    files, tables = str(tmp_path / "files"), str(tmp_path / "sqlite")
    async with (
        running_system(tmp_path / "services", workers=2, WEFT_FILES_URL=files, WEFT_SQLITE_FOLDER=tables) as system,
        Api.connected(f"http://127.0.0.1:{system.port}", system.key) as api,
    ):
        yield api


async def test_real_invoices_go_from_upload_to_store_and_nothing_wrong_is_sure(api: Api, tmp_path: Path) -> None:
    papers = {path.stem: path for path in sorted(invoices().glob("*.pdf"))} | {"factur-x": facturx_invoice()}
    async with stored(api, list(papers.values())) as items:
        outcomes = [
            (name, field, *compared(items[papers[name].name], field, wanted))
            for name, expected in {**real(), "factur-x": from_xml(facturx_invoice())}.items()
            for field, wanted in expected.items()
        ]

    for outcome in outcomes:
        print(*outcome)  # noqa: T201 - the report of what was found, wrong and missing
    assert not [outcome for outcome in outcomes if outcome[2] == "wrong" and outcome[3] >= SURE]
    ours = [outcome for outcome in outcomes if outcome[0] != "factur-x"]
    assert len(ours) == 5 * len(EXPECTED)
    assert {outcome[:2] for outcome in ours if outcome[2] != "found"} <= OTHER_NAMES
    assert all(outcome[2:] == ("found", 1.0) for outcome in outcomes if outcome[0] == "factur-x")
    assert sorted(rows(tmp_path)) == sorted(
        (values["number"], values["total"], values["currency"], name)
        for name, values in ((name, read(item)) for name, item in items.items())
    )


@asynccontextmanager
async def stored(api: Api, files: list[Path]) -> AsyncGenerator[dict[str, Any]]:
    """The items of a run over these files by name, each of them completed."""
    documents = [await uploaded(api, file.name, file.read_bytes()) for file in files]
    made = await api.change(DATASTORE, name="books", address={"sqlite": {"file": "books.db"}})
    columns = [{"name": name, "kind": kind} for name, kind in COLUMNS.items()]
    table = {"datastoreId": made["datastore"]["id"], "name": "invoice", "columns": columns, "key": ["number"]}
    await api.change(TABLE, **table)
    templates = (await api.ask(TEMPLATES))["templates"]["nodes"]
    template = next(one["id"] for one in templates if one["name"] == "Invoices into a database")
    workflow = await api.change(WORKFLOW, templateId=template, parameters={"datastore": "books"})
    run = (await api.change(RUN, workflowId=workflow["workflow"]["id"], entities={"ids": documents}))["run"]["id"]
    ended = await end_of(api, run)
    found = (await api.ask(ITEMS, run=run))["run"]["items"]["nodes"]
    assert ended["status"] == "COMPLETED", [item["error"] for item in found]
    yield {item["entity"]["data"]["name"]: item for item in found}


async def uploaded(api: Api, name: str, content: bytes) -> str:
    begun = await api.change(UPLOAD, name=name, size=len(content))
    await api.upload(begun["uploadUrl"], piece(content))
    made = await api.change(DOCUMENT, uploadId=begun["upload"]["id"])
    assert made["document"]["file"]["mimeType"] == "application/pdf"
    return made["document"]["id"]


async def piece(content: bytes) -> AsyncIterator[bytes]:
    yield content


def read(item: dict[str, Any]) -> dict[str, Any]:
    return next(step["output"] for step in item["steps"] if step["stepId"] == "extract")["values"]


def compared(item: dict[str, Any], field: str, wanted: Any) -> tuple[str, float]:
    """Found, wrong or missing, and how sure it was."""
    about = next(step["output"] for step in item["steps"] if step["stepId"] == "extract")["fields"].get(field)
    if about is None:
        return "missing", 0.0
    return "found" if same(about["value"], wanted) else "wrong", about["confidence"]


def same(value: Any, wanted: Any) -> bool:
    """A number has no sign before it and a company may carry its legal form."""
    if isinstance(wanted, float):
        return abs(value - wanted) < 0.005
    return str(wanted).lstrip("#").casefold() in str(value).casefold()


def real() -> dict[str, dict[str, Any]]:
    """What the authors of the collection read in their invoices."""
    values = {path.stem: json.loads(path.read_text()) for path in sorted(invoices().glob("*.json"))}
    return {name: {field: first[theirs] for field, theirs in EXPECTED.items()} for name, (first, *_) in values.items()}


def from_xml(invoice: Path) -> dict[str, Any]:
    """What the embedded XML says, read here by other means than ours."""
    with pypdfium2.PdfDocument(invoice) as document:
        attached = [document.get_attachment(index) for index in range(cast("int", document.count_attachments()))]
        data = next(bytes(one.get_data()) for one in attached if one.get_name() == "factur-x.xml")
    tree = ET.fromstring(data)
    names = {
        "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
        "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
        "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
    }
    texts = {field: tree.findtext(path, namespaces=names) or "" for field, path in XML.items()}
    day = texts["date"]
    numbers = {field: float(texts[field]) for field in ("net", "tax", "total")}
    return {**texts, **numbers, "date": f"{day[:4]}-{day[4:6]}-{day[6:]}"}


def rows(folder: Path) -> list[tuple[Any, ...]]:
    (database,) = (folder / "sqlite").rglob("books.db")
    with sqlite3.connect(database) as connection:
        return connection.execute("SELECT number, total, currency, file FROM invoice").fetchall()
