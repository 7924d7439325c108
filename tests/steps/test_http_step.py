"""The http step against a real receiver on loopback, through the real client."""

import json
from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, cast

import pytest
from pytest_httpserver import HTTPServer
from steps.items import CATALOGUE, item, problems, step
from werkzeug import Request, Response

from weft.domain.errors import ErrorCode
from weft.domain.outside import HttpSender
from weft.domain.step import Fail, Retry, Shape
from weft.integrations.http import HttpClient


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    async with HttpClient(allowed_hosts=["127.0.0.1", "localhost"]) as client:
        yield client


async def call(client: HttpSender, config: dict[str, Any], value: Any = None, **params: Any) -> Any:
    return await cast("Awaitable[Any]", step("http", config).run(item(value, client=client, **params), value))


def _what_came(request: Request) -> Response:
    came = {
        "method": request.method,
        "query": dict(request.args),
        "headers": {name.lower(): value for name, value in request.headers.items()},
        "body": request.get_data(as_text=True),
    }
    return Response(json.dumps(came), content_type="application/json")


@pytest.fixture
def echo(httpserver: HTTPServer) -> str:
    httpserver.expect_request("/echo").respond_with_handler(_what_came)
    return httpserver.url_for("/echo")


async def test_url_query_headers_and_body_are_made_of_the_item(client: HttpClient, echo: str) -> None:
    config = {
        "method": "POST",
        "url": echo + "?fixed=1",
        "query": {"q": "{{ title }} & more"},
        "headers": {"Authorization": "Bearer {{ params.token }}"},
        "body": {"title": "input.title", "twice": "input.n * 2"},
    }
    output = await call(client, config, {"title": "Ada", "n": 2}, token="secret")

    came = output["body"]
    assert output["status"] == 200
    assert came["query"] == {"fixed": "1", "q": "Ada & more"}
    assert came["headers"]["authorization"] == "Bearer secret"
    assert came["headers"]["content-type"] == "application/json"
    assert json.loads(came["body"]) == {"title": "Ada", "twice": 4}


async def test_a_body_of_text_is_sent_as_it_is_rendered(client: HttpClient, echo: str) -> None:
    config = {"method": "PUT", "url": echo, "body": "<a>{{ title }}</a>", "headers": {"content-type": "text/xml"}}
    came = (await call(client, config, {"title": "é"}))["body"]

    assert came["body"] == "<a>é</a>"
    assert came["headers"]["content-type"] == "text/xml"


async def test_writing_methods_send_the_idempotency_key_and_reading_ones_do_not(client: HttpClient, echo: str) -> None:
    sent = (await call(client, {"method": "POST", "url": echo}))["body"]["headers"]
    renamed = (await call(client, {"method": "POST", "url": echo, "idempotencyHeader": "X-Key"}))["body"]["headers"]
    own = {"method": "POST", "url": echo, "headers": {"idempotency-key": "mine"}}
    none = (await call(client, {"method": "POST", "url": echo, "idempotencyHeader": None}))["body"]["headers"]
    read = (await call(client, {"url": echo}))["body"]["headers"]

    assert sent["idempotency-key"] == "run:0:it"
    assert renamed["x-key"] == "run:0:it"
    assert (await call(client, own))["body"]["headers"]["idempotency-key"] == "mine"
    assert "idempotency-key" not in none
    assert "idempotency-key" not in read


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_a_status_that_will_pass_is_worth_another_try(
    client: HttpClient, httpserver: HTTPServer, status: int
) -> None:
    httpserver.expect_request("/").respond_with_data("busy", status=status, headers={"Retry-After": "7"})

    with pytest.raises(Retry) as answer:
        await call(client, {"url": httpserver.url_for("/")})

    assert answer.value.code == f"HTTP_{status}"
    assert answer.value.after == timedelta(seconds=7)
    assert "busy" in answer.value.reason


@pytest.mark.parametrize(
    ("written", "wait"),
    [
        ("", None),
        ("soon", None),
        ("-5", None),
        ("99999999999999999999", timedelta(hours=1)),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
        ("Mon, 01 Jan 2024 00:00:00 +99999999999999999999", None),
        (format_datetime(datetime(2020, 1, 1, tzinfo=UTC), usegmt=True), timedelta(0)),
        (format_datetime(datetime(2200, 1, 1, tzinfo=UTC), usegmt=True), timedelta(hours=1)),
    ],
)
async def test_any_retry_after_gives_a_wait_within_bounds(
    client: HttpClient, httpserver: HTTPServer, written: str, wait: timedelta | None
) -> None:
    httpserver.expect_request("/").respond_with_data("", status=503, headers={"Retry-After": written})

    with pytest.raises(Retry) as answer:
        await call(client, {"url": httpserver.url_for("/")})

    assert answer.value.after == wait


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 501, 304])
async def test_another_status_fails_with_the_start_of_the_body(
    client: HttpClient, httpserver: HTTPServer, status: int
) -> None:
    httpserver.expect_request("/").respond_with_data(
        "" if status == 304 else "no such item " + "x" * 5_000, status=status
    )

    with pytest.raises(Fail) as answer:
        await call(client, {"url": httpserver.url_for("/")})

    assert answer.value.code == f"HTTP_{status}"
    assert answer.value.details["status"] == status
    assert len(answer.value.details["body"]) <= 500


