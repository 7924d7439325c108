"""`schemaId` in the config of a step: the schema of an entity type, taken when the definition is saved."""

from dataclasses import replace
from typing import Any

from asking import ask

from weft.domain.access import Viewer
from weft.domain.ids import new_id
from weft.graphql.nodes import encode_id
from weft.operations import entity_types
from weft.operations.services import Services

VALIDATE = """mutation ($definition: JSON!) { validateWorkflow(input: {definition: $definition}) {
  valid definition errors { code path message } } }"""
SCHEMA = {"type": "object", "properties": {"invoice_number": {"type": "string"}}}


async def made(services: Services, viewer: Viewer, name: str = "invoice-schema") -> str:
    kind = await entity_types.create_entity_type(services, viewer, name=name, description="", schema=SCHEMA)
    return encode_id("EntityType", kind.id)


async def saved(services: Services, viewer: Viewer, reference: str, **config: Any) -> dict[str, Any]:
    definition = {"steps": [{"type": "extract", "config": {"schema_id": reference, **config}}]}
    return (await ask(services, viewer, VALIDATE, definition=definition))["validateWorkflow"]


async def test_an_entity_type_is_meant_by_its_name_or_its_id(services: Services, viewer: Viewer) -> None:
    kind = await made(services, viewer)
    for reference in ("invoice-schema", kind):
        answer = await saved(services, viewer, reference)
        assert answer["errors"] == []
        assert answer["definition"]["steps"][0]["config"] == {"schema": SCHEMA, "give": "VALUES"}


async def test_the_id_counts_before_a_type_that_has_it_as_its_name(services: Services, viewer: Viewer) -> None:
    kind = await made(services, viewer)
    other: dict[str, Any] = {"type": "object", "properties": {"x": {}}}
    await entity_types.create_entity_type(services, viewer, name=kind, description="", schema=other)
    answer = await saved(services, viewer, kind)
    assert answer["definition"]["steps"][0]["config"]["schema"] == SCHEMA


async def test_the_type_of_another_workspace_is_unknown(services: Services, viewer: Viewer) -> None:
    kind = await made(services, viewer)
    stranger = replace(viewer, workspace_id=new_id())
    for reference in ("invoice-schema", kind):
        answer = await saved(services, stranger, reference)
        path = ["input", "definition", "steps", "0", "config", "schema_id"]
        assert ("UNKNOWN_REFERENCE", path) in [(error["code"], error["path"]) for error in answer["errors"]]


async def test_a_definition_that_its_schemas_make_too_large_is_refused(services: Services, viewer: Viewer) -> None:
    await made(services, viewer)
    small = replace(services, limits=replace(services.limits, definition_bytes=150))
    answer = await saved(small, viewer, "invoice-schema")
    assert [error["code"] for error in answer["errors"]] == ["LIMIT_EXCEEDED"]
