"""Documents: what is made of an upload, and what stays true of it."""

import asyncio
from typing import Any

import pytest
from asking import ask
from documents.conftest import Documents, sha256
from sqlalchemy import select

from weft.domain.access import Viewer
from weft.domain.entity import Entity, EntityInput, EntityType
from weft.domain.errors import CallerError, Conflict, Invalid, NotFound
from weft.domain.files import UploadStatus
from weft.domain.ids import new_id
from weft.domain.imports import ImportFormat
from weft.domain.page import PageRequest
from weft.domain.run import Selection
from weft.graphql.nodes import encode_id
from weft.operations import documents, entities, entity_creation, entity_types, imports
from weft.operations.documents import NewDocument
from weft.operations.entity_types import TypeChanges
from weft.operations.imports import NewImport
from weft.storage import tables

PDF = b"%PDF-1.7\ncontent"
OWN_SCHEMA = {"type": "object", "properties": {"vendor": {"type": "string"}, "name": {"type": "string"}}}


async def sent(files: Documents, content: bytes = PDF, name: str = "a.pdf") -> NewDocument:
    upload, url = await files.new(name)
    assert (await files.put(url, content))[0] == 200
    return NewDocument(upload.id)


async def create(files: Documents, wanted: NewDocument, **given: Any) -> Entity:
    changed = {name: getattr(wanted, name) for name in NewDocument.__slots__} | given
    return (await documents.create_document(files.services, files.viewer, NewDocument(**changed))).entity


async def events(files: Documents) -> list[tuple[str, dict[str, Any], int]]:
    async with files.services.database.reading() as connection:
        rows = await connection.execute(
            select(tables.event)
            .where(tables.event.c.workspace_id == files.viewer.workspace_id)
            .order_by(tables.event.c.id)
        )
        return [(row.name, row.payload, row.depth) for row in rows]


async def document_type(files: Documents) -> EntityType:
    page = await entity_types.list_entity_types(files.services, files.viewer, PageRequest(), search="document")
    (found,) = page.rows
    return found


async def test_a_document_is_an_entity_with_the_facts_of_its_file_and_an_event_tells_of_it(files: Documents) -> None:
    made = await files.made(PDF, "lie.txt", fields={"vendor": "A"}, external_id="e1")
    facts = {"name": "lie.txt", "mimeType": "application/pdf", "size": len(PDF), "sha256": sha256(PDF)}
    assert (made.created, made.entity.data) == (True, {"vendor": "A", **facts})
    ids = {"entityId": str(made.entity.id), "entityTypeId": str(made.entity.entity_type_id), "externalId": "e1"}
    assert await events(files) == [("document.uploaded", ids | facts | {"fields": {"vendor": "A"}}, 0)]
    found = await document_type(files)
    assert (found.id, found.name, found.built_in) == (made.entity.entity_type_id, "document", True)


async def test_a_document_may_have_another_name_which_tells_kinds_of_text_apart(files: Documents) -> None:
    made = await create(files, await sent(files, b"a,b\n1,2\n", "x.bin"), name="table.csv")
    assert (made.data["name"], made.data["mimeType"]) == ("table.csv", "text/csv")


