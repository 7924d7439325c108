"""Queries that are too large, bodies that are none, and floods: refused with a code, and everybody else is served."""

import asyncio
import io
import time
from typing import Any

import aiohttp
import pytest
from acceptance.bad_input import Caller, first_error
from acceptance.system import System

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(60)]

DEEP = "{ runs { nodes { workflow { runs { nodes { workflow { runs { nodes { workflow { runs { nodes { workflow { id } } } } } } } } } } } } } }"
COSTLY = "{ workflows(first: 100) { nodes { runs(first: 100) { nodes { items(first: 100) { nodes { id } } } } } } }"
LARGE = {
    "deep": "{ runs { nodes { " + "retryOf { " * 20 + "id" + " }" * 20 + " } } }",
    "brackets": "{ a" * 30_000,
    "lists": "{ node(id: " + "[" * 40_000 + ") { id } }",
    "costly": COSTLY,
    "fragments": "".join(f"fragment f{n} on Run {{ ...f{n + 1} ...f{n + 1} }} " for n in range(60))
    + "fragment f60 on Run { items(first: 100) { nodes { id } } } { runs(first: 100) { nodes { ...f0 } } }",
    "long": "{ viewer { role } }" + " " * 60_000,
    "aliases": "{ " + " ".join(f"a{n}: viewer {{ role }}" for n in range(40)) + " }",
    "tokens": "{ " + "viewer { role } " * 1_000 + " }",
    "introspection": "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }",
}


@pytest.mark.parametrize("kind", LARGE)
async def test_a_query_that_is_too_large_is_refused_quickly_with_a_code(caller: Caller, kind: str) -> None:
    began = time.monotonic()
    error = first_error(await caller.answer(LARGE[kind]))
    assert error["code"] in {"QUERY_TOO_LARGE", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"}, error
    assert error["requestId"]
    assert len(error["message"]) < 1_000
    assert time.monotonic() - began < 2
    await caller.is_served()


async def test_a_page_size_in_a_variable_is_counted(caller: Caller) -> None:
    document = COSTLY.replace("{ workflows(first: 100)", "query ($n: Int!) { workflows(first: $n)").replace(
        "first: 100", "first: $n"
    )
    assert first_error(await caller.answer(document, n=100))["code"] == "QUERY_TOO_LARGE"
    for first in (0, -1, 101, 2**31 - 1):
        error = first_error(await caller.answer("query ($n: Int!) { runs(first: $n) { nodes { id } } }", n=first))
        assert error["code"] in {"INVALID", "LIMIT_EXCEEDED", "QUERY_TOO_LARGE"}, error


async def test_a_body_that_is_too_large_is_refused_whether_it_says_its_length_or_not(caller: Caller) -> None:
    body = b'{"query": "{ viewer { role } }", "x": "' + b"x" * 3_000_000 + b'"}'

    async def pieces() -> Any:
        for start in range(0, len(body), 64_000):
            yield body[start : start + 64_000]

    for sent in (io.BytesIO(body), pieces()):
        try:
            headers = {"Content-Type": "application/json", **caller.headers}
            async with caller.system.session.post(caller.system.url, data=sent, headers=headers) as reply:
                assert reply.status == 413
                assert first_error(await reply.json())["code"] == "BODY_TOO_LARGE"
        except aiohttp.ClientError:
            pass  # it hung up before all was sent
    await caller.is_served()


BODIES: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "a number": b"1",
    "null": b"null",
    "a text": b'"query"',
    "an empty list": b"[]",
    "a batch": b'[{"query": "{ viewer { role } }"}]',
    "no query": b"{}",
    "a query that is no text": b'{"query": 1}',
    "a query that is null": b'{"query": null}',
    "variables that are none": b'{"query": "{ viewer { role } }", "variables": [1]}',
    "variables that are a text": b'{"query": "{ viewer { role } }", "variables": "x"}',
    "a name that is none": b'{"query": "{ viewer { role } }", "operationName": 1}',
    "a name of nothing": b'{"query": "query a { viewer { role } }", "operationName": "b"}',
    "extensions that are none": b'{"query": "{ viewer { role } ", "extensions": 1}',
    "not UTF-8": b'{"query": "\xff"}',
    "half a pair": b'{"query": "{ viewer { role } } # \\ud800"}',
    "a NUL": b'{"query": "{ viewer \\u0000 { role } }"}',
    "too deep": b'{"query": "{ viewer { role } }", "variables": {"a": ' + b"[" * 50_000 + b"]" * 50_000 + b"}}",
    "a number beyond all": b'{"query": "query ($a: Int) { viewer { role } }", "variables": {"a": 1e999}}',
    "NaN": b'{"query": "query ($a: Float) { viewer { role } }", "variables": {"a": NaN}}',
}


@pytest.mark.parametrize("kind", BODIES)
async def test_a_body_that_is_no_request_is_refused_with_a_code(caller: Caller, kind: str) -> None:
    status, answer = await caller.post(BODIES[kind])
    assert status in {200, 400}, (status, answer)
    assert answer["errors"][0]["extensions"]["code"] in {
        "BAD_REQUEST", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED",
    }, answer  # fmt: skip
    await caller.is_served()


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x", "application/json; charset=nope"]
)  # fmt: skip
async def test_another_type_of_body_is_refused_or_read_but_never_a_fault(caller: Caller, content_type: str) -> None:
    headers = {"Content-Type": content_type, **caller.headers}
    body = b'{"query": "{ viewer { role } }"}'
    async with caller.system.session.post(caller.system.url, data=body, headers=headers) as reply:
        assert reply.status in {200, 400, 415}
    await caller.is_served()


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD"])
async def test_another_method_is_refused(caller: Caller, method: str) -> None:
    async with caller.system.session.request(method, caller.system.url, headers=caller.headers) as reply:
        assert reply.status == 405


async def test_a_mutation_by_get_changes_nothing(caller: Caller) -> None:
    document = 'mutation { createEntityType(input: {name: "by get", schema: {}}) { errors { message } } }'
    async with caller.system.session.get(
        caller.system.url, params={"query": document}, headers=caller.headers
    ) as reply:
        assert "errors" in await reply.json()
    assert (await caller.data('{ entityTypes(search: "by get") { nodes { id } } }'))["entityTypes"]["nodes"] == []


async def test_500_small_queries_at_once_are_all_answered(system: System, caller: Caller) -> None:
    connector = aiohttp.TCPConnector(limit=500)
    began = time.monotonic()
    async with aiohttp.ClientSession(connector=connector, headers=caller.headers) as session:

        async def ask() -> int:
            async with session.post(system.url, json={"query": "{ workflows(first: 1) { nodes { id } } }"}) as reply:
                assert "errors" not in await reply.json()
                return reply.status

        async with asyncio.timeout(30):
            assert set(await asyncio.gather(*(ask() for _ in range(500)))) == {200}
    assert time.monotonic() - began < 20
