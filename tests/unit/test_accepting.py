"""What is made of an `Accept` header."""

import pytest

from weft.graphql.accepting import JSON, RESPONSE, Accepted, accepted
from weft.graphql.stream_formats import EVENT_STREAM, PARTS

APOLLO_SUBSCRIBES = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json"
URQL = (
    "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed"
)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

ANSWERS: list[tuple[str | None, str | None]] = [
    (None, JSON),
    ("", JSON),
    ("*/*", JSON),
    ("application/*", JSON),
    (JSON, JSON),
    (RESPONSE, RESPONSE),
    (f"{RESPONSE}; charset=utf-8, {JSON}; charset=utf-8", RESPONSE),
    (f"{JSON}, {RESPONSE}", RESPONSE),
    (f"{JSON}, {RESPONSE};q=0.9", JSON),
    (f"{RESPONSE};q=0.5, */*;q=0.1", RESPONSE),
    (f"*/*, {RESPONSE}", RESPONSE),
    (f"*/*, {RESPONSE};q=0.5", JSON),
    (f"{JSON};q=0, */*", RESPONSE),
    (f"{RESPONSE};q=0, */*", JSON),
    ("APPLICATION/JSON ; Q=0.7", JSON),
    ("*/*;q=0", None),
    ("text/html", None),
    ("text/*", None),
    ("application/graphql+json", None),
    (f"{JSON};q=nonsense", JSON),
    (f"{JSON};q=nan", JSON),
    (";;,,q=", None),
    (URQL, RESPONSE),
    (BROWSER, JSON),
    (f"{JSON}, " + ", ".join(f"x/y{number}" for number in range(100)), JSON),
]


@pytest.mark.parametrize(("header", "expected"), ANSWERS)
def test_an_answer_has_the_type_that_is_wanted_most(header: str | None, expected: str | None) -> None:
    assert accepted(header).answer == expected


def test_a_stream_is_only_for_those_who_name_it() -> None:
    assert accepted("text/event-stream") == Accepted(None, EVENT_STREAM)
    assert accepted(APOLLO_SUBSCRIBES) == Accepted(JSON, PARTS)
    assert accepted(URQL).stream is EVENT_STREAM
    assert accepted(f"{APOLLO_SUBSCRIBES}, text/event-stream").stream is EVENT_STREAM
    for other in (
        "*/*",
        "text/*",
        "text/event-stream;q=0",
        "multipart/mixed",
        'multipart/mixed;boundary="-";subscriptionSpec=1.0',
    ):
        assert accepted(other).stream is None, other


def test_a_page_is_only_for_browsers() -> None:
    assert accepted(BROWSER).page
    assert not accepted("*/*").page
