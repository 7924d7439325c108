"""Every built-in template, made into a workflow and run, over GraphQL as a client does it."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from asking import ask
from pytest_httpserver import HTTPServer
from workers import working

from weft.domain.access import Viewer
from weft.domain.files import DOCUMENT_TYPE
from weft.graphql.nodes import encode_id
from weft.operations.builtin_templates import builtin_templates
from weft.operations.services import Services

USE = """
mutation ($input: CreateWorkflowFromTemplateInput!) {
  createWorkflowFromTemplate(input: $input) { workflow { id entityType { id } } errors { message path } }
}
"""
ADD = """
mutation ($input: CreateEntitiesInput!) { createEntities(input: $input) { created errors { message path } } }
"""
RUN = """
mutation ($input: RunWorkflowInput!) {
  runWorkflow(input: $input) {
    run {
      status result
      items { nodes { status output error { code message } entity { data publishedAt } } }
    }
    errors { message path }
  }
}
"""


@dataclass(frozen=True)
class Example:
    """A template with data, and what has to come of each record."""

    template: str
    records: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    parameters: dict[str, Any] = field(default_factory=dict[str, Any])
    outputs: list[dict[str, Any] | None] = field(default_factory=list[dict[str, Any] | None])
    """By record; None for one that fails."""
    errors: list[str] = field(default_factory=list[str])
    """The codes of those that fail, in order."""
    input: dict[str, Any] | None = None
    result: Any = None


def invoice(number: str, net: float, tax: float, total: float, **more: str) -> dict[str, Any]:
    base = {"invoiceNumber": number, "vendor": "ACME", "issueDate": "2026-01-10", "currency": "EUR"}
    return {**base, "net": net, "tax": tax, "total": total, **more}


def contract(title: str, **more: Any) -> dict[str, Any]:
    base = {"title": title, "parties": ["A", "B"], "startDate": "2026-01-01", "endDate": "2026-01-31", "value": 10.0}
    return {**base, **more}


EXAMPLES = [
    Example("general-reverse-a-text", input={"text": "weft"}, result={"text": "tfew"}),
    Example(
        "general-tidy-and-publish",
        records=[{"title": "  Hello,   World! "}, {"title": "   "}, {"title": "x" * 50}],
        parameters={"longestTitle": 20},
        outputs=[{"title": "Hello, World!", "slug": "hello-world-"}, None, None],
        errors=["TITLE_MISSING", "TITLE_TOO_LONG"],
    ),
    Example(
        "invoice-approval",
        records=[
            invoice("I-1", 100.0, 19.0, 119.0),
            invoice("I-2", 2000.0, 380.0, 2380.0),
            invoice("I-3", 1.0, 1.0, 3.0),
            invoice("I-4", 1.0, 1.0, 2.0, dueDate="2025-01-01"),
        ],
        outputs=[
            {"status": "ACCEPTED", "summary": "Invoice I-1 from ACME: 119.0 EUR, ACCEPTED"},
            {"status": "NEEDS_APPROVAL", "summary": "Invoice I-2 from ACME: 2380.0 EUR, NEEDS_APPROVAL"},
            None,
            None,
        ],
        errors=["TOTAL_WRONG", "DUE_DATE_WRONG"],
    ),
    Example(
        "contract-review",
        records=[
            contract("Small"),
            contract("Large", value=1e6),
            contract("Alone", parties=["A"]),
            contract("Backwards", endDate="2025-01-01"),
        ],
        outputs=[
            {"review": "NONE", "termDays": 30, "summary": "Small between A, B: 30 days, review NONE"},
            {"review": "LEGAL", "termDays": 30, "summary": "Large between A, B: 30 days, review LEGAL"},
            None,
            None,
        ],
        errors=["PARTY_MISSING", "DATES_WRONG"],
    ),
    Example(
        "resume-screening",
        records=[
            {"name": "Ada", "email": "ada@example.org", "years": 5.0, "skills": ["python", "SQL"]},
            {"name": "Bob", "email": "bob@example.org", "years": 5.0, "skills": ["SQL"]},
            {"name": "Eve", "years": 5.0, "skills": []},
        ],
        parameters={"requiredSkills": ["Python", "SQL"]},
        outputs=[
            {"outcome": "SHORTLIST", "summary": "Ada: 2 of 2 skills, 5.0 years, SHORTLIST"},
            {"outcome": "DECLINED", "summary": "Bob: 1 of 2 skills, 5.0 years, DECLINED"},
            None,
        ],
        errors=["EMAIL_MISSING"],
    ),
]


async def run_example(services: Services, viewer: Viewer, example: Example) -> dict[str, Any]:
    wanted = {"templateId": encode_id("Template", example.template), "name": "Mine", "parameters": example.parameters}
    made = (await ask(services, viewer, USE, input=wanted))["createWorkflowFromTemplate"]
    assert made["errors"] == []
    workflow = made["workflow"]
    start: dict[str, Any] = {"workflowId": workflow["id"], "wait": "PT20S"}
    if example.records:
        rows = [{"data": record} for record in example.records]
        adding = {"entityTypeId": workflow["entityType"]["id"], "entities": rows}
        added = (await ask(services, viewer, ADD, input=adding))["createEntities"]
        assert (added["created"], added["errors"]) == (len(rows), [])
        start["entities"] = {"all": True}
    else:
        start["input"] = example.input
    async with working(services) as served:
        ran = (await ask(served, viewer, RUN, input=start))["runWorkflow"]
    assert ran["errors"] == []
    return ran["run"]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.template)
async def test_a_built_in_template_runs(services: Services, viewer: Viewer, example: Example) -> None:
    run = await run_example(services, viewer, example)
    items = run["items"]["nodes"]
    if example.input is not None:
        assert (run["status"], run["result"]) == ("COMPLETED", example.result)
        return
    assert run["status"] == "COMPLETED_WITH_FAILURES"
    assert [item["output"] for item in items] == example.outputs
    assert [item["error"]["code"] for item in items if item["error"]] == example.errors
    for item in items:
        assert (item["entity"]["publishedAt"] is not None) == (item["status"] == "COMPLETED")


async def test_the_template_that_sends_to_a_service_tries_again_when_it_is_down(
    services: Services, viewer: Viewer, httpserver: HTTPServer
) -> None:
    httpserver.expect_ordered_request("/records", method="POST").respond_with_data(
        status=503, headers={"Retry-After": "0"}
    )
    httpserver.expect_ordered_request("/records", method="POST").respond_with_json({"ok": True})
    example = Example(
        "general-send-to-service",
        records=[{"name": "one"}],
        parameters={"url": httpserver.url_for("/records").replace("localhost", "127.0.0.1")},
    )
    run = await run_example(services, viewer, example)
    assert run["status"] == "COMPLETED"
    assert run["items"]["nodes"][0]["output"]["body"] == {"ok": True}
    first, second = (request for request, _ in httpserver.log)
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]


def test_every_built_in_template_for_records_has_its_example() -> None:
    """Those for documents run in tests/templates."""
    tested = {example.template for example in EXAMPLES} | {"general-send-to-service"}
    for_records = [one for one in builtin_templates() if (one.entity_schema or {}).get("title") != DOCUMENT_TYPE]
    assert {template.id for template in for_records} == tested
