"""Model providers through the API: made, changed, tested, deleted; their keys go in and never come out."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from asking import ask, ask_anything
from model_servers import KEY, ModelServer, Refuses, model_server

from weft.domain.access import Viewer
from weft.operations.services import Services
from weft.storage import providers

FIELDS = "id name kind baseUrl hasKey requestsPerMinute tokensPerMinute concurrency"
CREATE = f"mutation ($input: CreateModelProviderInput!) {{ it: createModelProvider(input: $input) {{ modelProvider {{ {FIELDS} }} errors {{ code message path }} }} }}"
UPDATE = f"mutation ($input: UpdateModelProviderInput!) {{ it: updateModelProvider(input: $input) {{ modelProvider {{ {FIELDS} }} errors {{ code message path }} }} }}"
DELETE = "mutation ($input: DeleteModelProviderInput!) { it: deleteModelProvider(input: $input) { modelProvider { name } errors { code } } }"
TEST = "mutation ($input: TestModelProviderInput!) { it: testModelProvider(input: $input) { test { ok message latency priced } errors { code message path } } }"
LIST = f"{{ modelProviders {{ totalCount nodes {{ {FIELDS} createdAt updatedAt }} }} }}"
OURS = {"name": "ours", "kind": "OPENAI_COMPATIBLE", "apiKey": KEY}


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with model_server() as server:
        yield server


async def mutate(services: Services, viewer: Viewer, document: str, **input: Any) -> dict[str, Any]:
    return (await ask(services, viewer, document, input=input))["it"]


async def test_a_provider_is_made_seen_and_deleted_and_its_key_never_comes_back(
    services: Services, viewer: Viewer
) -> None:
    made = await mutate(services, viewer, CREATE, **OURS, tokensPerMinute=90_000)
    assert made["errors"] == []
    provider = made["modelProvider"]
    assert {name: provider[name] for name in ("name", "baseUrl", "hasKey", "tokensPerMinute", "concurrency")} == {
        "name": "ours",
        "baseUrl": "https://api.openai.com/v1",
        "hasKey": True,
        "tokensPerMinute": 90_000,
        "concurrency": None,
    }
    listed = await ask(services, viewer, LIST)
    found = await ask(
        services, viewer, "query ($id: ID!) { node(id: $id) { id ... on ModelProvider { name } } }", id=provider["id"]
    )
    assert found["node"]["name"] == "ours"
    assert KEY not in f"{made} {listed}"
    async with services.database.reading() as connection:
        row = await providers.provider_to_call(connection, viewer.workspace_id, "ours")
    assert row is not None
    assert row[1] is not None
    assert KEY.encode() not in row[1]
    deleted = await mutate(services, viewer, DELETE, id=provider["id"])
    assert deleted == {"modelProvider": {"name": "ours"}, "errors": []}
    assert (await ask(services, viewer, LIST))["modelProviders"]["totalCount"] == 0
    audit = await ask(services, viewer, "{ auditLog { nodes { action details } } }")
    assert [entry["action"] for entry in audit["auditLog"]["nodes"]] == [
        "modelProvider.deleted",
        "modelProvider.created",
    ]
    assert KEY not in str(audit)


async def test_an_update_changes_what_is_said_and_nothing_else(services: Services, viewer: Viewer) -> None:
    made = await mutate(services, viewer, CREATE, **OURS, concurrency=5, requestsPerMinute=60)
    provider_id = made["modelProvider"]["id"]
    changed = (await mutate(services, viewer, UPDATE, id=provider_id, concurrency=None, name="theirs"))["modelProvider"]
    assert (changed["name"], changed["concurrency"], changed["requestsPerMinute"]) == ("theirs", None, 60)
    assert changed["hasKey"]
    assert not (await mutate(services, viewer, UPDATE, id=provider_id, apiKey=None))["modelProvider"]["hasKey"]


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"name": " "}, "name"),
        ({"baseUrl": "ftp://models.local"}, "baseUrl"),
        ({"baseUrl": "https://user:word@models.local"}, "baseUrl"),
        ({"baseUrl": "https://models.local/v1?key=1"}, "baseUrl"),
        ({"baseUrl": "models.local"}, "baseUrl"),
        ({"apiKey": "two words"}, "apiKey"),
        ({"apiKey": "line\nbreak"}, "apiKey"),
        ({"concurrency": 0}, "concurrency"),
        ({"requestsPerMinute": -1}, "requestsPerMinute"),
    ],
)
async def test_what_is_wrong_with_a_provider_is_said_where_it_is(
    services: Services, viewer: Viewer, wrong: dict[str, Any], path: str
) -> None:
    refused = await mutate(services, viewer, CREATE, **{**OURS, **wrong})
    assert refused["modelProvider"] is None
    assert [error["path"] for error in refused["errors"]] == [["input", path]]


async def test_a_name_is_taken_once_in_a_workspace(services: Services, viewer: Viewer, stranger: Viewer) -> None:
    await mutate(services, viewer, CREATE, **OURS)
    again = await mutate(services, viewer, CREATE, **OURS)
    assert [error["code"] for error in again["errors"]] == ["CONFLICT"]
    assert (await mutate(services, stranger, CREATE, **OURS))["errors"] == []


async def test_a_stranger_finds_changes_and_tests_nothing(services: Services, viewer: Viewer, stranger: Viewer) -> None:
    provider_id = (await mutate(services, viewer, CREATE, **OURS))["modelProvider"]["id"]
    assert (await ask(services, stranger, LIST))["modelProviders"]["nodes"] == []
    assert (await ask(services, stranger, "query ($id: ID!) { node(id: $id) { id } }", id=provider_id))["node"] is None
    for document, more in ((UPDATE, {"name": "x"}), (DELETE, {}), (TEST, {"model": "m"})):
        refused = await mutate(services, stranger, document, id=provider_id, **more)
        assert [error["code"] for error in refused["errors"]] == ["NOT_FOUND"]


async def test_a_test_makes_a_real_call_and_tells_what_came_of_it(
    services: Services, viewer: Viewer, server: ModelServer
) -> None:
    provider_id = (await mutate(services, viewer, CREATE, **OURS, baseUrl=f"{server.url}/v1/"))["modelProvider"]["id"]
    told = (await mutate(services, viewer, TEST, id=provider_id, model="gpt-4o-mini"))["test"]
    assert (told["ok"], told["message"], told["priced"]) == (True, "gpt-4o-mini answered: Hello", True)
    assert told["latency"].startswith("PT")
    server.usual = Refuses(401, f"{KEY} is no key")
    told = (await mutate(services, viewer, TEST, id=provider_id, model="gpt-4o-mini"))["test"]
    assert (told["ok"], told["message"]) == (
        False,
        "ours answered 401: *** is no key. An admin can change the key of the provider.",
    )


async def test_a_changed_provider_counts_at_once_where_it_was_changed(
    services: Services, viewer: Viewer, server: ModelServer
) -> None:
    made = (await mutate(services, viewer, CREATE, **OURS, baseUrl="http://127.0.0.1:1"))["modelProvider"]
    assert not (await mutate(services, viewer, TEST, id=made["id"], model="m"))["test"]["ok"]
    await mutate(services, viewer, UPDATE, id=made["id"], baseUrl=server.url, apiKey=KEY)
    assert (await mutate(services, viewer, TEST, id=made["id"], model="m"))["test"]["ok"]


async def test_a_key_that_nobody_can_read_does_not_follow_the_address_to_another_server(
    services: Services, viewer: Viewer
) -> None:
    made = (await mutate(services, viewer, CREATE, **OURS))["modelProvider"]
    refused = await mutate(services, viewer, UPDATE, id=made["id"], baseUrl="https://elsewhere.example/v1")
    assert [error["path"] for error in refused["errors"]] == [["input", "apiKey"]]
    for change in ({"baseUrl": "https://api.openai.com/v2"}, {"baseUrl": "https://elsewhere.example", "apiKey": None}):
        assert (await mutate(services, viewer, UPDATE, id=made["id"], **change))["errors"] == []


async def test_a_document_that_asks_for_the_key_is_not_valid(services: Services, viewer: Viewer) -> None:
    _, errors = await ask_anything(services, viewer, "{ modelProviders { nodes { apiKey } } }")
    assert "Cannot query field 'apiKey'" in errors[0]["message"]
