"""Tables that are made in datastores: what `store` writes fits into them, and what is there is never touched."""

from pathlib import Path
from typing import Any

import pytest
from asking import ask, ask_anything
from datastores.conftest import Target
from datastores.test_datastores_api import made

from weft.domain.access import Role, Viewer
from weft.domain.ids import new_id
from weft.domain.outside import ColumnKind, NewColumn, NewTable, TableRows
from weft.domain.step import Fail
from weft.integrations.sql.creation import MADE_KINDS
from weft.integrations.sql.databases import Databases
from weft.integrations.sql.pools import Version
from weft.integrations.sql.target import FileTarget
from weft.operations.services import Services

CREATE_TABLE = """mutation ($input: CreateDatastoreTableInput!) { createDatastoreTable(input: $input) {
  table { uniqueKeys columns { name kind nullable } } errors { code message path } } }"""
VALUES = {
    ColumnKind.BOOLEAN: True,
    ColumnKind.INTEGER: 9_007_199_254_740_991,
    ColumnKind.NUMBER: 12345678.25,
    ColumnKind.TEXT: "Ærø",
    ColumnKind.DATE: "2026-02-28",
    ColumnKind.TIME: "10:30:00",
    ColumnKind.DATETIME: "2026-03-01T10:00:00+02:00",
    ColumnKind.JSON: {"a": [1, None]},
    ColumnKind.UUID: "12345678-1234-5678-1234-567812345678",
}


def a_table(*kinds: ColumnKind) -> NewTable:
    return NewTable(
        "made", (NewColumn("id", ColumnKind.TEXT), *(NewColumn(kind.lower(), kind) for kind in kinds)), ("id",)
    )


def its_row() -> TableRows:
    columns = ("id", *(kind.lower() for kind in MADE_KINDS))
    return TableRows("elsewhere", "made", columns, [["1", *(VALUES[kind] for kind in MADE_KINDS)]], key=("id",))


async def test_every_kind_of_column_takes_its_values_in_postgresql(
    services: Services, viewer: Viewer, target: Target
) -> None:
    datastore = await made(services, viewer, target)
    wanted = {
        "datastoreId": datastore["id"],
        "name": "made",
        "columns": [{"name": "id", "kind": "TEXT"}, *({"name": kind.lower(), "kind": kind} for kind in MADE_KINDS)],
        "key": ["id"],
    }

    payload = (await ask(services, viewer, CREATE_TABLE, input=wanted))["createDatastoreTable"]

    assert payload["errors"] == []
    assert payload["table"]["uniqueKeys"] == [["id"]]
    assert {column["name"]: column["kind"] for column in payload["table"]["columns"]} == {
        "id": "TEXT",
        **{kind.lower(): str(kind) for kind in MADE_KINDS},
    }
    rows = its_row()
    written = await services.world.of(viewer.workspace_id).datastores.write(
        TableRows(datastore["name"], rows.table, rows.columns, rows.rows, rows.key)
    )
    assert written == [None]
    assert await target.run('SELECT number, text, "boolean" FROM made') == [(12345678.25, "Ærø", True)]


async def test_every_kind_of_column_takes_its_values_in_sqlite(tmp_path: Path) -> None:
    target, version, databases = FileTarget(tmp_path / "made.db"), Version(new_id(), 1), Databases()
    try:
        await databases.create_table(version, target, a_table(*MADE_KINDS))
        assert await databases.write(version, target, its_row()) == [None]
        with pytest.raises(Fail, match="already exists"):
            await databases.create_table(version, target, a_table())
    finally:
        await databases.close()


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"name": ""}, ["input", "name"]),
        ({"columns": []}, ["input", "columns"]),
        ({"columns": [{"name": "x" * 64, "kind": "TEXT"}]}, ["input", "columns", "0", "name"]),
        (
            {"columns": [{"name": "a", "kind": "TEXT"}, {"name": "A", "kind": "TEXT"}]},
            ["input", "columns", "1", "name"],
        ),
        ({"columns": [{"name": "a", "kind": "OTHER"}]}, ["input", "columns", "0", "kind"]),
        ({"key": ["b"]}, ["input", "key", "0"]),
        ({"key": ["a", "a"]}, ["input", "key", "1"]),
    ],
)
async def test_what_is_no_table_is_refused_with_its_place(
    services: Services, viewer: Viewer, target: Target, wrong: dict[str, Any], path: list[str]
) -> None:
    datastore = await made(services, viewer, target)
    given = {"datastoreId": datastore["id"], "name": "made", "columns": [{"name": "a", "kind": "TEXT"}], **wrong}

    payload = (await ask(services, viewer, CREATE_TABLE, input=given))["createDatastoreTable"]

    assert [error["path"] for error in payload["errors"]] == [path]
    assert await target.run("SELECT 1 FROM pg_tables WHERE tablename = 'made'") == []


async def test_a_table_that_is_there_stays_as_it_is(services: Services, viewer: Viewer, target: Target) -> None:
    datastore = await made(services, viewer, target)
    given = {"datastoreId": datastore["id"], "name": "invoice", "columns": [{"name": "a", "kind": "TEXT"}]}

    payload = (await ask(services, viewer, CREATE_TABLE, input=given))["createDatastoreTable"]

    assert [error["code"] for error in payload["errors"]] == ["CONFLICT"]


async def test_only_admins_make_tables(services: Services, viewer: Viewer, target: Target) -> None:
    datastore = await made(services, viewer, target)
    editor = Viewer(viewer.workspace_id, viewer.key_id, "editor", Role.EDITOR)
    given = {"datastoreId": datastore["id"], "name": "made", "columns": [{"name": "a", "kind": "TEXT"}]}

    answer = await ask_anything(services, editor, CREATE_TABLE, input=given)

    assert "ADMIN" in str(answer)
    assert await target.run("SELECT 1 FROM pg_tables WHERE tablename = 'made'") == []
