"""API keys over the API: making, listing, revoking, and what each role may see."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from weft.domain.access import Role
from weft.graphql.nodes import encode_id
from weft.operations.authentication import REMEMBERED_SECONDS

WHO = "{ viewer { role workspace apiKey { name lastUsedAt } } }"
CREATE = """mutation ($input: CreateApiKeyInput!) {
  createApiKey(input: $input) { key apiKey { id name role prefix } errors { code message path hint } }
}"""
REVOKE = """mutation ($input: RevokeApiKeyInput!) {
  revokeApiKey(input: $input) { apiKey { id revokedAt } errors { code message path } }
}"""


async def create(api: Any, **fields: Any) -> dict[str, Any]:
    answer = await api.post(CREATE, {"input": {"name": "page", "role": "VIEWER"} | fields})
    return answer["data"]["createApiKey"]


async def code_for(api: Any, query: str, key: str | None) -> str:
    answer = await api.post(query, Authorization=f"Bearer {key}" if key else "")
    return answer["errors"][0]["extensions"]["code"]


async def test_a_new_key_opens_what_its_role_allows(api: Any) -> None:
    made = await create(api)
    assert made["errors"] == []
    assert made["key"].startswith(made["apiKey"]["prefix"])
    answer = await api.post(WHO, Authorization=f"Bearer {made['key']}")
    assert answer["data"]["viewer"]["role"] == "VIEWER"
    assert answer["data"]["viewer"]["workspace"] == "tests"
    assert answer["data"]["viewer"]["apiKey"]["name"] == "page"
    assert await code_for(api, "{ apiKeys { nodes { id } } }", made["key"]) == "FORBIDDEN"


async def test_the_use_of_a_key_is_noted(api: Any) -> None:
    await api.post(WHO)
    answer = await api.post(WHO)
    assert answer["data"]["viewer"]["apiKey"]["lastUsedAt"].endswith("Z")


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (None, "A valid API key is needed"),
        ("secret", "they begin with `weft_`"),
        ("weft_wrong", "No API key of this server: copy it whole."),
        ("weft_" + "A" * 43, "This API key is not known."),
    ],
    ids=["missing", "malformed", "cut", "unknown"],
)
async def test_without_a_good_key_the_answer_says_what_is_wrong_with_it(
    api: Any, key: str | None, message: str
) -> None:
    answer = await api.post(WHO, Authorization=f"Bearer {key}" if key else "")
    assert answer["data"] is None
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert message in answer["errors"][0]["message"]


async def test_a_revoked_key_opens_nothing_a_second_later(api: Any) -> None:
    made = await create(api)
    assert "data" in await api.post(WHO, Authorization=f"Bearer {made['key']}")
    revoked = await api.post(REVOKE, {"input": {"id": made["apiKey"]["id"]}})
    assert revoked["data"]["revokeApiKey"]["apiKey"]["revokedAt"]
    await asyncio.sleep(REMEMBERED_SECONDS)
    answer = await api.post(WHO, Authorization=f"Bearer {made['key']}")
    assert "was revoked" in answer["errors"][0]["message"]


async def test_an_expired_key_opens_nothing(api: Any) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=1)
    made = await create(api, expiresAt=soon.isoformat())
    await asyncio.sleep((soon - datetime.now(UTC)).total_seconds() + 0.05)
    answer = await api.post(WHO, Authorization=f"Bearer {made['key']}")
    assert "has expired" in answer["errors"][0]["message"]


async def test_what_is_wrong_with_a_key_is_told_with_its_path(api: Any) -> None:
    for fields, path in (({"name": " "}, "name"), ({"expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt")):
        made = await create(api, **fields)
        assert made["apiKey"] is None
        assert made["key"] is None
        assert made["errors"][0]["path"] == ["input", path]
        assert made["errors"][0]["code"] == "INVALID"


async def test_a_key_cannot_be_revoked_twice_nor_by_itself_nor_by_a_wrong_id(api: Any) -> None:
    made = await create(api)
    target = made["apiKey"]["id"]
    own = encode_id("ApiKey", api.key.api_key.id)
    for key_id, code in ((target, None), (target, "CONFLICT"), (own, "CONFLICT"), (encode_id("Run", "x"), "INVALID")):
        answer = (await api.post(REVOKE, {"input": {"id": key_id}}))["data"]["revokeApiKey"]
        assert [error["code"] for error in answer["errors"]] == ([code] if code else [])


async def test_keys_of_another_workspace_are_not_there(api: Any) -> None:
    foreign = await api.make_key(Role.ADMIN, "elsewhere")
    key_id = encode_id("ApiKey", foreign.api_key.id)
    answer = (await api.post(REVOKE, {"input": {"id": key_id}}))["data"]["revokeApiKey"]
    assert answer["errors"][0]["code"] == "NOT_FOUND"
    assert (await api.post("query ($id: ID!) { node(id: $id) { id } }", {"id": key_id}))["data"] == {"node": None}
    names = (await api.post("{ apiKeys { totalCount nodes { name } } }"))["data"]["apiKeys"]
    assert names == {"totalCount": 1, "nodes": [{"name": "admin"}]}


async def test_pages_of_keys_go_through_all_of_them_once(api: Any) -> None:
    for number in range(6):
        await create(api, name=f"key {number}")
    query = "query ($after: String) { apiKeys(first: 3, after: $after) { nodes { name } edges { cursor } pageInfo { hasNextPage endCursor } } }"
    seen: list[str] = []
    after: str | None = None
    while True:
        page = (await api.post(query, {"after": after}))["data"]["apiKeys"]
        seen += [node["name"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        assert page["edges"][-1]["cursor"] == after
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == [*(f"key {number}" for number in reversed(range(6))), "admin"]


async def test_a_cursor_of_something_else_is_refused_with_its_path(api: Any) -> None:
    for cursor in ("nonsense!", "bm9uc2Vuc2U"):
        error = (await api.post("query ($c: String) { apiKeys(after: $c) { nodes { id } } }", {"c": cursor}))["errors"][
            0
        ]
        assert (error["extensions"]["code"], error["extensions"]["path"]) == ("INVALID", ["after"])


async def test_the_audit_log_tells_who_made_and_revoked_keys(api: Any) -> None:
    made = await create(api)
    await api.post(REVOKE, {"input": {"id": made["apiKey"]["id"]}})
    query = """query ($filter: AuditFilterInput) { auditLog(filter: $filter) {
      nodes { at actor action subject details address } } }"""
    rows = (await api.post(query, {"filter": {"subject": made["apiKey"]["id"]}}))["data"]["auditLog"]["nodes"]
    assert [(row["actor"], row["action"], row["address"]) for row in rows] == [
        ("admin", "apiKey.revoked", "127.0.0.1"),
        ("admin", "apiKey.created", "127.0.0.1"),
    ]
    assert rows[1]["details"] == {"name": "page", "role": "VIEWER"}
    assert await code_for(api, "{ auditLog { nodes { at } } }", made["key"]) in {"FORBIDDEN", "UNAUTHENTICATED"}
