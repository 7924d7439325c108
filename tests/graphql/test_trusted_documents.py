"""Trusted documents: which files hold them, how a client names one, and what becomes of all others."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import pytest

from weft.domain.access import Role, Viewer
from weft.domain.errors import StartupError, Unauthenticated
from weft.graphql.context import Context
from weft.graphql.limits import QueryLimits
from weft.graphql.schema import WeftSchema
from weft.graphql.trusted import Others, TrustedDocuments, load
from weft.operations.services import Services

WHO = "query Who { viewer { role } }"
TYPE = "query Type($name: String!) { __type(name: $name) { name } }"
WATCH = 'subscription Watch { runProgress(runId: "x") { total } }'
HASH = sha256(TYPE.encode()).hexdigest()


def written(folder: Path, files: dict[str, Any]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("file", "content", "name"),
    [
        ("persisted.json", {"0cc175b9c0f1b6a831c399e269772661": TYPE}, "0cc175b9c0f1b6a831c399e269772661"),
        ("type.graphql", TYPE, "type"),
        ("deeper/down/type.gql", f"{TYPE}\n", "type"),
        (
            "manifest.json",
            {"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"id": "7f", "body": TYPE, "name": "Type", "type": "query"}]},
            "7f",
        ),
    ],
)  # fmt: skip
def test_documents_are_known_by_their_id_and_by_their_hash(tmp_path: Path, file: str, content: Any, name: str) -> None:
    trusted = load(written(tmp_path, {file: content, "readme.md": "not a document"}), Others.REFUSE)
    text = trusted.find(name)
    assert text is not None
    assert text.strip() == TYPE
    assert trusted.find(HASH) == text
    assert trusted.find(f"sha256:{sha256(text.encode()).hexdigest()}") == text
    assert trusted.find("other") is None


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "there are no documents"),
        ({"a.json": "{"}, "no JSON"),
        ({"a.json": [1]}, "have to be"),
        ({"a.json": {"x": 5}}, "has to be text"),
        ({"a.json": {"format": "apollo-persisted-query-manifest", "operations": [{"id": "x"}]}}, "have to be"),
        ({"a.json": {"x": WHO}, "b.json": {"x": TYPE}}, "Two trusted documents are called 'x'"),
    ],
    ids=str,
)
def test_files_that_are_wrong_are_told_at_the_start(tmp_path: Path, files: dict[str, Any], said: str) -> None:
    with pytest.raises(StartupError, match=said):
        load(written(tmp_path, files), Others.REFUSE)


def test_a_folder_that_is_not_there_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="which does not exist"):
        load(tmp_path / "nowhere.json", Others.REFUSE)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot be read"),
        ("fragment F on Query { viewer { role } }", "never used|no operation"),
        ("query Old { gone }", "'Old'.*Cannot query field 'gone'"),
        ("{ apiKeys(first: 100) { nodes { id } } }", "may return 101 objects"),
    ],
)
def test_a_document_that_would_be_refused_is_told_at_the_start(tmp_path: Path, text: str, said: str) -> None:
    trusted = load(written(tmp_path, {"a.graphql": text}), Others.REFUSE)
    with pytest.raises(StartupError, match=said):
        WeftSchema(QueryLimits(cost=100), trusted=trusted)


def only(*texts: str, others: Others = Others.REFUSE) -> WeftSchema:
    trusted = TrustedDocuments(others)
    for text in texts:
        trusted.add(text[:10], text, Path("documents.json"))
    return WeftSchema(QueryLimits(characters=200, tokens=50), trusted=trusted)


async def code(schema: WeftSchema, query: str, role: Role | None = None) -> str | None:
    caller: Any = Unauthenticated("no key")
    if role is not None:
        caller = object.__new__(Viewer)
        object.__setattr__(caller, "role", role)
    context = Context(cast("Services", None), "request", caller)
    errors = (await schema.execute(query, {"name": "Run"}, context_value=context)).errors
    return None if not errors else str((errors[0].extensions or {})["code"])


async def test_other_operations_are_refused_allowed_for_admins_or_allowed() -> None:
    other = "{ __typename }"
    assert await code(only(TYPE), TYPE) is None
    for others, for_admin, for_editor in (
        (Others.REFUSE, "UNTRUSTED_DOCUMENT", "UNTRUSTED_DOCUMENT"),
        (Others.ADMIN, None, "UNTRUSTED_DOCUMENT"),
        (Others.ALLOW, None, None),
    ):
        schema = only(TYPE, others=others)
        assert await code(schema, other, Role.ADMIN) == for_admin
        assert await code(schema, other, Role.EDITOR) == for_editor
        assert await code(schema, other) == for_editor


async def test_limits_on_texts_do_not_hold_for_trusted_ones() -> None:
    long = "{ " + " ".join(["__typename"] * 100) + " }"
    assert await code(only(long, others=Others.ALLOW), long) is None
    assert await code(only(TYPE, others=Others.ALLOW), long) == "QUERY_TOO_LARGE"


@pytest.fixture
def settings(settings: Any, tmp_path: Path) -> Any:
    folder = written(tmp_path / "trusted", {"who.graphql": WHO, "persisted.json": {"5d41": TYPE, "watch": WATCH}})
    return settings.model_copy(update={"trusted_documents": folder})


async def asked(api: Any, parameters: dict[str, Any], method: str = "POST") -> Any:
    headers = {"Authorization": f"Bearer {api.key.text}"}
    given = {"json": parameters} if method == "POST" else {"params": parameters}
    async with api.session.request(method, api.url, headers=headers, **given) as response:
        return await response.json()


async def test_a_client_names_a_document_in_any_of_the_known_ways(api: Any) -> None:
    variables = {"name": "Run"}
    apollo = {"persistedQuery": {"version": 1, "sha256Hash": HASH}}
    ways: list[dict[str, Any]] = [
        {"documentId": f"sha256:{HASH}"}, {"documentId": "5d41"}, {"id": "5d41"}, {"extensions": apollo},
        {"query": "", "extensions": {"persistedQuery": HASH}}, {"query": TYPE}, {"query": TYPE, "extensions": apollo},
    ]  # fmt: skip
    for way in ways:
        assert (await asked(api, way | {"variables": variables}))["data"] == {"__type": {"name": "Run"}}, way
    by_get = {"documentId": "5d41", "variables": json.dumps(variables)}
    assert (await asked(api, by_get, "GET"))["data"] == {"__type": {"name": "Run"}}


async def test_all_other_operations_are_refused_with_a_code_that_clients_know(api: Any) -> None:
    for parameters, expected in (
        ({"query": "{ __typename }"}, "UNTRUSTED_DOCUMENT"),
        ({"documentId": "other"}, "PERSISTED_QUERY_NOT_FOUND"),
        ({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}}, "PERSISTED_QUERY_NOT_FOUND"),
        ({"documentId": 5}, "BAD_REQUEST"),
        ({"documentId": "5d41", "query": TYPE}, "BAD_REQUEST"),
    ):
        answer = await asked(api, parameters)
        assert answer["errors"][0]["extensions"]["code"] == expected, parameters
        assert "data" not in answer


async def test_a_document_is_named_over_a_websocket_and_for_an_event_stream_as_well(api: Any) -> None:
    headers = {"Authorization": f"Bearer {api.key.text}"}
    url = api.url.replace("http", "ws")
    async with api.session.ws_connect(url, protocols=("graphql-transport-ws",), headers=headers) as socket:
        await socket.send_json({"type": "connection_init"})
        assert (await socket.receive_json())["type"] == "connection_ack"
        for payload, expected in (
            ({"query": "", "extensions": {"persistedQuery": HASH}, "variables": {"name": "Run"}}, None),
            ({"documentId": "watch"}, "INVALID"),
            ({"documentId": "other"}, "PERSISTED_QUERY_NOT_FOUND"),
            ({"query": WATCH.replace("total", "failed")}, "UNTRUSTED_DOCUMENT"),
        ):
            await socket.send_json({"id": "1", "type": "subscribe", "payload": payload})
            message = await socket.receive_json()
            said = message["payload"]
            errors = said if message["type"] == "error" else said.get("errors", [])
            assert [error["extensions"]["code"] for error in errors] == ([] if expected is None else [expected]), (
                payload
            )
            if message["type"] == "next":
                assert (await socket.receive_json())["type"] == "complete"
    for parameters, expected in (({"documentId": "watch"}, "INVALID"), ({"query": "subscription { x }"}, "UNTRUSTED")):
        async with api.session.post(
            api.url, json=parameters, headers=headers | {"Accept": "text/event-stream"}
        ) as response:
            assert response.content_type == "text/event-stream"
            assert expected in await response.text()


async def test_where_nobody_may_send_what_is_typed_there_is_no_graphiql(api: Any) -> None:
    async with api.session.get(api.url, headers={"Accept": "text/html, */*;q=0.1"}) as response:
        assert (response.status, response.content_type) == (400, "application/json")
