"""The GraphQL schema as its readers meet it: written down, and by the conventions that clients' libraries go by."""

import re
from collections.abc import Iterator
from typing import cast

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    is_introspection_type,
    is_specified_scalar_type,
)
from readme import ROOT

from weft.graphql.schema import WeftSchema

SCHEMA = WeftSchema()
TYPES: dict[str, GraphQLNamedType] = {
    name: kind
    for name, kind in SCHEMA._schema.type_map.items()
    if not is_introspection_type(kind) and not is_specified_scalar_type(kind)
}
PAGED = {"first": "Int!", "after": "String"}
PAGE_INFO = {"hasNextPage": "Boolean!", "hasPreviousPage": "Boolean!", "startCursor": "String", "endCursor": "String"}


def _objects() -> list[GraphQLObjectType | GraphQLInterfaceType]:
    return [kind for kind in TYPES.values() if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)]


def _fields() -> Iterator[tuple[str, GraphQLField]]:
    for kind in _objects():
        for name, field in kind.fields.items():
            yield f"{kind.name}.{name}", field


def _arguments(field: GraphQLField) -> dict[str, str]:
    return {name: str(cast("object", argument.type)) for name, argument in field.args.items()}


def _shape(kind: GraphQLNamedType) -> dict[str, str]:
    return {name: str(field.type) for name, field in getattr(kind, "fields", {}).items()}


def test_the_written_schema_is_that_of_the_code() -> None:
    written = (ROOT / "schema.graphql").read_text(encoding="utf-8")
    assert written == f"{SCHEMA.as_str()}\n", "write it anew: make schema"


def test_names_are_spelled_as_everywhere_in_graphql() -> None:
    wrong = [name for name in TYPES if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name)]
    for kind in TYPES.values():
        spelled = "[A-Z][A-Z0-9_]*" if isinstance(kind, GraphQLEnumType) else "[a-z][A-Za-z0-9]*"
        parts: dict[str, object] = getattr(kind, "values" if isinstance(kind, GraphQLEnumType) else "fields", {})
        wrong += [f"{kind.name}.{name}" for name in parts if not re.fullmatch(spelled, name)]
    wrong += [
        f"{place}({name})" for place, field in _fields() for name in field.args if not re.fullmatch("[a-z]\\w*", name)
    ]
    assert wrong == []


def test_inputs_end_with_input_and_nothing_else_does() -> None:
    inputs = {name for name, kind in TYPES.items() if isinstance(kind, GraphQLInputObjectType)}
    assert inputs == {name for name in TYPES if name.endswith("Input")}


def test_a_mutation_takes_one_input_and_gives_a_payload_with_errors() -> None:
    root = SCHEMA._schema.mutation_type
    assert root is not None
    for name, field in root.fields.items():
        (given,) = _arguments(field).items()
        assert re.fullmatch(r"input: \w+Input!", ": ".join(given)), name
        payload = TYPES[str(cast("object", field.type)).strip("!")]
        assert payload.name.endswith("Payload")
        assert _shape(payload)["errors"] == "[UserError!]!", name


def test_pages_are_connections_as_relay_specifies_them() -> None:
    """https://relay.dev/graphql/connections.htm: forwards only, with cursors that are texts."""
    connections = [kind for kind in _objects() if kind.name.endswith("Connection")]
    assert len(connections) > 10, "the walk finds them"
    for kind in connections:
        node = kind.name.removesuffix("Connection")
        wanted = {"edges": f"[{node}Edge!]!", "nodes": f"[{node}!]!", "pageInfo": "PageInfo!", "totalCount": "Int"}
        assert _shape(kind) == wanted
        assert _shape(TYPES[f"{node}Edge"]) == {"cursor": "String!", "node": f"{node}!"}
    for place, field in _fields():
        if str(cast("object", field.type)).endswith("Connection!"):
            assert PAGED.items() <= _arguments(field).items(), place
    assert _shape(TYPES["PageInfo"]) == PAGE_INFO


def test_what_has_an_id_is_a_node_and_is_found_by_it() -> None:
    """Caches of clients (Apollo, Relay, urql) keep what has an `id` once for all places: two steps of two items that both call
    themselves `extract` would become one. So an `id` is unique over all types, and whatever else names something has a name of
    its own, such as `stepId`.
    """
    node = TYPES["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    assert _shape(node) == {"id": "ID!"}
    known = {kind.name for kind in SCHEMA._schema.get_implementations(node).objects}
    assert {kind.name for kind in _objects() if "id" in kind.fields} - {"Node"} == known
    finds = SCHEMA._schema.query_type
    assert finds is not None
    assert _arguments(finds.fields["node"]) == {"id": "ID!"}
