"""The built-in templates for documents: each made into a workflow and run on real files, over GraphQL as a client does it."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from asking import ask
from datastores.conftest import Target
from documents.conftest import Documents
from integrations.receivers import answers, receiving
from made_documents import pdf
from model_servers import Says
from models.conftest import Shop
from papers.contracts import MIETVERTRAG, SERVICES
from papers.files import as_pdf, as_word
from papers.resumes import LEBENSLAUF, PLAIN
from workers import working

from weft.domain.files import DOCUMENT_TYPE
from weft.domain.workflow import Template
from weft.engine.deliveries import Attempts, DeliverySender
from weft.graphql.nodes import encode_id
from weft.operations.builtin_templates import builtin_templates

USE = """
mutation ($input: CreateWorkflowFromTemplateInput!) {
  createWorkflowFromTemplate(input: $input) {
    workflow { id entityType { name builtIn } } errors { message path }
  }
}
"""
RUN = """
mutation ($input: RunWorkflowInput!) {
  runWorkflow(input: $input) {
    run { status items { nodes { status output error { code message } entity { id data publishedAt } } } }
    errors { message path }
  }
}
"""
ADD_INTEGRATION = """
mutation ($input: CreateIntegrationInput!) { createIntegration(input: $input) { errors { message path } } }
"""
TABLE = """CREATE TABLE bill (number text PRIMARY KEY, issuer text, invoice_date date, due_date date, net numeric(12, 2),
  tax numeric(12, 2), total numeric(12, 2), currency text, status text NOT NULL, file text NOT NULL)"""


def invoice(number: str, quantity: int) -> bytes:
    """Adds up; what stands below each other on the page is far apart in the file."""
    net = Decimal(100 * quantity)
    return as_pdf(f"""Hartwell & Moss Ltd                              INVOICE
14 Quarry Lane, Leeds LS1 4AB                    Invoice number: {number}
VAT Reg No: GB 123 4567 82                       Invoice date: 3 March 2026
                                                 Due date: 2 April 2026
Bill to:
Orchard Press Ltd
2 Mill Road, York YO1 7HH

Description                Qty      Unit price       Amount
Oak shelf 120 cm           {quantity:>3}         £100.00     £{net:,.2f}

                                    Subtotal     £{net:,.2f}
                                    VAT 20%      £{net / 5:,.2f}
                                    Total        £{net * 6 / 5:,.2f}
