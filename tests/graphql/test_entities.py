"""Entity types and entities through the API."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from asking import ask_anything
from counting import counting

from weft.domain.access import Role, Viewer
from weft.operations.services import Services

SCHEMA = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "year": {"type": "integer"},
        "rating": {"type": "number"},
        "cast": {"type": "object", "properties": {"lead": {"type": "string"}}},
    },
    "required": ["title"],
}

CREATE_TYPE = """mutation ($input: CreateEntityTypeInput!) { createEntityType(input: $input) {
  entityType { id name description schema } errors { code message path hint } } }"""
UPDATE_TYPE = """mutation ($input: UpdateEntityTypeInput!) { updateEntityType(input: $input) {
  entityType { name schema } errors { code message path } } }"""
DELETE_TYPE = """mutation ($input: DeleteEntityTypeInput!) { deleteEntityType(input: $input) {
  deletedId errors { code message path } } }"""
CREATE = """mutation ($input: CreateEntitiesInput!) { createEntities(input: $input) {
  created updated skipped entities { id externalId data version entityType { name } } errors { code message path hint } } }"""
UPDATE = """mutation ($input: UpdateEntityInput!) { updateEntity(input: $input) {
  entity { data version } errors { code message path } } }"""
DELETE = (
    "mutation ($input: DeleteEntitiesInput!) { deleteEntities(input: $input) { deleted errors { code message path } } }"
)
LIST = """query ($type: ID!, $filter: EntityFilterInput, $search: String, $first: Int, $after: String) {
  entities(type: $type, filter: $filter, search: $search, first: $first, after: $after) {
    totalCount nodes { externalId entityType { name } } pageInfo { hasNextPage endCursor } } }"""


@dataclass
class Api:
    services: Services
    viewer: Viewer

    async def post(self, query: str, variables: dict[str, Any], caller: Viewer | None = None) -> dict[str, Any]:
        data, errors = await ask_anything(self.services, caller or self.viewer, query, **variables)
        return {"data": data, "errors": errors}


@pytest.fixture
def api(services: Services, viewer: Viewer) -> Api:
    return Api(services, viewer)


async def answer(api: Api, query: str, given: dict[str, Any], caller: Viewer | None = None) -> dict[str, Any]:
    body = await api.post(query, {"input": given}, caller)
    assert body["errors"] == []
    (payload,) = body["data"].values()
    return payload


@pytest.fixture
async def type_id(api: Api) -> str:
    payload = await answer(api, CREATE_TYPE, {"name": "movie", "description": "A film.", "schema": SCHEMA})
    assert payload["errors"] == []
    assert payload["entityType"]["schema"] == SCHEMA
    return payload["entityType"]["id"]


async def create(api: Api, type_id: str, *rows: Any, **others: Any) -> dict[str, Any]:
    entities = [{"externalId": key, "data": data} for key, data in rows]
    return await answer(api, CREATE, {"entityTypeId": type_id, "entities": entities} | others)


async def listed(api: Api, type_id: str, **arguments: Any) -> list[str]:
    body = await api.post(LIST, {"type": type_id} | arguments)
    return [node["externalId"] for node in body["data"]["entities"]["nodes"]]


async def test_a_schema_must_be_one_of_objects(api: Api) -> None:
    for schema, path in (
        ({"type": "array"}, ["input", "schema", "type"]),
        ({"type": "object", "properties": {"a": {"type": "nothing"}}}, ["input", "schema", "properties", "a", "type"]),
        ("text", ["input", "schema"]),
    ):
        payload = await answer(api, CREATE_TYPE, {"name": "bad", "schema": schema})
        assert payload["entityType"] is None
        assert [(error["code"], error["path"]) for error in payload["errors"]] == [("INVALID_SCHEMA", path)]


async def test_names_of_types_are_unique(api: Api, type_id: str) -> None:
    payload = await answer(api, CREATE_TYPE, {"name": " movie ", "schema": SCHEMA})
    assert [(error["code"], error["path"]) for error in payload["errors"]] == [("CONFLICT", ["input", "name"])]
    other = (await answer(api, CREATE_TYPE, {"name": "other", "schema": SCHEMA}))["entityType"]["id"]
    payload = await answer(api, UPDATE_TYPE, {"id": other, "name": "movie"})
    assert payload["errors"][0]["code"] == "CONFLICT"
    assert (await answer(api, UPDATE_TYPE, {"id": type_id, "name": "film"}))["entityType"]["name"] == "film"


async def test_a_new_schema_holds_for_what_is_stored_from_then_on(api: Api, type_id: str) -> None:
    await create(api, type_id, ("a", {"title": "A"}))
    stricter = SCHEMA | {"required": ["title", "year"]}
    assert (await answer(api, UPDATE_TYPE, {"id": type_id, "schema": stricter}))["entityType"]["schema"] == stricter
    assert await listed(api, type_id) == ["a"]
    payload = await create(api, type_id, ("b", {"title": "B"}))
    assert payload["errors"][0]["path"] == ["input", "entities", "0", "data", "year"]


async def test_a_type_is_deleted_only_when_nothing_needs_it(api: Api, type_id: str) -> None:
    await create(api, type_id, ("a", {"title": "A"}))
    payload = await answer(api, DELETE_TYPE, {"id": type_id})
    assert [(error["code"], error["path"]) for error in payload["errors"]] == [("CONFLICT", ["input", "id"])]
    await answer(api, DELETE, {"entityTypeId": type_id, "entities": {"all": True}})
    assert (await answer(api, DELETE_TYPE, {"id": type_id}))["deletedId"] == type_id
    assert (await answer(api, DELETE_TYPE, {"id": type_id}))["errors"][0]["code"] == "NOT_FOUND"


async def test_good_rows_are_stored_and_bad_ones_reported_with_their_paths(api: Api, type_id: str) -> None:
    payload = await create(
        api,
        type_id,
        ("a", {"title": "A", "rating": 7}),
        ("b", {"title": "B", "year": "soon"}),
        ("a", {"title": "A again"}),
        ("d", [1]),
        (None, {"title": "nameless"}),
        ("f", {"title": "nul \0"}),
        ("g", {"title": "G", "year": 10**30}),
    )
    assert (payload["created"], payload["updated"], payload["skipped"]) == (2, 0, 0)
    assert [entity["externalId"] for entity in payload["entities"]] == ["a", None]
    assert payload["entities"][0]["data"] == {"title": "A", "rating": 7.0}
    paths = [error["path"] for error in payload["errors"]]
    assert paths[:3] == [
        ["input", "entities", "1", "data", "year"],
        ["input", "entities", "2", "externalId"],
        ["input", "entities", "3", "data"],
    ]
    assert [path[2] for path in paths[3:]] == ["5", "6"]


async def test_atomic_stores_all_or_none(api: Api, type_id: str) -> None:
    payload = await create(api, type_id, ("a", {"title": "A"}), ("b", {}), atomic=True)
    assert payload["entities"] is None
    assert [error["path"] for error in payload["errors"]] == [["input", "entities", "1", "data", "title"]]
    assert await listed(api, type_id) == []
    await create(api, type_id, ("a", {"title": "A"}))
    payload = await create(api, type_id, ("b", {"title": "B"}), ("a", {"title": "A"}), atomic=True)
    assert [(error["code"], error["path"][2]) for error in payload["errors"]] == [("CONFLICT", "1")]
    assert await listed(api, type_id) == ["a"]


async def test_an_external_id_that_exists_is_updated_skipped_or_refused(api: Api, type_id: str) -> None:
    await create(api, type_id, ("a", {"title": "A"}))
    refused = await create(api, type_id, ("a", {"title": "B"}))
    assert [(error["code"], error["path"]) for error in refused["errors"]] == [
        ("CONFLICT", ["input", "entities", "0", "externalId"])
    ]
    skipped = await create(api, type_id, ("a", {"title": "B"}), onConflict="SKIP")
    assert (skipped["skipped"], skipped["entities"][0]["data"]) == (1, {"title": "A"})
    updated = await create(api, type_id, ("a", {"title": "B"}), onConflict="UPDATE")
    assert (updated["updated"], updated["entities"][0]["data"], updated["entities"][0]["version"]) == (
        1,
        {"title": "B"},
        2,
    )


async def test_more_than_a_hundred_rows_are_sent_to_an_import(api: Api, type_id: str) -> None:
    payload = await create(api, type_id, *((str(number), {"title": "A"}) for number in range(101)))
    assert (payload["errors"][0]["code"], payload["errors"][0]["path"]) == ("LIMIT_EXCEEDED", ["input", "entities"])
    assert "createImport" in payload["errors"][0]["hint"]


async def test_an_update_merges_or_replaces_and_raises_the_version(api: Api, type_id: str) -> None:
    made = (await create(api, type_id, ("a", {"title": "A", "year": 1999, "cast": {"lead": "X"}})))["entities"][0]["id"]
    payload = await answer(api, UPDATE, {"id": made, "data": {"rating": 5, "year": None, "cast": {"second": "Y"}}})
    merged = {"title": "A", "rating": 5.0, "cast": {"lead": "X", "second": "Y"}}
    assert payload["entity"] == {"data": merged, "version": 2}
    assert (await answer(api, UPDATE, {"id": made, "data": {"rating": 5}}))["entity"]["version"] == 2
    payload = await answer(api, UPDATE, {"id": made, "data": {"title": "B"}, "replace": True, "expectedVersion": 2})
    assert payload["entity"] == {"data": {"title": "B"}, "version": 3}
    stale = await answer(api, UPDATE, {"id": made, "data": {}, "expectedVersion": 2})
    assert [(error["code"], error["path"]) for error in stale["errors"]] == [("CONFLICT", ["input", "expectedVersion"])]
    wrong = await answer(api, UPDATE, {"id": made, "data": {"title": None}})
    assert [error["path"] for error in wrong["errors"]] == [["input", "data", "title"]]


async def test_lists_are_paged_filtered_searched_and_counted(api: Api, type_id: str) -> None:
    await create(
        api, type_id, *((f"m{number}", {"title": f"Film {number}", "year": 1990 + number}) for number in range(5))
    )
    body = await api.post(LIST, {"type": type_id, "first": 3})
    page = body["data"]["entities"]
    assert (page["totalCount"], len(page["nodes"]), page["pageInfo"]["hasNextPage"]) == (5, 3, True)
    assert await listed(api, type_id, first=3, after=page["pageInfo"]["endCursor"]) == ["m3", "m4"]
    parts = f'{{ entities(type: "{type_id}") {{ ... on EntityConnection {{ ...Counted }} }} }}'
    body = await api.post(f"{parts} fragment Counted on EntityConnection {{ totalCount }}", {})
    assert body["data"] == {"entities": {"totalCount": 5}}
    recent = {"where": [{"field": "year", "op": "GTE", "value": 1993}]}
    assert await listed(api, type_id, filter=recent) == ["m3", "m4"]
    assert await listed(api, type_id, search="film 2") == ["m2"]
    assert await listed(api, type_id, filter={"externalIds": ["m1"], "published": False}) == ["m1"]


async def test_a_filter_on_an_unknown_field_or_with_a_wrong_value_says_so(api: Api, type_id: str) -> None:
    for condition, path, hint in (
        ({"field": "cast.led", "op": "EQ", "value": 1}, "field", 'Did you mean "lead"?'),
        ({"field": "year", "op": "IN", "value": 1}, "value", None),
        ({"field": "year", "op": "GT", "value": True}, "value", None),
        ({"field": "title", "op": "EQ", "value": "\0"}, "value", None),
    ):
        body = await api.post(LIST, {"type": type_id, "filter": {"where": [condition]}})
        extensions = body["errors"][0]["extensions"]
        assert extensions["path"] == ["filter", "where", "0", path]
        assert extensions.get("hint") == hint


async def test_entities_are_deleted_by_ids_filter_or_all(api: Api, type_id: str) -> None:
    made = await create(api, type_id, *((f"m{number}", {"title": "A", "year": number}) for number in range(5)))
    first = made["entities"][0]["id"]
    assert (await answer(api, DELETE, {"entities": {"ids": [first, first]}}))["deleted"] == 1
    low = {"filter": {"where": [{"field": "year", "op": "LT", "value": 3}]}}
    assert (await answer(api, DELETE, {"entities": low}))["errors"][0]["path"] == ["input", "entityTypeId"]
    assert (await answer(api, DELETE, {"entities": low, "entityTypeId": type_id}))["deleted"] == 2
    assert (await answer(api, DELETE, {"entities": {"all": True}, "entityTypeId": type_id}))["deleted"] == 2
    empty = await answer(api, DELETE, {"entities": {"ids": []}})
    assert empty["deleted"] == 0


async def test_another_workspace_sees_changes_and_deletes_nothing(api: Api, type_id: str, stranger: Viewer) -> None:
    made = (await create(api, type_id, ("a", {"title": "A"})))["entities"][0]["id"]
    for id_ in (type_id, made):
        body = await api.post("query ($id: ID!) { node(id: $id) { id } }", {"id": id_}, stranger)
        assert body["data"] == {"node": None}
    body = await api.post(
        "query ($id: ID!) { entity(id: $id) { id } entityTypes { totalCount } }", {"id": made}, stranger
    )
    assert body["data"] == {"entity": None, "entityTypes": {"totalCount": 0}}
    body = await api.post(LIST, {"type": type_id}, stranger)
    assert body["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    rows = {"entityTypeId": type_id, "entities": [{"data": {"title": "X"}}]}
    assert (await answer(api, CREATE, rows, stranger))["errors"][0]["code"] == "NOT_FOUND"
    assert (await answer(api, UPDATE, {"id": made, "data": {}}, stranger))["errors"][0]["code"] == "NOT_FOUND"
    assert (await answer(api, UPDATE_TYPE, {"id": type_id, "name": "x"}, stranger))["errors"][0]["code"] == "NOT_FOUND"
    assert (await answer(api, DELETE_TYPE, {"id": type_id}, stranger))["errors"][0]["code"] == "NOT_FOUND"
    assert (await answer(api, DELETE, {"entities": {"ids": [made]}}, stranger))["deleted"] == 0
    assert await listed(api, type_id) == ["a"]


async def test_viewers_read_and_do_not_change(api: Api, type_id: str) -> None:
    reader = replace(api.viewer, role=Role.RUNNER)
    body = await api.post(LIST, {"type": type_id}, reader)
    assert body["data"]["entities"]["totalCount"] == 0
    refused: list[tuple[str, dict[str, Any]]] = [
        (CREATE_TYPE, {"name": "x", "schema": SCHEMA}),
        (UPDATE_TYPE, {"id": type_id}),
        (DELETE_TYPE, {"id": type_id}),
        (CREATE, {"entityTypeId": type_id, "entities": []}),
        (DELETE, {"entities": {"all": True}, "entityTypeId": type_id}),
    ]
    for query, given in refused:
        body = await api.post(query, {"input": given}, reader)
        assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_the_number_of_statements_does_not_grow_with_the_rows(api: Api, type_id: str) -> None:
    await create(api, type_id, *((str(number), {"title": "A"}) for number in range(30)))
    counts: list[int] = []
    for first in (1, 30):
        statements: list[str] = []
        with counting(statements):
            await api.post(LIST, {"type": type_id, "first": first})
        counts.append(len(statements))
    assert counts[0] == counts[1]
