"""Queries that are too large, each told what is too large and what is allowed."""

import asyncio
from typing import Any, cast

import pytest
from graphql import get_introspection_query

from weft.domain.errors import Unauthenticated
from weft.graphql.context import Context
from weft.graphql.documents import REMEMBERED_CHARACTERS
from weft.graphql.limits import MOST_COST, QueryLimits
from weft.graphql.schema import WeftSchema
from weft.operations.services import Services

schema = WeftSchema()


async def refusal(query: str, variables: dict[str, Any] | None = None, at: WeftSchema = schema) -> tuple[str, str]:
    context = Context(cast("Services", None), "request", Unauthenticated("no key"))
    result = await at.execute(query, variables, context_value=context)
    error = (result.errors or [])[0]
    return str((error.extensions or {})["code"]), error.message


async def test_a_query_too_deep_is_refused() -> None:
    query = "{ apiKeys " + "{ edges { node { id } } }" + " }"
    code, message = await refusal(query, at=WeftSchema(QueryLimits(depth=3)))
    assert code == "QUERY_TOO_LARGE"
    assert "4 levels deep; at most 3" in message


async def test_a_query_too_costly_names_its_cost_and_the_limit() -> None:
    code, message = await refusal("{ apiKeys(first: 50) { nodes { id } } }", at=WeftSchema(QueryLimits(cost=40)))
    assert code == "QUERY_TOO_LARGE"
    assert "51 objects" in message
    assert "at most 40" in message


@pytest.mark.parametrize(
    "query",
    [
        "query ($n: Int!) { apiKeys(first: $n) { nodes { id } } }",
        "query ($n: Int = 100) { apiKeys(first: $n) { nodes { id } } }",
        """query ($n: Int!) { ...Keys }
           fragment Keys on Query { apiKeys(first: $n) { ...Rows } }
           fragment Rows on ApiKeyConnection { edges { node { id } } }""",
    ],
)
async def test_pages_in_variables_and_fragments_count_as_much(query: str) -> None:
    at = WeftSchema(QueryLimits(cost=90))
    for page in (100, 100.0):  # to GraphQL both are whole numbers
        given = {} if "=" in query else {"n": page}
        assert (await refusal(query, given, at))[0] == "QUERY_TOO_LARGE"
    assert (await refusal(query, {"n": 10}, at))[0] == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    ("query", "cost"),
    [
        ("{ runs(first: 2) { nodes { failures(first: 100) { exampleItem { status } } } } }", 1 + 2 * (1 + 100 * 2)),
        ("{ runs(first: 2) { nodes { failures { exampleItem { status } } } } }", 1 + 2 * (1 + 20 * 2)),
        ("{ runs(first: 2) { nodes { progress { steps { failed } } } } }", 1 + 2 * (1 + 1 + 10)),
    ],
)
async def test_a_list_that_takes_its_length_counts_as_long_as_it_is_asked_for(query: str, cost: int) -> None:
    context = Context(cast("Services", None), "request", Unauthenticated("no key"))
    result = await schema.execute(query, context_value=context)
    assert result.extensions == {"cost": {"requested": cost, "limit": 20_000}}


async def test_too_many_aliases_are_refused() -> None:
    code, message = await refusal("{" + " ".join(f"a{n}: viewer {{ role }}" for n in range(31)) + "}")
    assert (code, "31 aliases; at most 30" in message) == ("QUERY_TOO_LARGE", True)


async def test_fragments_that_spread_fragments_are_measured_without_exploding() -> None:
    chain = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(40))
    query = f"{{ ...F0 }} {chain} fragment F40 on Query {{ viewer {{ role }} }}"
    async with asyncio.timeout(5):
        assert (await refusal(query))[0] == "QUERY_TOO_LARGE"


@pytest.mark.parametrize(
    "query",
    ["{ a" * 900, "{ viewer { " + "role " * 2_000 + "} }", "{ viewer(a: " + "[" * 500 + "]" * 500 + ") { role } }"],
    ids=["nested", "long", "lists"],
)
async def test_a_query_of_too_many_tokens_is_refused_before_it_is_read_whole(query: str) -> None:
    assert (await refusal(query))[0] == "GRAPHQL_PARSE_FAILED"


