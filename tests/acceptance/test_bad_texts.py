"""Values that no database, no JSON and no screen is glad about: refused with a path, or stored and shown as they are."""

import json
from typing import Any

import pytest
from acceptance.bad_input import CREATE_ENTITIES, CREATE_TYPE, CREATE_WORKFLOW, RUN, Caller

from weft.domain.ids import new_id

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(60)]

ECHO = {"steps": [{"id": "say", "type": "echo"}]}
ANYTHING = {"type": "object"}
READ = "query ($type: ID!) { entities(type: $type, first: 100) { nodes { data externalId } } }"


@pytest.fixture(scope="module")
async def type_id(caller_of_module: Caller) -> str:
    return await caller_of_module.made(CREATE_TYPE, name=f"anything {new_id()}", schema=ANYTHING)


@pytest.fixture(scope="module")
def caller_of_module(system: Any) -> Caller:
    return Caller(system, system.key)


def _codes(answer: dict[str, Any]) -> set[str]:
    """Of the answer's errors, top-level ones and those of payloads."""
    found = {error["extensions"]["code"] for error in answer.get("errors", ())}
    payloads: dict[str, Any] = answer.get("data") or {}
    for payload in filter(None, payloads.values()):
        found |= {error["code"] for error in payload.get("errors", ())}
    return found


NAMES = {
    "NUL": "a\x00b", "empty": "", "blank": " \t\n ", "long": "x" * 100_000, "half a pair": "a\ud800b",
}  # fmt: skip


@pytest.mark.parametrize("kind", NAMES)
async def test_a_name_that_is_none_is_refused_wherever_names_are_given(caller: Caller, type_id: str, kind: str) -> None:
    name = NAMES[kind]
    workflow = await caller.made(CREATE_WORKFLOW, input={"name": "good", "definition": ECHO})
    types: dict[str, Any] = {"name": name, "schema": ANYTHING}
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("createEntityType", "CreateEntityTypeInput", types),
        ("updateEntityType", "UpdateEntityTypeInput", {"id": type_id, "name": name}),
        ("createWorkflow", "CreateWorkflowInput", {"name": name, "definition": ECHO}),
        ("updateWorkflow", "UpdateWorkflowInput", {"id": workflow, "name": name}),
        ("saveAsTemplate", "SaveAsTemplateInput", {"workflowId": workflow, "category": "x", "name": name}),
        ("createApiKey", "CreateApiKeyInput", {"name": name, "role": "VIEWER"}),
    ]
    for mutation, input_type, given in requests:
        document = (
            f"mutation ($input: {input_type}!) {{ {mutation}(input: $input) {{ errors {{ code message path }} }} }}"
        )
        answer = await caller.answer(document, input=given)
        assert _codes(answer), (mutation, answer)
        assert _codes(answer) <= {"INVALID", "LIMIT_EXCEEDED", "BAD_REQUEST"}, (mutation, answer)


@pytest.mark.parametrize("text", ["a\x00b", "x" * 10_000, "'; DROP TABLE entity; --", "%_\\", "a\ud800b"], ids=repr)
async def test_odd_texts_in_filters_and_searches_are_refused_or_find_nothing(
    caller: Caller, type_id: str, text: str
) -> None:
    text = text[:200] if text.startswith("x") else text
    documents = [
        "query ($x: String!) { entityTypes(search: $x) { nodes { id } } }",
        "query ($x: String!) { workflows(filter: {search: $x}) { nodes { id } } }",
        "query ($x: String!) { workflows(filter: {category: $x}) { nodes { id } } }",
        "query ($x: String!) { templates(category: $x) { nodes { id } } }",
        "query ($x: String!) { auditLog(filter: {actor: $x}) { nodes { action } } }",
        "query ($x: String!) { auditLog(filter: {action: $x}) { nodes { action } } }",
        f'query ($x: String!) {{ entities(type: "{type_id}", search: $x) {{ nodes {{ id }} }} }}',
        f'query ($x: String!) {{ entities(type: "{type_id}", filter: {{externalIds: [$x]}}) {{ nodes {{ id }} }} }}',
        f'query ($x: String!) {{ entities(type: "{type_id}", filter: {{where: [{{field: $x, op: EQ, value: 1}}]}}) {{ nodes {{ id }} }} }}',
        f'query ($x: JSON!) {{ entities(type: "{type_id}", filter: {{where: [{{field: "a", op: EQ, value: $x}}]}}) {{ nodes {{ id }} }} }}',
        f'query ($x: JSON!) {{ entities(type: "{type_id}", filter: {{where: [{{field: "a", op: CONTAINS, value: $x}}]}}) {{ nodes {{ id }} }} }}',
    ]
    for document in documents:
        answer = await caller.answer(document, x=text)
        assert _codes(answer) <= {"INVALID", "LIMIT_EXCEEDED", "BAD_REQUEST"}, (document, answer)


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


DATA: dict[str, Any] = {
    "a NUL": {"a": "x\x00"},
    "a NUL in a name": {"x\x00": 1},
    "half a pair": {"a": "\ud800"},
    "half a pair in a name": {"\udfff": 1},
    "a deep value": _nested(230),
    "a deeper value": _nested(900),
    "a list": [1],
    "null": None,
    "a large record": {"a": "x" * 1_500_000},
}


