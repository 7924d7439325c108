"""Two workspaces: with the ids of the other one, no query, mutation, subscription or link shows or changes anything."""

import asyncio
from typing import Any

import pytest
from acceptance.bad_input import CREATE_ENTITIES, CREATE_TYPE, CREATE_WORKFLOW, RUN, Caller, another_workspace, close_of
from acceptance.system import System
from architecture.rights import QUERIES
from sqlalchemy import text

from weft.domain.ids import new_id

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(60)]

SECRET = "the secret of the first workspace"
TABLES = (
    "entity_type", "entity", "entity_import", "workflow", "workflow_version", "template", "run", "run_state", "api_key",
    "upload", "datastore", "model_provider", "integration",
)  # fmt: skip
MORE = {
    "import": "mutation ($id: ID!) { createImport(input: {entityTypeId: $id, format: JSONL}) { import { id } errors { message } } }",
    "template": """mutation ($id: ID!) { saveAsTemplate(input: {workflowId: $id, category: "x", name: "own"}) {
      template { id } errors { message } } }""",
    "upload": 'mutation { createUpload(input: {name: "theirs.txt"}) { upload { id } errors { message } } }',
    "datastore": """mutation ($secret: String!) { createDatastore(input: {name: $secret, address: {postgresql: {
      host: "db.example.com", database: "d", user: "u", password: $secret}}}) { datastore { id } errors { message } } }""",
    "modelProvider": """mutation ($secret: String!) { createModelProvider(input: {name: $secret, kind: OPENAI_COMPATIBLE,
      baseUrl: "https://models.example.com/v1", apiKey: "sk-the-secret-of-the-first"}) { modelProvider { id } errors { message } } }""",
    "integration": """mutation ($secret: String!) { createIntegration(input: {name: $secret, config: {webhook: {
      url: "https://hooks.example.com/x"}}}) { integration { id } errors { message } } }""",
}
SCHEMA = {"type": "object", "properties": {"title": {"type": "string"}}}
DEFINITION = {"steps": [{"id": "say", "type": "echo"}]}


async def _made(caller: Caller) -> dict[str, str]:
    """One of everything in the first workspace, by the name of its type."""
    type_id = await caller.made(CREATE_TYPE, name=SECRET, schema=SCHEMA)
    rows = [{"data": {"title": SECRET}, "externalId": SECRET}]
    entities = await caller.payload(CREATE_ENTITIES, input={"entityTypeId": type_id, "entities": rows})
    workflow = await caller.made(
        CREATE_WORKFLOW,
        input={"name": SECRET, "description": SECRET, "definition": DEFINITION, "entityTypeId": type_id},
    )
    run = await caller.payload(RUN, input={"workflowId": workflow, "entities": {"all": True}, "wait": "PT10S"})
    assert run["run"]["status"] == "COMPLETED", run
    more = "query ($r: ID!, $w: ID!) { run(id: $r) { items { nodes { id } } } workflow(id: $w) { version { id } } apiKeys { nodes { id } } }"
    found = await caller.data(more, r=run["run"]["id"], w=workflow)
    return {
        "EntityType": type_id,
        "Entity": entities["entities"][0]["id"],
        "Workflow": workflow,
        "WorkflowVersion": found["workflow"]["version"]["id"],
        "Run": run["run"]["id"],
        "Item": found["run"]["items"]["nodes"][0]["id"],
        "Import": await caller.made(MORE["import"], id=type_id),
        "Template": await caller.made(MORE["template"], id=workflow),
        "ApiKey": found["apiKeys"]["nodes"][0]["id"],
        "Upload": await caller.made(MORE["upload"]),
        "Datastore": await caller.made(MORE["datastore"], secret=SECRET),
        "ModelProvider": await caller.made(MORE["modelProvider"], secret=SECRET),
        "Integration": await caller.made(MORE["integration"], secret=SECRET),
    }


@pytest.fixture(scope="module")
async def theirs(system: System) -> dict[str, str]:
    return await _made(Caller(system, system.key))


@pytest.fixture(scope="module")
async def stranger(system: System) -> Caller:
    return await another_workspace(system, "strangers")


async def test_node_shows_nothing_of_another_workspace(stranger: Caller, theirs: dict[str, str]) -> None:
    for type_name, key in theirs.items():
        answer = await stranger.answer("query ($id: ID!) { node(id: $id) { __typename id } }", id=key)
        assert not (answer.get("data") or {}).get("node"), (type_name, answer)
        assert SECRET not in str(answer)


INTROSPECT = """{ __schema { queryType { fields { ...f } } mutationType { fields { ...f } } subscriptionType { fields { ...f } }
  types { name kind isOneOf inputFields { name type { ...t } } fields { name } } } }
  fragment f on __Field { name args { name type { ...t } } type { ...t } }
  fragment t on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }"""

