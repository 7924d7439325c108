"""A document that is uploaded starts the workflows that listen for it, and no others."""

from typing import Any

import pytest
from documents.conftest import Documents
from documents.test_documents import PDF
from triggers.routing import Routing

from weft.domain.files import DOCUMENT_TYPE
from weft.domain.run import TriggerType
from weft.storage import entity_types

ANY_PDF = {"type": "document_upload", "filter": {"mime_types": ["application/pdf"]}}
PDF_OF_ONE_BASE = {
    "type": "event",
    "config": {"event": "document.uploaded", "filters": {"file_type": "pdf", "knowledge_base_id": "kb-uuid"}},
}


@pytest.fixture
def routing(files: Documents) -> Routing:
    return Routing(files.services, files.viewer)


async def test_a_document_that_passes_the_filter_is_what_the_run_is_over(files: Documents, routing: Routing) -> None:
    of_any = await routing.workflow(ANY_PDF, name="any")
    of_one = await routing.workflow(PDF_OF_ONE_BASE, name="of one")
    await files.made(b"plain text", "a.pdf", fields={"knowledge_base_id": "kb-uuid"})
    elsewhere = await files.made(PDF, "b.pdf", fields={"knowledge_base_id": "another"})
    wanted = await files.made(PDF, "c.txt", fields={"knowledge_base_id": "kb-uuid"})
    await routing.route()
    ran = {(run["workflow_id"], *await entities_of(routing, run)) for run in await routing.runs()}
    assert ran == {(of_any.id, elsewhere.entity.id), (of_any.id, wanted.entity.id), (of_one.id, wanted.entity.id)}
    assert {run["trigger_type"] for run in await routing.runs()} == {TriggerType.EVENT}
    async with files.services.database.reading() as connection:
        type_id = of_any.entity_type_id
        assert type_id is not None
        found = await entity_types.type_by_id(connection, files.viewer.workspace_id, type_id)
    assert found is not None
    assert (found.name, found.built_in) == (DOCUMENT_TYPE, True)


async def test_a_workflow_with_an_input_of_its_own_is_told_of_the_document(files: Documents, routing: Routing) -> None:
    mapped = {**ANY_PDF, "input": {"file": "payload.name"}, "parameters": {"large": "payload.size > 1000000"}}
    await routing.workflow(mapped)
    await files.made(PDF, "c.pdf")
    await routing.route()
    (run,) = await routing.runs()
    assert (run["input"], run["parameters"], run["entity_type_id"]) == ({"file": "c.pdf"}, {"large": False}, None)


async def entities_of(routing: Routing, run: dict[str, Any]) -> list[Any]:
    rows = await routing.rows("SELECT entity_ids FROM run_batch WHERE run_id = :id", id=run["id"])
    return [one for row in rows for one in row["entity_ids"]]