@pytest.mark.parametrize("kind", DATA)
async def test_data_that_cannot_be_stored_is_refused_and_nothing_of_it_is_stored(
    caller: Caller, type_id: str, kind: str
) -> None:
    data = DATA[kind]
    rows = [{"data": data, "externalId": f"bad {kind}"}]
    answer = await caller.answer(CREATE_ENTITIES, input={"entityTypeId": type_id, "entities": rows})
    codes = _codes(answer)
    assert codes <= {"INVALID", "LIMIT_EXCEEDED", "TYPE_MISMATCH", "BAD_REQUEST", "GRAPHQL_VALIDATION_FAILED"}, answer
    if kind != "a deep value":
        assert codes, answer
        nodes = (await caller.data(READ, type=type_id))["entities"]["nodes"]
        assert f"bad {kind}" not in {node["externalId"] for node in nodes}


NUMBERS = [
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "1" * 300,
    "1e308",
    "1e-400",
    "-0.0",
    "0.1",
]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda text: text[:20])
async def test_a_number_is_kept_or_refused_and_never_a_fault(caller: Caller, type_id: str, number: str) -> None:
    body = json.dumps({"query": CREATE_ENTITIES, "variables": {"input": {"entityTypeId": type_id, "entities": []}}})
    body = body.replace(
        '"entities": []', f'"entities": [{{"data": {{"n": {number}}}, "externalId": "n{number[:20]}"}}]'
    )
    _, answer = await caller.post(body.encode())
    assert _codes(answer) <= {"INVALID", "BAD_REQUEST", "CONFLICT"}, answer
    await caller.data(READ, type=type_id)


async def test_a_number_beyond_every_float_is_refused(caller: Caller) -> None:
    _, answer = await caller.post(b'{"query": "query ($x: JSON) { viewer { role } }", "variables": {"x": 1e400}}')
    assert _codes(answer) == {"BAD_REQUEST"}


async def test_integers_beyond_their_bounds_are_refused(caller: Caller) -> None:
    workflow = await caller.made(CREATE_WORKFLOW, input={"name": "numbers", "definition": ECHO})
    for field, value in (
        ("priority", 101), ("priority", -101), ("priority", 2**31), ("priority", 2**63), ("priority", 1.5),
        ("concurrency", 0), ("concurrency", -1), ("concurrency", 2**31 - 1), ("concurrency", 2**70),
        ("wait", "PT1H"), ("wait", "-PT1S"), ("wait", "P99999999999D"), ("wait", "P1M"), ("wait", "PT"), ("wait", 1),
        ("wait", "P99999999D"), ("wait", "PT999999999999S"),
    ):  # fmt: skip
        answer = await caller.answer(RUN, input={"workflowId": workflow, "input": {}, field: value})
        assert _codes(answer)
        assert _codes(answer) <= {"INVALID", "GRAPHQL_VALIDATION_FAILED"}, (field, value, answer)


async def test_times_beyond_the_calendar_are_refused_or_find_nothing(caller: Caller) -> None:
    for time in (
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "2026-13-01T00:00:00Z",
        "now",
        "0001-01-01T00:00:00Z",
        "2026-01-01",
    ):
        for field in ("createdAfter", "createdBefore"):
            answer = await caller.answer(
                f"query ($t: DateTime!) {{ runs(filter: {{{field}: $t}}) {{ nodes {{ id }} }} }}", t=time
            )
            assert _codes(answer) <= {"INVALID", "GRAPHQL_VALIDATION_FAILED"}, (time, answer)
    answer = await caller.answer(
        'mutation ($t: DateTime!) { createApiKey(input: {name: "t", role: VIEWER, expiresAt: $t}) { errors { code } } }',
        t="0001-01-01T00:00:00+23:59",
    )
    assert _codes(answer) <= {"INVALID", "GRAPHQL_VALIDATION_FAILED"}
    assert _codes(answer)


@pytest.mark.parametrize("kind", ["a\x00b", "\ud800", "x" * 201, ""], ids=repr)
async def test_an_idempotency_key_that_is_none_is_refused(caller: Caller, type_id: str, kind: str) -> None:
    workflow = await caller.made(CREATE_WORKFLOW, input={"name": "keys", "definition": ECHO})
    answer = await caller.answer(RUN, input={"workflowId": workflow, "input": {}, "idempotencyKey": kind})
    assert _codes(answer)
    assert _codes(answer) <= {"INVALID", "BAD_REQUEST", "LIMIT_EXCEEDED"}, answer
    document = "mutation ($t: ID!, $k: String!) { createImport(input: {entityTypeId: $t, format: CSV, idempotencyKey: $k}) { errors { code } } }"
    answer = await caller.answer(document, t=type_id, k=kind)
    assert _codes(answer)
    assert _codes(answer) <= {"INVALID", "BAD_REQUEST", "LIMIT_EXCEEDED"}, answer
    document = "mutation ($t: ID!, $k: String!) { createImport(input: {entityTypeId: $t, format: CSV, externalIdField: $k}) { errors { code } } }"
    answer = await caller.answer(document, t=type_id, k=kind)
    assert _codes(answer) <= {"INVALID", "BAD_REQUEST", "LIMIT_EXCEEDED"}, answer