# Which id an argument or an input field takes, where its name does not say it.
ID_OF = {
    "type": "EntityType", "ids": "Entity", "entityType": "EntityType", "workflow": "Workflow", "run": "Run",
    "import": "Import", "entity": "Entity", "subject": "Workflow", "template": "Template",
}  # fmt: skip

NAMING_NOTHING = {
    "createApiKey", "createEntityType", "validateWorkflow", "createUpload", "createDatastore", "createModelProvider", "emitEvent",
}  # fmt: skip
"""Of the mutations: they take no id of what exists."""
ENUMS = {"Role": "VIEWER", "ImportFormat": "CSV", "ProviderKind": "OPENAI_COMPATIBLE", "ColumnKind": "TEXT"}
SCALARS = {"Boolean": "true", "Int": "1", "Duration": '"PT1S"'}


class Walk:
    """Every root field, its arguments filled with foreign ids."""

    def __init__(self, schema: dict[str, Any], ids: dict[str, str]) -> None:
        self.types = {one["name"]: one for one in schema["types"]}
        self.schema = schema
        self.ids = ids

    def operations(self, root: str) -> list[tuple[str, str]]:
        kind = root.removesuffix("Type")
        return [(field["name"], f"{kind} {{ {self._call(field)} }}") for field in self.schema[root]["fields"]]

    def _call(self, field: dict[str, Any]) -> str:
        arguments = [
            f"{argument['name']}: {value}"
            for argument in field["args"]
            if (value := self._value(argument["name"], argument["type"], field["name"])) is not None
        ]
        named = _named(field["type"])
        selected = " { __typename }" if self.types[named]["kind"] in {"OBJECT", "INTERFACE"} else ""
        if named.endswith("Payload"):
            selected = " { __typename errors { code message } }"
        if any(one["name"] == "nodes" for one in self.types[named]["fields"] or ()):
            selected = " { nodes { __typename } }"
        return field["name"] + (f"({', '.join(arguments)})" if arguments else "") + selected

    def _value(self, name: str, of: dict[str, Any], field: str) -> str | None:
        named, required = _named(of), of["kind"] == "NON_NULL"
        if named == "ID":
            return _in_lists(of, f'"{self._id(name, field)}"')
        kind = self.types[named]["kind"]
        if kind == "INPUT_OBJECT":
            return self._object(named, field) if required or name == "entities" else None
        if not required:
            return None
        if kind == "ENUM":
            return ENUMS.get(named)
        if named == "JSON":
            return '{steps: [{id: "x", type: "echo"}]}' if name == "definition" else '{title: "changed"}'
        return SCALARS.get(named, '"changed"')

    def _object(self, named: str, field: str) -> str:
        if named == "EntitySelectionInput":
            return "{ids: [" + f'"{self.ids["Entity"]}"' + "]}"
        if self.types[named]["isOneOf"]:
            first = self.types[named]["inputFields"][0]
            return f"{{{first['name']}: {self._object(_named(first['type']), field)}}}"
        given = [
            f"{one['name']}: {value}"
            for one in self.types[named]["inputFields"]
            if (value := self._value(one["name"], one["type"], field)) is not None
        ]
        return "{" + ", ".join(given) + "}"

    def _id(self, name: str, field: str) -> str:
        for type_name, key in self.ids.items():
            if name.lower() in {type_name.lower(), f"{type_name}Id".lower()}:
                return key
        if name in ID_OF:
            return self.ids[ID_OF[name]]
        matching = [type_name for type_name in self.ids if type_name.lower() in field.lower()]
        return self.ids[max(matching, key=len)] if matching else self.ids["Workflow"]


def _named(of: dict[str, Any]) -> str:
    while of.get("ofType"):
        of = of["ofType"]
    return of["name"]


def _in_lists(of: dict[str, Any], value: str) -> str:
    while of:
        if of["kind"] == "LIST":
            return f"[{value}]"
        of = of.get("ofType") or {}
    return value


async def _walk(stranger: Caller, theirs: dict[str, str]) -> Walk:
    return Walk((await stranger.data(INTROSPECT))["__schema"], theirs)


async def test_no_query_shows_anything_of_another_workspace(stranger: Caller, theirs: dict[str, str]) -> None:
    walk = await _walk(stranger, theirs)
    for name, operation in walk.operations("queryType"):
        answer = await stranger.answer(operation.removeprefix("query "))
        assert all(e["extensions"]["code"] in {"NOT_FOUND", "INVALID"} for e in answer.get("errors", [])), (
            operation,
            answer,
        )
        assert SECRET not in str(answer), operation
        data: dict[str, Any] = answer.get("data") or {}
        found = data.get(name)
        if not QUERIES[name].shared:
            assert not found or found == {"nodes": []}, (operation, answer)


