"""The words of the schema: whoever reads it in GraphiQL learns of each part what its name alone does not say."""

import re
from collections import defaultdict
from collections.abc import Iterator

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    is_introspection_type,
    is_specified_scalar_type,
)

from weft.graphql.schema import WeftSchema

Part = tuple[str, str]
"""Where it stands, such as `Run.items(first)`, and what is said of it."""

FEWEST_WORDS = 3
SENTENCE = re.compile(r"(?s)[-A-Z`\d].*[.`)]")
EMPTY_WORDS = re.compile(
    r"\b(?:a|an|and|are|as|be|by|for|has|in|is|it|its|of|on|or|that|the|this|to|when|which|with)\b"
)


def _parts() -> Iterator[Part]:
    for kind in WeftSchema()._schema.type_map.values():
        if not is_introspection_type(kind) and not is_specified_scalar_type(kind):
            yield kind.name, kind.description or ""
            yield from _parts_of(kind)


def _parts_of(kind: GraphQLNamedType) -> Iterator[Part]:
    match kind:
        case GraphQLObjectType() | GraphQLInterfaceType():
            for name, field in kind.fields.items():
                yield f"{kind.name}.{name}", field.description or ""
                for argument_name, argument in field.args.items():
                    yield f"{kind.name}.{name}({argument_name})", argument.description or ""
        case GraphQLInputObjectType():
            for name, field in kind.fields.items():
                yield f"{kind.name}.{name}", field.description or ""
        case GraphQLEnumType():
            for name, value in kind.values.items():
                yield f"{kind.name}.{name}", value.description or ""
        case _:
            pass


PARTS = dict(_parts())


def _words(text: str) -> set[str]:
    """Without endings of the plural and the like, so that `names` and `named` say no more than `name`."""
    apart = re.sub(r"([a-z])([A-Z])", r"\1 \2", text).lower()
    return {re.sub(r"(?:e?s|e?d|ing)$", "", word) for word in re.findall(r"[a-z]+", EMPTY_WORDS.sub("", apart))}


def test_every_type_field_argument_and_value_is_described() -> None:
    assert [place for place, text in PARTS.items() if not text] == []


def test_a_description_is_a_sentence() -> None:
    wrong = {place: text for place, text in PARTS.items() if not SENTENCE.fullmatch(text)}
    assert wrong == {}
    short = {place: text for place, text in PARTS.items() if len(text.split()) < FEWEST_WORDS}
    assert short == {}


def test_a_description_says_more_than_the_name_of_what_it_describes() -> None:
    empty = {place: text for place, text in PARTS.items() if not _words(text) - _words(place)}
    assert empty == {}


def test_no_two_parts_of_a_type_are_said_to_be_the_same() -> None:
    said: defaultdict[Part, list[str]] = defaultdict(list)
    for place, text in PARTS.items():
        whole, _, part = place.rpartition("(" if place.endswith(")") else ".")
        if whole:
            said[whole, text].append(part)
    assert {place: parts for place, parts in said.items() if len(parts) > 1} == {}


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("ApiKey.name", "The name of the API key."),
        ("Run.startedAt", "When the run started."),
        ("RunStatus.FAILED", "Failed."),
    ],
)
def test_what_only_repeats_the_name_would_be_found(place: str, text: str) -> None:
    assert len(text.split()) < FEWEST_WORDS or not _words(text) - _words(place)
