"""Calls of root fields as clients send them, and what a workspace holds, to be compared before and after."""

from collections.abc import Sequence
from typing import Any

from asking import ask_anything
from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type, is_leaf_type, is_required_argument
from sqlalchemy import Table, text
from strawberry.types import ExecutionResult

from weft.domain.access import Viewer
from weft.domain.errors import Unauthenticated
from weft.domain.ids import UUID
from weft.graphql.context import Context
from weft.graphql.schema import WeftSchema
from weft.operations.services import Services
from weft.storage import tables
from weft.storage.database import Database

SCHEMA = WeftSchema()
ROOTS = {root.name: root for root in SCHEMA.roots}
ABOVE_WORKSPACES = {"workspace", "retention_turn"}


def operation(root: str, call: str) -> str:
    """With every plain field of what the call gives: of the rows of a list, of the errors of a mutation."""
    return f"{root.lower()} {{ {call} {selection(ROOTS[root], call.partition('(')[0])} }}"


def selection(parent: GraphQLObjectType | GraphQLInterfaceType, field: str) -> str:
    kind = SCHEMA._schema.get_type(str(parent.fields[field].type).strip("[]!"))
    assert kind is not None
    if is_leaf_type(kind):
        return ""
    assert isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)
    inner = plain_fields(kind)
    for name in ("nodes", "errors"):
        if name in kind.fields:
            inner += f" {name} {selection(kind, name)}"
    return f"{{ __typename {inner} }}"


def plain_fields(kind: GraphQLObjectType | GraphQLInterfaceType) -> str:
    return " ".join(
        name
        for name, field in kind.fields.items()
        if is_leaf_type(get_named_type(field.type)) and not any(map(is_required_argument, field.args.values()))
    )


async def answered(
    services: Services, caller: Viewer | Unauthenticated, root: str, call: str
) -> tuple[Any, list[dict[str, Any]]]:
    """What the field gave, and the top-level errors; of a subscription, the first that it sends."""
    document = operation(root, call)
    if root != "Subscription" and isinstance(caller, Viewer):
        data, errors = await ask_anything(services, caller, document)
    else:
        data, errors = await _first(Context(services, "request", caller), document)
    return data and data[call.partition("(")[0]], errors


async def _first(context: Context, document: str) -> tuple[Any, list[dict[str, Any]]]:
    stream = await SCHEMA.stream(document, context_value=context)
    try:
        result: ExecutionResult = await anext(stream)
    finally:
        await stream.aclose()
    return result.data, [dict(error.formatted) for error in result.errors or []]


def codes(errors: Sequence[dict[str, Any]]) -> set[str]:
    return {error["extensions"]["code"] for error in errors}


async def holdings(database: Database, workspace_id: UUID) -> dict[str, str]:
    """A digest of all rows of the workspace, by table: two that are alike hold the same."""
    found = {name: _rows_of(table) for name, table in tables.metadata.tables.items()}
    union = " UNION ALL ".join(
        f"SELECT '{name}' AS name, count(*) || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') AS digest "
        f"FROM {name} t WHERE {where}"
        for name, where in found.items()
        if where is not None
    )
    assert {name for name, where in found.items() if where is None} <= ABOVE_WORKSPACES
    async with database.reading() as connection:
        rows = await connection.execute(text(union), {"workspace": workspace_id})
        return {row.name: row.digest for row in rows}


def _rows_of(table: Table) -> str | None:
    """Those of the workspace: by the table's own column, or by that of what they belong to."""
    if "workspace_id" in table.c:
        return "t.workspace_id = :workspace"
    for column in table.columns:
        for key in column.foreign_keys:
            if "workspace_id" in key.column.table.c:
                owner = key.column.table.name
                return f"t.{column.name} IN (SELECT {key.column.name} FROM {owner} WHERE workspace_id = :workspace)"
    # What comes in masses has no foreign keys.
    return "t.run_id IN (SELECT id FROM run WHERE workspace_id = :workspace)" if "run_id" in table.c else None