SCHEMAS: dict[str, Any] = {
    "a text": "object", "a number": 1, "an unknown type": {"type": "objekt"}, "a remote reference": {"$ref": "http://127.0.0.1:1/x"},
    "a file": {"$ref": "file:///etc/passwd"}, "itself": {"$ref": "#"}, "a bad pattern": {"properties": {"a": {"pattern": "("}}},
    "a look-around": {"properties": {"a": {"pattern": "(?=a)b"}}}, "a huge pattern": {"properties": {"a": {"pattern": "(a{1000}){1000}"}}},
    "an unknown draft": {"$schema": "http://example.com/draft"}, "a NUL": {"title": "a\x00"}, "a NUL in a name": {"properties": {"a\x00": {}}},
    "deep": _nested(240), "many": {"properties": {f"p{n}": {"enum": list(range(50))} for n in range(5_000)}},
    "a list": {"type": "array"},
}  # fmt: skip


@pytest.mark.parametrize("kind", SCHEMAS)
async def test_a_schema_that_is_none_is_refused_or_harmless(caller: Caller, kind: str) -> None:
    answer = await caller.answer(CREATE_TYPE, name=f"odd {kind}", schema=SCHEMAS[kind])
    assert _codes(answer) <= {"INVALID", "INVALID_SCHEMA", "LIMIT_EXCEEDED"}, answer
    if answer["data"]["createEntityType"]["entityType"] is not None:
        type_id = answer["data"]["createEntityType"]["entityType"]["id"]
        rows: list[Any] = [{"data": {"a": "a" * 1_000, "b": {}}}, {"data": {}}]
        await caller.data(CREATE_ENTITIES, input={"entityTypeId": type_id, "entities": rows})
    elif kind not in {"a NUL", "a NUL in a name"}:
        assert _codes(answer)


async def test_odd_texts_in_the_arguments_of_a_run_find_nothing(caller: Caller) -> None:
    workflow = await caller.made(CREATE_WORKFLOW, input={"name": "arguments", "definition": ECHO})
    made = await caller.payload(RUN, input={"workflowId": workflow, "input": {}, "wait": "PT10S"})
    for document in (
        'query ($id: ID!) { run(id: $id) { logs(stepId: "a\\u0000b") { nodes { message } } } }',
        'query ($id: ID!) { run(id: $id) { items(entityId: "x") { nodes { id } } } }',
        "query ($id: ID!) { run(id: $id) { items(status: []) { nodes { id } } } }",
        "query ($id: ID!) { run(id: $id) { failures(first: 1000000) { message } } }",
        "query ($id: ID!) { run(id: $id) { failures(first: -1) { message } } }",
    ):
        answer = await caller.answer(document, id=made["run"]["id"])
        assert _codes(answer) <= {"INVALID", "LIMIT_EXCEEDED", "QUERY_TOO_LARGE"}, (document, answer)


async def test_a_duplicate_name_of_an_entity_type_is_a_conflict(caller: Caller) -> None:
    name = f"twice {new_id()}"
    await caller.made(CREATE_TYPE, name=name, schema=ANYTHING)
    answer = await caller.payload(CREATE_TYPE, name=name, schema=ANYTHING)
    assert [(e["code"], e["path"]) for e in answer["errors"]] == [("CONFLICT", ["input", "name"])]


@pytest.mark.parametrize(
    "value", ["a\x00b", "\ud800", _nested(240), "x" * 1_000_000], ids=["NUL", "half", "deep", "long"]
)
@pytest.mark.parametrize("where", ["input", "parameters"])
async def test_odd_values_given_to_a_run_are_refused_or_end_with_a_named_result(
    caller: Caller, where: str, value: Any
) -> None:
    steps = [
        {"id": "say", "type": "transform", "config": {"fields": {"x": "params" if where == "parameters" else "input"}}}
    ]
    workflow = await caller.made(CREATE_WORKFLOW, input={"name": "odd values", "definition": {"steps": steps}})
    wanted = {"workflowId": workflow, "input": {}, "wait": "PT10S", where: {"x": value}}
    answer = await caller.answer(RUN, input=wanted)
    assert _codes(answer) <= {"INVALID", "BAD_REQUEST", "LIMIT_EXCEEDED", "GRAPHQL_VALIDATION_FAILED"}, answer
    if not _codes(answer):
        run = answer["data"]["runWorkflow"]["run"]
        assert run["status"] in {"COMPLETED", "FAILED"}, run
        if run["status"] == "FAILED":
            assert run["items"]["nodes"][0]["error"]["message"]
        again = await caller.answer(
            "query ($id: ID!) { run(id: $id) { failures { code message } input parameters items { nodes { steps { input output } } } } }",
            id=run["id"],
        )
        assert "errors" not in again, again