async def test_no_mutation_changes_or_shows_anything_of_another_workspace(
    system: System, stranger: Caller, theirs: dict[str, str]
) -> None:
    before = await _fingerprint(system)
    walk = await _walk(stranger, theirs)
    for name, operation in walk.operations("mutationType"):
        if name in NAMING_NOTHING:
            continue
        answer = await stranger.answer(operation)
        assert "errors" not in answer, (operation, answer)
        # Deleting a selection in which nothing is one's own deletes nothing, which is no mistake.
        assert answer["data"][name]["errors"] or name == "deleteEntities", (operation, answer)
        assert SECRET not in str(answer), operation
    assert await _fingerprint(system) == before


async def _fingerprint(system: System) -> dict[str, str]:
    async with system.database.reading() as connection:
        return {
            table: (
                await connection.execute(text(f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t"))
            ).scalar_one()
            for table in TABLES
        }


async def test_no_subscription_shows_anything_of_another_workspace(stranger: Caller, theirs: dict[str, str]) -> None:
    walk = await _walk(stranger, theirs)
    for name, operation in walk.operations("subscriptionType"):
        async with asyncio.timeout(10), stranger.socket() as socket:
            await socket.send_json({"type": "connection_init", "payload": stranger.headers})
            await socket.receive_json()
            await socket.send_json({"type": "subscribe", "id": "1", "payload": {"query": operation}})
            seen = await socket.receive_json()
            errors = seen["payload"] if seen["type"] == "error" else seen["payload"].get("errors")
            assert errors, (name, seen)
            assert errors[0]["extensions"]["code"] == "NOT_FOUND", (name, seen)
            await socket.close()
            await close_of(socket)


async def test_a_run_cannot_take_entities_or_workflows_of_another_workspace(
    stranger: Caller, theirs: dict[str, str]
) -> None:
    type_id = await stranger.made(CREATE_TYPE, name=f"own {new_id()}", schema=SCHEMA)
    own = {"name": "own", "definition": DEFINITION, "entityTypeId": type_id}
    workflow = await stranger.made(CREATE_WORKFLOW, input=own)
    answer = await stranger.payload(RUN, input={"workflowId": workflow, "entities": {"ids": [theirs["Entity"]]}})
    assert answer["run"] is None
    assert answer["errors"][0]["path"][-3:] == ["entities", "ids", "0"]
    foreign = await stranger.payload(CREATE_WORKFLOW, input={**own, "entityTypeId": theirs["EntityType"]})
    assert foreign["workflow"] is None
    assert foreign["errors"][0]["path"] == ["input", "entityTypeId"]
    rows = {"entityTypeId": theirs["EntityType"], "entities": [{"data": {"title": "x"}}]}
    assert (await stranger.payload(CREATE_ENTITIES, input=rows))["errors"]


GARBAGE = [
    "", "x", "UnVu", "UnVuOg", "UnVuOjE", "OjE", "😀", "\x00", "UnVuOgA", "/w", "x" * 100_000, "Q29ubmVjdGlvbjox",
    "Tm9kZTox", "UXVlcnk6MQ", "SXRlbTowMTlhMDAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDA6LTE", "__proto__",
]  # fmt: skip


@pytest.mark.parametrize("garbage", GARBAGE, ids=lambda text: repr(text)[:30])
async def test_an_id_or_a_cursor_that_is_none_is_refused_with_a_reason(caller: Caller, garbage: str) -> None:
    fields = ("node", "entity", "entityType", "workflow", "run", "import")
    for field in fields:
        answer = await caller.answer(f"query ($id: ID!) {{ {field}(id: $id) {{ __typename }} }}", id=garbage)
        assert answer["errors"][0]["extensions"]["code"] in {"INVALID", "NOT_FOUND"}, (field, answer)
    for field in ("workflows", "runs", "entityTypes", "imports", "templates", "apiKeys", "auditLog"):
        answer = await caller.answer(
            f"query ($c: String) {{ {field}(after: $c) {{ nodes {{ __typename }} }} }}", c=garbage
        )
        assert answer["errors"][0]["extensions"]["code"] == "INVALID", (field, answer)


async def test_an_id_of_another_type_is_refused_by_name(caller: Caller, theirs: dict[str, str]) -> None:
    for field, wrong in (("run", "Workflow"), ("workflow", "Run"), ("entity", "EntityType"), ("import", "Entity")):
        answer = await caller.answer(f"query ($id: ID!) {{ {field}(id: $id) {{ __typename }} }}", id=theirs[wrong])
        assert answer["errors"][0]["extensions"]["code"] == "INVALID", answer
        assert wrong in answer["errors"][0]["message"]


async def test_cursors_of_items_and_logs_that_are_none_are_refused(caller: Caller, theirs: dict[str, str]) -> None:
    for field in ("items", "logs"):
        for garbage in GARBAGE:
            document = (
                f"query ($id: ID!, $c: String) {{ run(id: $id) {{ {field}(after: $c) {{ nodes {{ __typename }} }} }} }}"
            )
            answer = await caller.answer(document, id=theirs["Run"], c=garbage)
            assert answer["errors"][0]["extensions"]["code"] == "INVALID", (field, garbage, answer)
