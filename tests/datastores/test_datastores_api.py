"""Datastores through GraphQL: who may do what, what is shown, and that a password never comes back."""

from dataclasses import replace
from typing import Any

import pytest
from asking import ask, ask_anything
from datastores.conftest import Target

from weft.domain.access import Role, Viewer
from weft.domain.datastore import Datastore
from weft.graphql.nodes import encode_id
from weft.operations.services import Services
from weft.operations.workflow_changes import archive_workflow
from weft.operations.workflows import NewWorkflow, create_workflow

CREATE = """mutation ($input: CreateDatastoreInput!) { createDatastore(input: $input) {
  datastore { id name kind host port database user tls file revision } errors { code message path hint } } }"""
UPDATE = """mutation ($input: UpdateDatastoreInput!) { updateDatastore(input: $input) {
  datastore { name host database revision } errors { message path } } }"""
DELETE = """mutation ($id: ID!) { deleteDatastore(input: {id: $id}) { deletedId errors { code message hint } } }"""
TEST = """mutation ($id: ID!) { testDatastore(input: {id: $id}) { trial { ok message took } errors { message } } }"""
LIST = "{ datastores { totalCount nodes { name kind host user database } } }"
TABLES = """query ($id: ID!) { datastoreContents(datastoreId: $id) {
  tables table(name: "invoice") { uniqueKeys columns { name kind typeName nullable hasDefault } } } }"""
PASSWORD = "a password that nobody may see"


def address(target: Target, **changes: Any) -> dict[str, Any]:
    given = target.address
    return {
        "postgresql": {
            "host": given.host, "port": given.port, "database": given.database, "user": given.user,
            "password": PASSWORD, "tls": "OFF",
        } | changes
    }  # fmt: skip


async def made(services: Services, viewer: Viewer, target: Target, **changes: Any) -> dict[str, Any]:
    given = {"name": "target", "address": address(target, **changes)}
    payload = (await ask(services, viewer, CREATE, input=given))["createDatastore"]
    assert payload["errors"] == []
    return payload["datastore"]


async def test_a_datastore_is_made_and_tested_and_its_tables_are_shown(
    services: Services, viewer: Viewer, target: Target
) -> None:
    datastore = await made(services, viewer, target)
    assert (datastore["kind"], datastore["tls"], datastore["revision"]) == ("POSTGRESQL", "OFF", 1)
    trial = (await ask(services, viewer, TEST, id=datastore["id"]))["testDatastore"]["trial"]
    assert (trial["ok"], trial["message"]) == (True, "It answers, and shows 1 table.")
    found = (await ask(services, viewer, TABLES, id=datastore["id"]))["datastoreContents"]
    assert found["tables"] == ["invoice"]
    assert found["table"]["uniqueKeys"] == [["number"]]
    columns = {column["name"]: column for column in found["table"]["columns"]}
    assert columns["total"] == {
        "name": "total", "kind": "NUMBER", "typeName": "numeric(12, 2)", "nullable": False, "hasDefault": False,
    }  # fmt: skip
    assert columns["open"]["hasDefault"]


async def test_a_password_is_nowhere_to_be_seen(services: Services, viewer: Viewer, target: Target) -> None:
    datastore = await made(services, viewer, target, database="not there")
    answers = [await ask_anything(services, viewer, TEST, id=datastore["id"])]
    answers.append(await ask_anything(services, viewer, TABLES, id=datastore["id"]))
    log = "{ auditLog { nodes { action details } } }"
    answers.append(await ask_anything(services, viewer, log))
    assert "does not exist" in str(answers[0])
    assert PASSWORD not in str(answers)
    async with services.database.reading() as connection:
        ((stored,),) = (await connection.exec_driver_sql("SELECT password FROM datastore")).all()
    assert PASSWORD.encode() not in stored


async def test_a_password_stays_only_where_it_was_sent_before(
    services: Services, viewer: Viewer, target: Target
) -> None:
    datastore = await made(services, viewer, target)
    without = address(target)["postgresql"]
    del without["password"]
    moved = {"id": datastore["id"], "address": {"postgresql": without | {"host": "elsewhere.example"}}}
    payload = (await ask(services, viewer, UPDATE, input=moved))["updateDatastore"]
    assert payload["datastore"] is None
    assert payload["errors"][0]["path"] == ["input", "address", "postgresql", "password"]
    same = {"id": datastore["id"], "address": {"postgresql": without | {"database": "another"}}}
    payload = (await ask(services, viewer, UPDATE, input=same))["updateDatastore"]
    assert payload["errors"] == []
    assert (payload["datastore"]["database"], payload["datastore"]["revision"]) == ("another", 2)