async def test_an_upload_becomes_one_document(files: Documents) -> None:
    wanted = await sent(files)
    results = await asyncio.gather(*(create(files, wanted) for _ in range(3)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "Conflict", "Entity"]
    assert len(await events(files)) == 1


async def test_an_upload_that_was_used_takes_no_file_any_more(files: Documents) -> None:
    upload, url = await files.new()
    await files.put(url, PDF)
    await create(files, NewDocument(upload.id))
    assert (await files.put(url, PDF))[0] == 409
    assert (await files.state(upload)).status is UploadStatus.USED


async def test_without_its_file_nothing_is_made(files: Documents, stranger: Viewer) -> None:
    upload, _ = await files.new()
    with pytest.raises(Conflict, match="has not arrived"):
        await create(files, NewDocument(upload.id))
    with pytest.raises(NotFound, match="no such upload"):
        await create(files, NewDocument(new_id()))
    with pytest.raises(NotFound, match="no such upload"):
        await documents.create_document(files.services, stranger, await sent(files))


async def test_once_per_content_gives_one_document_however_many_ask_at_once(files: Documents) -> None:
    wanted = [await sent(files) for _ in range(4)]
    made = await asyncio.gather(*(create(files, one, once_per_content=True) for one in wanted))
    assert len({entity.id for entity in made}) == 1
    assert len(await events(files)) == 1
    other = await create(files, await sent(files))
    assert other.id != made[0].id


async def test_once_per_content_makes_one_again_when_the_first_was_deleted(files: Documents) -> None:
    first, second = [await create(files, await sent(files)) for _ in range(2)]
    await entities.delete_entities(files.services, files.viewer, Selection(ids=(first.id,)))
    assert (await create(files, await sent(files), once_per_content=True)).id == second.id
    await entities.delete_entities(files.services, files.viewer, Selection(ids=(second.id,)))
    assert (await create(files, await sent(files), once_per_content=True)).id not in {first.id, second.id}


async def test_once_per_content_is_per_workspace(files: Documents, stranger: Viewer) -> None:
    mine = await create(files, await sent(files))
    files.viewer = stranger
    theirs = await create(files, await sent(files), once_per_content=True)
    assert theirs.id != mine.id


async def test_the_same_request_again_has_the_same_answer(files: Documents) -> None:
    for once in (False, True):
        wanted = await sent(files)
        first, again = [
            await create(files, wanted, once_per_content=once, idempotency_key=f"k{once}") for _ in range(2)
        ]
        assert first == again
    with pytest.raises(Conflict, match="another input"):
        await create(files, await sent(files), idempotency_key="kTrue")


async def test_the_same_request_twice_at_once_has_the_same_answer(files: Documents) -> None:
    await create(files, await sent(files))
    wanted = await sent(files)
    asked = (create(files, wanted, once_per_content=True, idempotency_key="k") for _ in range(4))
    assert len({entity.id for entity in await asyncio.gather(*asked)}) == 1


async def test_documents_may_be_of_a_type_of_ones_own_if_its_schema_lets_them(files: Documents) -> None:
    own = await entity_types.create_entity_type(
        files.services, files.viewer, name="invoice", description="", schema=OWN_SCHEMA
    )
    made = await create(files, await sent(files), entity_type_id=own.id, fields={"vendor": "A"})
    assert made.entity_type_id == own.id
    with pytest.raises(Invalid) as refused:
        await create(files, await sent(files), entity_type_id=own.id, fields={"vendor": 1})
    assert refused.value.problems[0].path == ("fields", "vendor")
    strict = {**OWN_SCHEMA, "additionalProperties": False}
    await entity_types.update_entity_type(files.services, files.viewer, own.id, TypeChanges(schema=strict))
    with pytest.raises(Invalid, match="mimeType"):
        await create(files, await sent(files), entity_type_id=own.id)
    with pytest.raises(NotFound):
        await create(files, await sent(files), entity_type_id=new_id())


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"name": "a/b"}, ("name",)),
        ({"fields": [1]}, ("fields",)),
        ({"fields": {"sha256": "x"}}, ("fields", "sha256")),
        ({"fields": {"n": 2**70}}, ("fields",)),
        ({"fields": {"text": "\0"}}, ("fields", "text")),
        ({"external_id": ""}, ("externalId",)),
        ({"idempotency_key": "x" * 201}, ("idempotencyKey",)),
        ({"external_id": "taken"}, ("externalId",)),
    ],
)
async def test_what_is_wrong_with_a_document_is_said_and_its_upload_stays(
    files: Documents, given: dict[str, Any], path: tuple[str, ...]
) -> None:
    await create(files, await sent(files), external_id="taken")
    wanted = await sent(files)
    with pytest.raises(CallerError) as refused:
        await create(files, wanted, **given)
    assert refused.value.problems[0].path == path
    assert (await create(files, wanted)).data["name"] == "a.pdf"


async def test_what_a_document_says_of_its_file_cannot_be_edited_and_all_else_can(files: Documents) -> None:
    made = await create(files, await sent(files))
    for forged in ({"sha256": sha256(b"x")}, {"size": 1}, {"mimeType": "text/html"}):
        with pytest.raises(Invalid, match="stays as it is"):
            await entities.update_entity(files.services, files.viewer, made.id, forged)
    with pytest.raises(Invalid):
        await entities.update_entity(files.services, files.viewer, made.id, {"name": "x"}, replace=True)
    changed = await entities.update_entity(files.services, files.viewer, made.id, {"name": "b.pdf", "paid": True})
    assert changed.data == {**made.data, "name": "b.pdf", "paid": True}


async def test_the_type_of_documents_stays_as_it_is_and_takes_nothing_else(files: Documents) -> None:
    made = await create(files, await sent(files))
    services, viewer, type_id = files.services, files.viewer, made.entity_type_id
    await entities.delete_entities(services, viewer, Selection(all=True), type_id)
    with pytest.raises(Conflict, match="belongs to Weft"):
        await entity_types.update_entity_type(services, viewer, type_id, TypeChanges(name="x"))
    with pytest.raises(Conflict, match="belongs to Weft"):
        await entity_types.delete_entity_type(services, viewer, type_id)
    with pytest.raises(Invalid, match="made of an upload"):
        await entity_creation.create_entities(services, viewer, type_id, [EntityInput(made.data)])
    with pytest.raises(Invalid, match="made of an upload"):
        await imports.create_import(services, viewer, NewImport(type_id, ImportFormat.CSV))


async def test_a_type_of_ones_own_that_is_named_document_is_left_alone(files: Documents) -> None:
    own = await entity_types.create_entity_type(
        files.services, files.viewer, name="document", description="", schema=OWN_SCHEMA
    )
    wanted = await sent(files)
    with pytest.raises(Conflict, match="of its own"):
        await create(files, wanted)
    assert (await create(files, wanted, entity_type_id=own.id)).entity_type_id == own.id


async def test_a_page_of_documents_takes_one_statement_for_all_their_files(files: Documents) -> None:
    made = [await create(files, await sent(files, b"file %d" % number)) for number in range(3)]
    answer = await ask(
        files.services,
        files.viewer,
        "query ($type: ID!) { entities(type: $type) { nodes { file { sha256 size mimeType downloadUrl } } } }",
        type=encode_id("EntityType", made[0].entity_type_id),
    )
    shown = [node["file"] for node in answer["entities"]["nodes"]]
    assert [file["sha256"] for file in shown] == [entity.data["sha256"] for entity in made]
    async with files.session.get(files.here(shown[2]["downloadUrl"])) as response:
        assert await response.read() == b"file 2"