async def test_an_expected_status_is_an_output(client: HttpClient, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("gone", status=404)

    output = await call(client, {"url": httpserver.url_for("/"), "expectedStatuses": ["2xx", 404]})

    assert (output["status"], output["body"]) == (404, "gone")


@pytest.mark.parametrize(
    ("kind", "content_type", "body", "expected"),
    [
        ("auto", "application/json", b'{"a": 1}', {"a": 1}),
        ("auto", "application/problem+json; charset=utf-8", b"[1]", [1]),
        ("auto", "application/json", b"", None),
        ("auto", "text/html; charset=latin-1", "é".encode("latin-1"), "é"),
        ("auto", "text/plain; charset=nonsense", "é".encode(), "é"),
        ("auto", "application/octet-stream", b"\x00\xff", "\ufffd\ufffd"),
        ("json", "text/plain", b"5", 5),
        ("text", "application/json", b"5", "5"),
    ],
)
async def test_the_body_is_read_as_wanted(
    client: HttpClient, httpserver: HTTPServer, kind: str, content_type: str, body: bytes, expected: Any
) -> None:
    httpserver.expect_request("/").respond_with_data(body, content_type=content_type)

    assert (await call(client, {"url": httpserver.url_for("/"), "responseType": kind}))["body"] == expected


@pytest.mark.parametrize("body", ["<html>", "[" * 500 + "]" * 500])
async def test_a_body_that_is_no_usable_json_fails_with_its_start(
    client: HttpClient, httpserver: HTTPServer, body: str
) -> None:
    httpserver.expect_request("/").respond_with_data(body, content_type="application/json")

    with pytest.raises(Fail) as answer:
        await call(client, {"url": httpserver.url_for("/")})

    assert answer.value.code == "INVALID_RESPONSE"
    assert answer.value.details["body"] == body[:500]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://169.254.169.254/latest/meta-data", "ADDRESS_REFUSED"),
        ("http://[::ffff:127.0.0.1]/", "ADDRESS_REFUSED"),
        ("file:///etc/passwd", "ADDRESS_REFUSED"),
        ("{{ input.url }}", "ADDRESS_REFUSED"),
        ("not a url", "ADDRESS_REFUSED"),
        ("{{ input.absent }}", "TEMPLATE_FAILED"),
    ],
)
async def test_a_url_that_leads_inside_fails_the_item(client: HttpClient, url: str, code: str) -> None:
    with pytest.raises(Fail) as answer:
        await call(client, {"url": url}, {"url": "http://10.0.0.1/"})

    assert answer.value.code == code


async def test_a_query_on_a_url_that_is_none_fails_the_item(client: HttpClient) -> None:
    with pytest.raises(Fail) as answer:
        await call(client, {"url": "http://[::1/", "query": {"a": "b"}})

    assert answer.value.code == "INVALID_REQUEST"


async def test_a_header_with_a_line_break_in_its_value_fails_the_item(client: HttpClient, echo: str) -> None:
    with pytest.raises(Fail) as answer:
        await call(client, {"url": echo, "headers": {"X-A": "{{ input }}"}}, "a\r\nX-B: b")

    assert answer.value.code == "INVALID_REQUEST"


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"url": ""},
        {"url": "http://x", "method": "TRACE"},
        {"url": "http://x", "body": {"a": "1"}},
        {"url": "http://x", "headers": {"Host": "y"}},
        {"url": "http://x", "headers": {"a b": "y"}},
        {"url": "http://x", "idempotencyHeader": "Content-Length"},
        {"url": "http://x", "timeout": "PT0S"},
        {"url": "http://x", "timeout": "PT1H"},
        {"url": "http://x", "maxBytes": 0},
        {"url": "http://x", "maxBytes": 10**12},
        {"url": "http://x", "responseType": "xml"},
    ],
)
def test_a_config_that_makes_no_sense_is_a_problem(config: dict[str, Any]) -> None:
    assert {problem.code for problem in problems("http", config)} == {ErrorCode.INVALID_CONFIG}


@pytest.mark.parametrize("statuses", [[99], ["9xx"], ["ok"], []])
def test_a_status_that_there_is_not_is_a_problem_at_its_place(statuses: list[Any]) -> None:
    found = problems("http", {"url": "http://x", "expectedStatuses": statuses})

    assert all("expectedStatuses" in problem.path for problem in found)
    assert found


def test_mistakes_in_texts_and_expressions_are_problems_with_their_places() -> None:
    config = {"method": "POST", "url": "{{", "headers": {"X-A": "{{ a | nope }}"}, "body": {"a": "1 +"}}

    assert [problem.path[-1] for problem in problems("http", config)] == ["url", "X-A", "a"]


def test_it_waits_so_that_items_go_out_at_once() -> None:
    found = CATALOGUE.find("http")

    assert found is not None
    assert found[0].shape() is Shape.WAITS