async def test_others_than_admins_see_names_and_kinds(services: Services, viewer: Viewer, target: Target) -> None:
    datastore = await made(services, viewer, target)
    reader = replace(viewer, role=Role.EDITOR)
    found = (await ask(services, reader, LIST))["datastores"]
    assert found["nodes"] == [{"name": "target", "kind": "POSTGRESQL", "host": None, "user": None, "database": None}]
    node = await ask(services, reader, f'{{ node(id: "{datastore["id"]}") {{ ... on Datastore {{ name host }} }} }}')
    assert node["node"] == {"name": "target", "host": None}
    assert (await ask(services, viewer, LIST))["datastores"]["nodes"][0]["host"] == "127.0.0.1"
    _, errors = await ask_anything(services, replace(viewer, role=Role.RUNNER), TABLES, id=datastore["id"])
    assert errors[0]["extensions"]["code"] == "FORBIDDEN"


async def test_another_workspace_neither_sees_nor_reaches_it(
    services: Services, viewer: Viewer, stranger: Viewer, target: Target
) -> None:
    datastore = await made(services, viewer, target)
    assert (await ask(services, stranger, LIST))["datastores"]["nodes"] == []
    trial = (await ask(services, stranger, TEST, id=datastore["id"]))["testDatastore"]
    assert (trial["trial"], trial["errors"][0]["message"]) == (None, "There is no such datastore in this workspace.")
    assert list(await services.world.of(stranger.workspace_id).datastores.names()) == []


async def test_a_datastore_that_a_workflow_names_is_not_deleted_and_keeps_its_name(
    services: Services, viewer: Viewer, warehouse: Datastore
) -> None:
    config = {
        "datastore": "warehouse",
        "table": "invoice",
        "mapping": {"number": "'x'", "customer": "'x'", "total": "1"},
    }
    definition = {"steps": [{"id": "keep", "type": "store", "config": config}]}
    workflow = await create_workflow(services, viewer, NewWorkflow("keeps invoices", definition))
    key = encode_id("Datastore", warehouse.id)
    payload = (await ask(services, viewer, DELETE, id=key))["deleteDatastore"]
    assert payload["errors"][0]["code"] == "CONFLICT"
    assert "keeps invoices" in payload["errors"][0]["message"]
    renamed = (await ask(services, viewer, UPDATE, input={"id": key, "name": "other"}))["updateDatastore"]
    assert renamed["errors"][0]["path"] == ["input", "name"]
    await archive_workflow(services, viewer, workflow.id)
    assert (await ask(services, viewer, DELETE, id=key))["deleteDatastore"] == {"deletedId": key, "errors": []}
    assert (await ask(services, viewer, LIST))["datastores"]["totalCount"] == 0


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"postgresql": {"host": "/var/run/postgresql", "database": "d", "user": "u"}}, ["postgresql", "host"]),
        ({"postgresql": {"host": "https://db", "database": "d", "user": "u"}}, ["postgresql", "host"]),
        ({"mysql": {"host": "db", "port": 0, "database": "d", "user": "u"}}, ["mysql", "port"]),
        ({"mysql": {"host": "db", "database": "", "user": "u"}}, ["mysql", "database"]),
        ({"mysql": {"host": "db", "database": "d", "user": "u\0"}}, ["mysql", "user"]),
        ({"sqlite": {"file": "../other/orders.db"}}, ["sqlite", "file"]),
        ({"sqlite": {"file": "orders.db-wal"}}, ["sqlite", "file"]),
        ({"sqlite": {"file": ".db"}}, ["sqlite", "file"]),
    ],
)
async def test_a_wrong_address_is_told_with_its_place(
    services: Services, viewer: Viewer, given: dict[str, Any], path: list[str]
) -> None:
    payload = (await ask(services, viewer, CREATE, input={"name": "x", "address": given}))["createDatastore"]
    assert payload["datastore"] is None
    assert [error["path"] for error in payload["errors"]] == [["input", "address", *path]]


async def test_a_name_is_given_once(services: Services, viewer: Viewer, target: Target) -> None:
    await made(services, viewer, target)
    given = {"name": " target ", "address": address(target)}
    payload = (await ask(services, viewer, CREATE, input=given))["createDatastore"]
    assert [(error["code"], error["path"]) for error in payload["errors"]] == [("CONFLICT", ["input", "name"])]


async def test_a_changed_datastore_is_reached_anew(services: Services, viewer: Viewer, target: Target) -> None:
    datastore = await made(services, viewer, target, database="not there")
    assert not (await ask(services, viewer, TEST, id=datastore["id"]))["testDatastore"]["trial"]["ok"]
    await ask(services, viewer, UPDATE, input={"id": datastore["id"], "address": address(target)})
    assert (await ask(services, viewer, TEST, id=datastore["id"]))["testDatastore"]["trial"]["ok"]