@pytest.mark.parametrize(
    "query",
    [
        "{" + "viewer { role } " * 31 + "}",
        "{" + "... { viewer { role } } " * 31 + "}",
        "{ runs { nodes {" + "workflow { id } " * 31 + "} } }",
        "{ ...A ...B } fragment A on Query {"
        + "viewer { role } " * 16
        + "} fragment B on Query { ...A "
        + "viewer { role } " * 15
        + "}",
    ],
    ids=["fields", "inline", "below", "fragments"],
)
async def test_the_same_asked_for_over_and_over_is_refused_before_it_is_compared(query: str) -> None:
    code, message = await refusal(query)
    assert (code, "more than 30 times in one selection" in message) == ("QUERY_TOO_LARGE", True)


async def test_the_same_may_be_asked_for_a_few_times_and_in_as_many_places_as_there_are() -> None:
    for query in (
        "{" + "viewer { role } " * 30 + "}",
        "{"
        + " ".join(f"a{n}: runs {{ nodes {{ workflow {{ id }} }} }}" for n in range(30))
        + " runs { nodes { workflow { id } } } }",
        "{ viewer {" + "role " * 200 + "} }",
    ):
        assert (await refusal(query))[0] == "UNAUTHENTICATED"


async def test_a_query_too_long_names_its_length() -> None:
    code, message = await refusal("{ viewer { role } } #" + "x" * 50_000)
    assert code == "QUERY_TOO_LARGE"
    assert "at most 50,000" in message


async def test_introspection_needs_no_key_and_can_be_turned_off() -> None:
    context = Context(cast("Services", None), "request", Unauthenticated("no key"))
    assert schema.introspect()["__schema"]
    assert (await schema.execute("{ __schema { queryType { name } } }", context_value=context)).errors is None
    closed = WeftSchema(introspection=False)
    assert (await refusal("{ __schema { queryType { name } } }", at=closed))[0] == "GRAPHQL_VALIDATION_FAILED"


@pytest.mark.parametrize(
    "query",
    [
        "{ __schema { one: types { name } two: types { name } } }",
        "{ one: __schema { types { name } } two: __schema { types { name } } }",
        "{ __schema { ...Types } } fragment Types on __Schema { types { ...Fields } } fragment Fields on __Type { all: fields { name } }",
        '{ __type(name: "Query") { one: fields { name } } }',
    ],
)
async def test_introspection_tells_each_list_once(query: str) -> None:
    code, message = await refusal(query)
    assert (code, "takes no aliases" in message) == ("QUERY_TOO_LARGE", True)


async def test_introspection_as_tools_ask_for_it_is_answered() -> None:
    context = Context(cast("Services", None), "request", Unauthenticated("no key"))
    names = (
        '{ is: __typename a: __type(name: "Query") { kind: __typename name } b: __type(name: "Run") { name: name } }'
    )
    for query in (get_introspection_query(), names):
        assert (await schema.execute(query, context_value=context)).errors is None


async def test_without_introspection_no_error_gives_names_of_the_schema_away() -> None:
    assert "viewer" in (await refusal("{ viewr { role } }"))[1]
    assert "viewer" not in (await refusal("{ viewr { role } }", at=WeftSchema(introspection=False)))[1]


async def test_a_cost_beyond_all_numbers_is_told_as_one_that_every_client_reads() -> None:
    inner = "id"
    for _ in range(12):
        inner = f"workflow {{ runs(first: 100) {{ nodes {{ {inner} }} }} }}"
    at = WeftSchema(QueryLimits(depth=100, tokens=10_000))
    context = Context(cast("Services", None), "request", Unauthenticated("no key"))
    result = await at.execute(f"{{ runs(first: 100) {{ nodes {{ {inner} }} }} }}", context_value=context)
    assert result.extensions == {"cost": {"requested": MOST_COST, "limit": 20_000}}


async def test_of_several_operations_one_has_to_be_named() -> None:
    code, message = await refusal("query A { viewer { role } } query B { viewer { role } }")
    assert (code, "operationName" in message) == ("BAD_REQUEST", True)


async def test_the_memory_for_known_documents_is_bounded() -> None:
    at = WeftSchema()
    for number in range(40):
        await refusal(f"{{ viewer {{ role }} }} # {number} {'x' * 20_000}", at=at)
    assert at.documents.remembered_characters <= REMEMBERED_CHARACTERS


async def test_a_known_document_is_not_validated_again() -> None:
    at = WeftSchema()
    query = "{ viewer { role } }"
    await refusal(query, at=at)
    known = at.documents.read(query)
    await refusal(query, at=at)
    assert at.documents.read(query) is known
    assert known.errors == []
