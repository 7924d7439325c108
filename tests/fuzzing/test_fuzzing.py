"""A few seconds of the fuzzer. `make fuzz` is the long one, with other seeds."""

import random
from contextlib import suppress
from pathlib import Path

import pytest
from fuzzing.campaign import fuzz
from fuzzing.judging import Answer, wrong_about_answer
from fuzzing.operations import Maker
from fuzzing.pool import Pool
from fuzzing.values import Values
from graphql import GraphQLSyntaxError, OperationType, build_schema, parse, validate

from weft.graphql.schema import WeftSchema

pytestmark = pytest.mark.timeout(180)


@pytest.mark.acceptance
async def test_a_few_seconds_of_everything_find_nothing(tmp_path: Path) -> None:
    report = await fuzz(39, 6, tmp_path, lambda _line: None)

    assert report.findings == [], f"{report}\n\nThe logs are in {tmp_path / 'logs'}"
    assert set(report.sent) == {"post", "get", "socket", "nonsense"}


def test_most_operations_are_valid_and_reach_every_root_field() -> None:
    schema = build_schema(WeftSchema().as_str())
    reached: set[str] = set()
    valid = 0
    for number in range(600):
        chance = random.Random(number)
        kind = chance.choice(list(OperationType))
        operation = Maker(schema, Values(Pool(), chance, odd=0), chance).operation(kind)
        with suppress(GraphQLSyntaxError):  # half of a surrogate pair, which is also tried
            valid += not validate(schema, parse(operation.query))
        root = schema.get_root_type(kind)
        assert root is not None
        reached |= {name for name in root.fields if name in operation.query}
    assert valid > 480
    names = {name for kind in OperationType for name in (schema.get_root_type(kind) or schema.query_type).fields}  # pyright: ignore[reportOptionalMemberAccess] - there is a query type
    assert len(reached) > 0.9 * len(names)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b'{"errors": [{"message": "x", "extensions": {"code": "BAD_REQUEST", "requestId": "1"}}]}'),
        (200, b'{"errors": [{"message": "x", "extensions": {"code": "INTERNAL", "requestId": "1"}}]}'),
        (200, b'{"errors": [{"message": "x", "extensions": {"code": "BAD_REQUEST", "requestId": "2"}}]}'),
        (200, b'{"errors": [{"message": "Traceback", "extensions": {"code": "INVALID", "requestId": "1"}}]}'),
        (200, b'{"data": {"a": {"errors": [{"code": "INTERNAL"}]}}}'),
        (200, b"<html>"),
        (200, b"{}"),
    ],
)
def test_what_must_not_be_is_found(status: int, body: bytes) -> None:
    assert wrong_about_answer(Answer(status, "application/json", "1", body)) is not None


def test_what_may_be_is_not_found() -> None:
    refused = b'{"errors": [{"message": "x", "extensions": {"code": "BAD_REQUEST", "requestId": "1"}}]}'
    for status, body in (
        (200, b'{"data": {"a": 1}}'),
        (400, refused),
        (200, b'{"data": null, "errors": ' + refused[11:]),
    ):
        assert wrong_about_answer(Answer(status, "application/json", "1", body)) is None
