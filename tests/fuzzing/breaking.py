"""Requests that are wrong: operations with something broken in their text, and bodies that are no requests."""

import json
import random
from typing import Any

from fuzzing.operations import Operation

_PIECES = (
    "{", "}", "(", ")", "[", "]", "...", "@", "$", "!", "|", "&", "=", ":", '"', '"""', "#", ",", "\ufeff", "\u0000", "é", "🏃",
    "on", "fragment", "query", "mutation", "subscription", "null", "true", "1e5", "-", "0x1", "__typename", "@include(if: $no)",
    "@skip(if: 1)", "@deprecated", "{ a", "...F0", "fragment F0 on Query { ...F0 }", "extend type Query { a: Int }", " type A { b: C }",
)  # fmt: skip
_WHOLE = (
    "", " ", "#", "{", "{}", "query", "query {", "{ __schema { types { name } } }", "{ __type(name: 5) { name } }",
    "subscription { __typename }", "subscription { a: __typename b: __typename }", "mutation { __typename }",
    "{ node(id: " + "[" * 300 + "]" * 300 + ") { id } }", "{ a" * 400, "{ " + "viewer { role } " * 800 + "}",
    "{ " + " ".join(f"a{n}: __typename" for n in range(60)) + " }", "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
    "query A { __typename } query B { __typename }", "query ($a: [[[[[Int]]]]]) { __typename }", "{ __typename } " + "x" * 60_000,
    "query ($a: Query) { __typename }", "{ runs(first: 100) { nodes { items(first: 100) { nodes { run { items(first: 100) { nodes { id } } } } } } } }",
    '{ node(id: """block\n"quoted"""") { id } }', '{ node(id: "\\u{1F600}") { id } }', '{ node(id: "\\ud800") { id } }',
)  # fmt: skip
_VALUES: tuple[Any, ...] = (None, "x", [], {}, -1)
_BODIES: tuple[bytes, ...] = (
    b"", b"{", b"null", b"1", b'"x"', b"[]", b"[[]]", b"\xff\xfe", b"\xef\xbb\xbf{}", b'{"query": 5}', b'{"query": {}}', b"{}",
    b'{"query": "{ __typename }", "variables": []}', b'{"query": "{ __typename }", "variables": "x"}',
    b'{"query": "{ __typename }", "operationName": {}}', b'{"query": "{ __typename }", "extensions": 0}',
    b'[{"query": "{ __typename }"}, {"query": "{ __typename }"}]', b'{"query": "{ __typename }", "variables": {"a": 1e999}}',
    b'{"documentId": "sha256:00"}', b'{"id": 5}', b'{"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "00"}}}',
    b'{"extensions": {"persistedQuery": []}}', b'{"query": "{ __typename }", "documentId": "x"}', b'{"a":' * 3_000,
    b'{"query": "{ __typename }", "query": "{"}', b'{"query": "query ($a: Int) { __typename }", "variables": {"a": ' + b"[" * 2_000 + b"]" * 2_000 + b"}}",
    b'{"query": "' + b"x" * 300_000 + b'"}', b'{"query": "{ __typename }", "variables": {"' + b"a" * 100_000 + b'": 1}}',
)  # fmt: skip


def broken(operation: Operation, chance: random.Random) -> dict[str, Any]:
    """The parameters of a request that is most likely refused."""
    parameters = operation.parameters
    match chance.randrange(8):
        case 0:
            return parameters | {"query": chance.choice(_WHOLE)}
        case 1:
            return parameters | {"variables": {name: chance.choice(_VALUES) for name in operation.variables}}
        case 2:
            return parameters | {"operationName": chance.choice(("", "Other", "Fuzz", "\u0000", "x" * 10_000))}
        case 3:
            return parameters | {"variables": operation.variables | {"other": "x" * chance.randrange(10_000)}}
        case _:
            return parameters | {"query": _damaged(operation.query, chance)}


def _damaged(text: str, chance: random.Random) -> str:
    for _ in range(chance.choice((1, 1, 2, 5))):
        at = chance.randrange(len(text) + 1)
        match chance.randrange(4):
            case 0:
                text = text[:at] + text[at + chance.randrange(1, 8) :]
            case 1:
                text = text[:at] + chance.choice(_PIECES) + text[at:]
            case 2:
                text = text[:at] + text[max(0, at - chance.randrange(200)) :]
            case _:
                text = text[:at]
    return text


def no_body(chance: random.Random) -> bytes:
    """The body of a request that is none."""
    if chance.random() < 0.3:
        return chance.randbytes(chance.randrange(200))
    if chance.random() < 0.1:
        return json.dumps({"query": "{ __typename }", "x": "x" * chance.choice((10, 2_500_000))}).encode()
    return chance.choice(_BODIES)


def headers(chance: random.Random) -> dict[str, str]:
    """What goes with any request: most often what clients send, sometimes not."""
    given = {
        "Accept": chance.choices(
            (
                "application/json", "application/graphql-response+json", "*/*", "text/event-stream",
                "application/graphql-response+json, application/json;q=0.9", "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json",
                "text/html", "image/png", "application/json;q=0", "", ";;q=x,,,", "a" * 2_000,
            ),
            weights=(8, 8, 4, 1, 4, 1, 1, 1, 1, 1, 1, 1),
        )[0],
        "Content-Type": chance.choices(
            ("application/json", "application/json; charset=utf-8", "text/plain", "", "application/json; charset=utf-16", "x/y;;"),
            weights=(20, 4, 1, 1, 1, 1),
        )[0],
    }  # fmt: skip
    if chance.random() < 0.1:
        given["X-Request-ID"] = chance.choice(("mine", "x" * 65, "a b", "1.2-3_4"))
    if chance.random() < 0.05:
        given["Last-Event-ID"] = chance.choice(("", "x", "bm90aGluZw==", "é"))
    return given
