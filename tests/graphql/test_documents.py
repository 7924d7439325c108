"""From a file to a document and back again, by the API alone."""

import hashlib
from typing import Any

import pytest

from weft.domain.access import Role

CREATE_UPLOAD = """mutation ($input: CreateUploadInput!) { createUpload(input: $input) {
  upload { id name status } uploadUrl errors { code path } } }"""
CREATE_DOCUMENT = """mutation ($input: CreateDocumentInput!) { createDocument(input: $input) {
  created errors { code message path hint }
  document { id data version externalId entityType { name builtIn } file { size mimeType sha256 downloadUrl } } } }"""
CONTENT = b"%PDF-1.7\n" + bytes(150_000)
"""Longer than any other request may be."""


def here(api: Any, url: str) -> str:
    """The public URL at the server of this test."""
    return api.origin + "/files/" + url.partition("/files/")[2]


async def uploaded(api: Any, **given: Any) -> str:
    answer = (await api.post(CREATE_UPLOAD, {"input": {"name": "a.pdf", **given}}))["data"]["createUpload"]
    assert (answer["errors"], answer["upload"]["status"]) == ([], "PENDING")
    async with api.session.put(here(api, answer["uploadUrl"]), data=CONTENT) as reply:
        assert (reply.status, (await reply.json())["upload"]["status"]) == (200, "RECEIVED")
    return answer["upload"]["id"]


async def test_a_file_goes_in_becomes_a_document_and_comes_out_again(api: Any) -> None:
    digest = hashlib.sha256(CONTENT).hexdigest()
    upload = await uploaded(api, size=len(CONTENT), sha256=digest)
    wanted = {"uploadId": upload, "fields": {"vendor": "A"}, "externalId": "e"}
    answer = (await api.post(CREATE_DOCUMENT, {"input": wanted}))["data"]["createDocument"]
    assert (answer["created"], answer["errors"]) == (True, [])
    document, file = answer["document"], answer["document"]["file"]
    assert document["entityType"] == {"name": "document", "builtIn": True}
    assert document["data"] == {
        "name": "a.pdf", "mimeType": "application/pdf", "size": len(CONTENT), "sha256": digest, "vendor": "A"
    }  # fmt: skip
    assert (int(file["size"]), file["mimeType"], file["sha256"]) == (len(CONTENT), "application/pdf", digest)
    async with api.session.get(here(api, file["downloadUrl"])) as reply:
        assert (reply.status, await reply.read()) == (200, CONTENT)
    again = (await api.post(CREATE_DOCUMENT, {"input": {"uploadId": upload}}))["data"]["createDocument"]
    assert (again["document"], again["errors"][0]["code"], again["errors"][0]["path"]) == (
        None, "CONFLICT", ["input", "uploadId"]
    )  # fmt: skip
    shown = await api.post(
        "query ($id: ID!) { node(id: $id) { ... on Upload { status size sha256 } } }", {"id": upload}
    )
    assert shown["data"]["node"] == {"status": "USED", "size": len(CONTENT), "sha256": digest}


async def test_another_workspace_sees_neither_upload_nor_document_nor_file(api: Any) -> None:
    upload = await uploaded(api)
    document = (await api.post(CREATE_DOCUMENT, {"input": {"uploadId": upload}}))["data"]["createDocument"]["document"]
    stranger = await api.make_key(Role.ADMIN, workspace="strangers")
    headers = {"Authorization": f"Bearer {stranger.text}"}
    nodes = "query ($a: ID!, $b: ID!) { a: node(id: $a) { id } b: entity(id: $b) { file { downloadUrl } } }"
    shown = await api.post(nodes, {"a": upload, "b": document["id"]}, **headers)
    assert shown["data"] == {"a": None, "b": None}
    answer = (await api.post(CREATE_DOCUMENT, {"input": {"uploadId": upload}}, **headers))["data"]["createDocument"]
    assert [error["code"] for error in answer["errors"]] == ["NOT_FOUND"]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.RUNNER])
async def test_only_editors_upload(api: Any, role: Role) -> None:
    key = await api.make_key(role)
    answer = await api.post(CREATE_UPLOAD, {"input": {"name": "a.pdf"}}, Authorization=f"Bearer {key.text}")
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
