"""GraphQL over HTTP: media types, status codes, and the id of the request in every answer."""

import json
from typing import Any

import pytest

from weft.graphql.nodes import encode_id

WHO = "{ viewer { role } }"
JSON = "application/json"
RESPONSE = "application/graphql-response+json"
REQUEST_ERRORS = {
    "{": "GRAPHQL_PARSE_FAILED",
    "{ nothing }": "GRAPHQL_VALIDATION_FAILED",
    "query ($id: ID!) { node(id: $id) { id } }": "GRAPHQL_VALIDATION_FAILED",
    "query A { viewer { role } } query B { viewer { role } }": "BAD_REQUEST",
    "{ a" * 20: "GRAPHQL_PARSE_FAILED",
    "{ " + " ".join(f"a{n}: viewer {{ role }}" for n in range(31)) + " }": "QUERY_TOO_LARGE",
    'subscription { runProgress(runId: "x") { total } }': "BAD_REQUEST",
}


async def sent(api: Any, method: str = "POST", **given: Any) -> tuple[Any, Any]:
    """The response and what it says; with the key, unless other headers are given."""
    headers = {"Authorization": f"Bearer {api.key.text}"} | given.pop("headers", {})
    async with api.session.request(method, api.url, headers=headers, **given) as response:
        return response, json.loads(await response.read() or b"null")


@pytest.mark.parametrize("accept", [JSON, RESPONSE])
async def test_what_is_carried_out_is_answered_with_200(api: Any, accept: str) -> None:
    for query in (
        WHO,
        f'{{ node(id: "{encode_id("Run", api.key.api_key.id)}") {{ id }} }}',
        '{ node(id: "x") { id } }',
    ):
        response, answer = await sent(api, json={"query": query}, headers={"Accept": accept})
        assert (response.status, response.headers["Content-Type"]) == (200, f"{accept}; charset=utf-8"), query
        assert "data" in answer


async def test_what_is_not_carried_out_is_told_by_the_status_where_clients_expect_that(api: Any) -> None:
    for query, code in REQUEST_ERRORS.items():
        for accept, status in ((JSON, 200), (RESPONSE, 400)):
            response, answer = await sent(api, json={"query": query}, headers={"Accept": accept})
            assert (response.status, response.content_type) == (status, accept), query
            assert answer["errors"][0]["extensions"]["code"] == code
            assert "data" not in answer


async def test_an_operation_without_a_good_key_is_told_by_the_status_as_well(api: Any) -> None:
    for key in ("Bearer weft_wrong", ""):
        for accept, status in ((JSON, 200), (RESPONSE, 401)):
            response, answer = await sent(api, json={"query": WHO}, headers={"Accept": accept, "Authorization": key})
            assert response.status == status
            assert ("data" in answer) is (accept == JSON)
            assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
            assert (response.headers.get("WWW-Authenticate") == "Bearer") is (status == 401)


async def test_who_takes_nothing_that_is_served_is_told_what_is(api: Any) -> None:
    response, answer = await sent(api, json={"query": WHO}, headers={"Accept": "image/png"})
    assert response.status == 406
    assert RESPONSE in answer["errors"][0]["message"]


async def test_a_request_has_to_be_json_in_utf_8(api: Any) -> None:
    body = json.dumps({"query": '{ __type(name: "Läufer 🏃") { name } }'}, ensure_ascii=False)
    types = {JSON: 200, f"{JSON};charset=UTF-8": 200, f'{JSON}; charset="utf-8"': 200, "": 415, "text/json": 415}
    types |= {f"{JSON}; charset=utf-8; more=1": 200, f"{JSON}; more=1; charset=utf-16": 415}
    for content_type, status in types.items():
        response, _ = await sent(api, data=body.encode(), headers={"Content-Type": content_type})
        assert response.status == status, content_type
    response, _ = await sent(api, data=body.encode("utf-16"), headers={"Content-Type": f"{JSON}; charset=utf-16"})
    assert response.status == 415


async def test_what_a_client_takes_may_be_said_in_several_headers(api: Any) -> None:
    headers = [
        ("Authorization", f"Bearer {api.key.text}"),
        ("Accept", "text/event-stream"),
        ("Accept", f"{JSON};q=0.5"),
        ("Accept", RESPONSE),
    ]
    async with api.session.post(api.url, json={"query": WHO}, headers=headers) as response:
        assert (response.status, response.content_type) == (200, RESPONSE)