""")


def is_for_documents(template: Template) -> bool:
    return (template.entity_schema or {}).get("title") == DOCUMENT_TYPE


async def run(files: Documents, template: str, documents: dict[str, bytes], **parameters: Any) -> dict[str, Any]:
    """The items by the names of their files."""
    services, viewer = files.services, files.viewer
    wanted = {"templateId": encode_id("Template", template), "parameters": parameters}
    made = (await ask(services, viewer, USE, input=wanted))["createWorkflowFromTemplate"]
    assert made["errors"] == []
    assert made["workflow"]["entityType"] == {"name": "document", "builtIn": True}
    ids = [(await files.made(content, name)).entity.id for name, content in documents.items()]
    chosen = {"ids": [encode_id("Entity", str(entity_id)) for entity_id in ids]}
    async with working(services) as served:
        start = {"workflowId": made["workflow"]["id"], "entities": chosen, "wait": "PT60S"}
        ran = (await ask(served, viewer, RUN, input=start))["runWorkflow"]
    assert ran["errors"] == []
    return {item["entity"]["data"]["name"]: item for item in ran["run"]["items"]["nodes"]}


@pytest.mark.usefixtures("warehouse")
async def test_invoices_are_read_checked_stored_once_and_told_of(files: Documents, target: Target) -> None:
    await target.run(TABLE)
    documents = {
        "small.pdf": invoice("HM-2026-0117", 2),
        "large.pdf": invoice("HM-2026-0118", 40),
        "letter.pdf": pdf([[(50, 700, "Dear Sir, thank you for your visit.")]]),
    }
    async with receiving(answers(200)) as receiver:
        config = {"name": "team", "config": {"webhook": {"url": receiver.url("/told")}}}
        added = await ask(files.services, files.viewer, ADD_INTEGRATION, input=config)
        assert added["createIntegration"]["errors"] == []
        chosen = {"datastore": "warehouse", "table": "bill", "integration": "team"}
        items = await run(files, "invoice-from-document", documents, **chosen)
        sender = DeliverySender(files.services.database, Attempts(files.services.world))
        assert await sender.run_once() == 1
        await sender.stop()
        told = [request.body.decode() for request in receiver.received]
    assert items["letter.pdf"]["error"]["code"] == "NUMBER_MISSING"
    assert [items[name]["output"]["status"] for name in ("small.pdf", "large.pdf")] == ["ACCEPTED", "NEEDS_REVIEW"]
    stored = await target.run("SELECT * FROM bill ORDER BY number")
    assert stored == [
        ("HM-2026-0117", "Hartwell & Moss Ltd", date(2026, 3, 3), date(2026, 4, 2), Decimal("200.00"), Decimal("40.00"),
         Decimal("240.00"), "GBP", "ACCEPTED", "small.pdf"),
        ("HM-2026-0118", "Hartwell & Moss Ltd", date(2026, 3, 3), date(2026, 4, 2), Decimal("4000.00"), Decimal("800.00"),
         Decimal("4800.00"), "GBP", "NEEDS_REVIEW", "large.pdf"),
    ]  # fmt: skip
    (message,) = told
    assert "HM-2026-0118" in message
    assert "HM-2026-0117" not in message


@pytest.mark.usefixtures("warehouse")
async def test_an_invoice_that_comes_again_replaces_its_row(files: Documents, target: Target) -> None:
    await target.run(TABLE)
    chosen = {"datastore": "warehouse", "table": "bill", "approvalLimit": 100_000}
    for documents in ({"a.pdf": invoice("HM-1", 1)}, {"b.pdf": invoice("HM-1", 3)}):
        items = await run(files, "invoice-to-datastore", documents, **chosen)
        assert [item["status"] for item in items.values()] == ["COMPLETED"]
    assert await target.run("SELECT number, total, file FROM bill") == [("HM-1", Decimal("360.00"), "b.pdf")]


async def test_contracts_keep_what_they_say_on_the_document(files: Documents) -> None:
    documents = {
        "services.docx": as_word(SERVICES.text),
        "flat.pdf": as_pdf(MIETVERTRAG.text),
        "invoice.pdf": pdf([[(50, 700, "Two nails, 5 EUR")]]),
    }
    items = await run(files, "contract-from-document", documents)
    assert items["invoice.pdf"]["error"]["code"] == "NO_CONTRACT"
    services, flat = items["services.docx"], items["flat.pdf"]
    assert services["output"]["contract"]["parties"] == SERVICES.values["parties"]
    assert services["output"]["review"] == "NEEDED"
    assert services["entity"]["data"]["contract"]["governingLaw"] == "New York"
    assert flat["output"]["contract"] == MIETVERTRAG.values
    assert flat["entity"]["data"]["contract"] == MIETVERTRAG.values
    assert flat["entity"]["publishedAt"] is not None


async def test_candidates_are_compared_with_what_the_role_needs(files: Documents) -> None:
    documents = {
        "holloway.docx": as_word(PLAIN.text),
        "albrecht.pdf": as_pdf(LEBENSLAUF.text),
        "empty.txt": b"Curriculum Vitae\n",
    }
    items = await run(files, "resume-from-document", documents, requiredSkills=["python", "SQL"])
    assert items["empty.txt"]["error"]["code"] == "CONTACT_MISSING"
    jane, jonas = items["holloway.docx"]["output"], items["albrecht.pdf"]["output"]
    assert (jane["outcome"], jane["matchedSkills"], jane["candidate"]["name"]) == (
        "SHORTLIST",
        ["python", "SQL"],
        "Jane Holloway",
    )
    assert (jonas["outcome"], jonas["matchedSkills"], jonas["candidate"]["mail"]) == (
        "REVIEW",
        ["SQL"],
        "jonas.albrecht@example.de",
    )
    assert items["albrecht.pdf"]["entity"]["data"]["outcome"] == "REVIEW"


async def test_a_document_becomes_text(files: Documents) -> None:
    documents = {"flat.pdf": as_pdf(MIETVERTRAG.text), "broken.pdf": b"%PDF-1.7\nno more"}
    items = await run(files, "general-document-to-text", documents)
    assert items["broken.pdf"]["status"] == "FAILED"
    read = items["flat.pdf"]["output"]
    assert (read["name"], read["format"], read["pages"], read["truncated"]) == ("flat.pdf", "pdf", 1, False)
    assert "Kündigungsfrist beträgt drei Monate" in read["text"]


async def test_documents_are_summarised_and_the_same_text_is_asked_of_once(files: Documents, shop: Shop) -> None:
    await shop.provider(name="local")
    shop.server.usual = Says("A flat in Leipzig is let.")
    chosen = {"provider": "local", "model": "gpt-4o-mini", "sentences": 2}
    for name in ("first.pdf", "again.pdf"):
        documents = {name: as_pdf(MIETVERTRAG.text)}
        items = await run(files, "general-summarise", documents, **chosen)
        assert items[name]["output"] == {"summary": "A flat in Leipzig is let."}
        assert items[name]["entity"]["data"]["summary"] == "A flat in Leipzig is let."
    (asked,) = shop.server.asked
    assert "at most 2 sentences" in str(asked)
    assert "Sabine Krüger" in str(asked)


def test_every_template_for_documents_is_run_here() -> None:
    for_documents = {template.id for template in builtin_templates() if is_for_documents(template)}
    assert for_documents == {
        "contract-from-document",
        "general-document-to-text",
        "general-summarise",
        "invoice-from-document",
        "invoice-to-datastore",
        "resume-from-document",
    }
