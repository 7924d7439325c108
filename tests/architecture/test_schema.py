"""The GraphQL schema as its readers meet it: written down, and in words where a name alone does not say it."""

import re
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLNamedType,
    is_introspection_type,
    is_required_input_field,
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
ROOTS = {root.name for root in SCHEMA.roots}


def test_the_written_schema_is_that_of_the_code() -> None:
    written = (ROOT / "schema.graphql").read_text(encoding="utf-8")
    assert written == f"{SCHEMA.as_str()}\n", "write it anew: make schema"


def test_every_operation_is_described() -> None:
    bare = [
        f"{root.name}.{name}" for root in SCHEMA.roots for name, field in root.fields.items() if not field.description
    ]
    assert bare == []


def test_every_type_is_described_whose_name_does_not_say_it_all() -> None:
    """An enum's values speak, and the input and payload of a mutation are what the mutation says."""
    bare = [name for name, kind in TYPES.items() if not kind.description and not _speaks_for_itself(kind)]
    assert bare == []


def _speaks_for_itself(kind: GraphQLNamedType) -> bool:
    match kind:
        case GraphQLEnumType():
            return True
        case GraphQLInputObjectType():
            # Where everything may be left out, somebody has to say what that means.
            return any(is_required_input_field(field) for field in kind.fields.values())
        case _:
            return kind.name in ROOTS or kind.name.endswith("Payload")


def test_every_id_that_is_handed_out_and_every_computed_number_is_described() -> None:
    """A count is its name; a measured number needs its unit, and what it is measured over."""
    bare = [
        f"{kind.name}.{name}"
        for kind in TYPES.values()
        if kind.name not in ROOTS and not isinstance(kind, GraphQLInputObjectType)
        for name, field in _fields(kind).items()
        if str(field.type) in {"ID!", "Float", "Float!"} and not field.description
    ]
    assert bare == []


def _fields(kind: GraphQLNamedType) -> dict[str, Any]:
    return getattr(kind, "fields", {})


def test_descriptions_are_sentences() -> None:
    texts = {kind.name: kind.description for kind in TYPES.values()}
    for kind in TYPES.values():
        if isinstance(kind, GraphQLEnumType):
            continue
        for name, field in _fields(kind).items():
            texts[f"{kind.name}.{name}"] = field.description
    wrong = {place: text for place, text in texts.items() if text and not re.fullmatch(r"(?s)[-A-Z`\d].*[.`)]", text)}
    assert wrong == {}