async def test_who_takes_streams_alone_sees_by_the_status_that_none_comes(api: Any) -> None:
    headers = {"Accept": "text/event-stream"}
    asked: list[tuple[str, dict[str, Any]]] = [
        ("POST", {"json": {"documentId": "x"}}),
        ("GET", {"params": {"id": "x"}}),
    ]
    for method, given in asked:
        response, answer = await sent(api, method, headers=headers, **given)
        assert response.status == 400
        assert answer["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_SUPPORTED"


async def test_a_browser_that_names_a_document_is_answered_and_not_shown_the_page(api: Any) -> None:
    for name in ("id", "documentId"):
        response, _ = await sent(api, "GET", params={name: "x"}, headers={"Accept": "text/html,*/*;q=0.8"})
        assert response.content_type == JSON


async def test_a_list_of_operations_is_refused_with_what_to_do(api: Any) -> None:
    response, answer = await sent(api, json=[{"query": WHO}, {"query": WHO}])
    assert response.status == 400
    assert "One operation in a request" in answer["errors"][0]["message"]


async def test_other_methods_are_told_which_are_served(api: Any) -> None:
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"):
        response, _ = await sent(api, method, json={"query": WHO})
        assert (response.status, response.headers["Allow"]) == (405, "GET, POST"), method


async def test_get_takes_a_query_with_variables_and_nothing_else(api: Any) -> None:
    query = "query Other { __typename } query One($name: String!) { __type(name: $name) { name } }"
    parameters = {"query": query, "operationName": "One", "variables": '{"name": "Run"}', "extensions": ""}
    response, answer = await sent(api, "GET", params=parameters)
    assert (response.status, answer["data"]) == (200, {"__type": {"name": "Run"}})
    assert response.headers["Cache-Control"] == "no-store"
    for wrong in ({"variables": "{"}, {"variables": "[]"}, {"extensions": "5"}, {"query": ""}):
        response, answer = await sent(api, "GET", params=parameters | wrong)
        assert (response.status, answer["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST"), wrong


async def test_queries_and_mutations_tell_what_they_cost_and_the_limit(api: Any) -> None:
    answer = await api.post("{ workflows(first: 50) { nodes { id } } }")
    assert answer["extensions"]["cost"] == {"requested": 51, "limit": 20_000}
    mutation = 'mutation { revokeApiKey(input: {id: "x"}) { errors { code } } }'
    assert (await api.post(mutation))["extensions"]["cost"]["requested"] == 21
    pages = "{ workflows(first: 100) { nodes { runs(first: 100) { nodes { items(first: 100) { nodes { id } } } } } } }"
    refused = await api.post(pages)
    cost = refused["extensions"]["cost"]
    assert cost["requested"] > cost["limit"] == 20_000
    assert refused["errors"][0]["extensions"]["cost"] == cost


async def test_every_answer_names_its_request_whatever_went_wrong(api: Any) -> None:
    mine = {"X-Request-ID": "mine-7"}
    paths: list[tuple[str, str, dict[str, Any], int]] = [
        ("POST", "/graphql", {"json": {"query": "{"}}, 200),
        ("POST", "/graphql", {"data": b"{"}, 415),
        ("POST", "/graphql", {"data": b"{", "headers": {"Content-Type": JSON}}, 400),
        ("POST", "/graphql", {"data": b" " * 200_000, "headers": {"Content-Type": JSON}}, 413),
        ("PUT", "/graphql", {}, 405),
        ("POST", "/graphql", {"json": {"query": WHO}, "headers": {"Accept": "image/png"}}, 406),
        ("GET", "/nothing/here", {}, 404),
        ("POST", "/healthz", {}, 405),
        ("PUT", "/files/imports/01a20000-0000-7000-8000-000000000000/x", {"data": b""}, 404),
    ]
    for method, path, given, status in paths:
        given["headers"] = given.get("headers", {}) | mine
        async with api.session.request(method, f"{api.origin}{path}", **given) as response:
            assert response.status == status, path
            assert response.headers["X-Request-ID"] == "mine-7", path
            error = (await response.json())["errors"][0]
        if not path.startswith("/files"):
            assert error.get("extensions", error)["requestId"] == "mine-7", path


async def test_a_websocket_is_named_by_its_request_as_well(api: Any) -> None:
    url = api.url.replace("http", "ws")
    headers = {"X-Request-ID": "mine-8", "Authorization": f"Bearer {api.key.text}"}
    async with api.session.ws_connect(url, protocols=("graphql-transport-ws",), headers=headers) as socket:
        await socket.send_json({"type": "connection_init"})
        assert (await socket.receive_json())["type"] == "connection_ack"
        for number, payload in enumerate(({"query": "{"}, {"documentId": "x"}, {"query": '{ node(id: "x") { id } }'})):
            await socket.send_json({"id": str(number), "type": "subscribe", "payload": payload})
            message = await socket.receive_json()
            errors = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
            assert errors[0]["extensions"]["requestId"] == "mine-8"
