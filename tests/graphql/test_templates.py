"""Templates over GraphQL: listed, turned into workflows, and saved."""

from typing import Any

from asking import ask

from weft.domain.access import Viewer
from weft.domain.files import DOCUMENT_TYPE
from weft.graphql.nodes import encode_id
from weft.operations import entity_types
from weft.operations.builtin_templates import builtin_templates
from weft.operations.services import Services

LIST = """
query ($category: String, $first: Int!, $after: String) {
  templates(category: $category, first: $first, after: $after) {
    totalCount nodes { id name category builtin parametersSchema } pageInfo { endCursor hasNextPage }
  }
}
"""
USE = """
mutation ($input: CreateWorkflowFromTemplateInput!) {
  createWorkflowFromTemplate(input: $input) {
    workflow { id name description category entityType { id name } definition }
    errors { code message path hint }
  }
}
"""
SAVE = """
mutation ($input: SaveAsTemplateInput!) {
  saveAsTemplate(input: $input) { template { id name category builtin entitySchema definition } errors { code path } }
}
"""
INVOICE = encode_id("Template", "invoice-approval")


async def use(services: Services, viewer: Viewer, template_id: str = INVOICE, **fields: Any) -> dict[str, Any]:
    wanted = {"templateId": template_id, **fields}
    return (await ask(services, viewer, USE, input=wanted))["createWorkflowFromTemplate"]


async def save(services: Services, viewer: Viewer, **fields: Any) -> dict[str, Any]:
    return (await ask(services, viewer, SAVE, input=fields))["saveAsTemplate"]


async def test_templates_are_listed_by_category_the_built_in_ones_first(services: Services, viewer: Viewer) -> None:
    made = (await use(services, viewer))["workflow"]
    saved = [
        await save(services, viewer, workflowId=made["id"], name=f"Mine {number}", category="mine") for number in (1, 2)
    ]
    assert [answer["errors"] for answer in saved] == [[], []]
    names: list[str] = []
    after: str | None = None
    while True:
        page = (await ask(services, viewer, LIST, first=3, after=after))["templates"]
        names += [node["name"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert names == [*(template.name for template in builtin_templates()), "Mine 2", "Mine 1"]
    assert page["totalCount"] == len(names)
    resumes = (await ask(services, viewer, LIST, first=9, category="resume"))["templates"]
    ids = [encode_id("Template", name) for name in ("resume-from-document", "resume-screening")]
    assert [node["id"] for node in resumes["nodes"]] == ids
    assert resumes["totalCount"] == 2


async def test_a_workflow_from_a_template_gets_an_entity_type_of_its_shape_once(
    services: Services, viewer: Viewer
) -> None:
    first = await use(services, viewer, name="Mine", parameters={"approvalLimit": 250})
    assert first["errors"] == []
    assert (first["workflow"]["name"], first["workflow"]["category"]) == ("Mine", "invoice")
    assert first["workflow"]["entityType"]["name"] == "Invoice"
    condition = first["workflow"]["definition"]["steps"][1]
    assert condition["config"]["branches"] == {"large": "input.total >= 250.0"}
    second = await use(services, viewer)
    assert second["workflow"]["entityType"] == first["workflow"]["entityType"]
    assert second["workflow"]["name"] == "Invoice approval"


async def test_every_built_in_template_for_records_becomes_a_workflow(services: Services, viewer: Viewer) -> None:
    parameters = {
        "general-send-to-service": {"url": "https://example.com"},
        "resume-screening": {"requiredSkills": ["SQL"]},
    }
    for template in builtin_templates():
        if (template.entity_schema or {}).get("title") == DOCUMENT_TYPE:
            continue  # they name a datastore, an integration, a model provider: tests/templates
        made = await use(services, viewer, encode_id("Template", template.id), parameters=parameters.get(template.id))
        assert made["errors"] == []


async def test_wrong_parameters_are_told_with_their_path(services: Services, viewer: Viewer) -> None:
    refused = await use(services, viewer, parameters={"approvalLimit": "many", "limit": 1})
    assert refused["workflow"] is None
    assert {tuple(error["path"]) for error in refused["errors"]} == {
        ("input", "parameters", "approvalLimit"),
        ("input", "parameters", "limit"),
    }
    missing = await use(services, viewer, encode_id("Template", "resume-screening"))
    assert missing["errors"][0]["path"] == ["input", "parameters", "requiredSkills"]
    for template_id in ("nothing", str(services)):
        unknown = await use(services, viewer, encode_id("Template", template_id))
        assert unknown["errors"][0]["code"] == "NOT_FOUND"


async def test_a_template_works_on_an_entity_type_that_fits(services: Services, viewer: Viewer) -> None:
    schema = {"type": "object", "properties": {"total": {"type": "number"}}}
    other = await entity_types.create_entity_type(services, viewer, name="Invoice", description="", schema=schema)
    taken = await use(services, viewer)
    assert (taken["errors"][0]["code"], taken["errors"][0]["path"]) == ("CONFLICT", ["input", "entityTypeId"])
    misfit = await use(services, viewer, entityTypeId=encode_id("EntityType", other.id))
    assert {error["code"] for error in misfit["errors"]} >= {"UNKNOWN_REFERENCE"}


async def test_a_saved_template_is_the_workspaces_own_and_can_be_used_again(
    services: Services, viewer: Viewer, stranger: Viewer
) -> None:
    made = (await use(services, viewer))["workflow"]
    template = (await save(services, viewer, workflowId=made["id"], category="billing"))["template"]
    assert (template["name"], template["category"], template["builtin"]) == ("Invoice approval", "billing", False)
    assert template["definition"] == made["definition"]
    again = (await use(services, viewer, template["id"], name="Again"))["workflow"]
    assert (again["definition"], again["entityType"]) == (made["definition"], made["entityType"])
    assert (await use(services, stranger, template["id"]))["errors"][0]["code"] == "NOT_FOUND"
    assert (await ask(services, stranger, "query ($id: ID!) { node(id: $id) { id } }", id=template["id"]))[
        "node"
    ] is None
    assert (await save(services, stranger, workflowId=made["id"]))["errors"] == [
        {"code": "NOT_FOUND", "path": ["input", "workflowId"]}
    ]
