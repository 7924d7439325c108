"""The HTTP client against real servers on loopback, which is closed to it unless it is allowed."""

import asyncio
import gzip
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from weft.domain.errors import StartupError
from weft.domain.outside import HttpReply
from weft.domain.step import Fail, Retry
from weft.integrations.http import RESERVED_HEADERS, HttpClient

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def _echo(request: web.Request) -> web.Response:
    body = await request.read()
    return web.json_response({"method": request.method, "headers": dict(request.headers), "body": body.decode()})


async def _redirect(request: web.Request) -> web.Response:
    headers = {"Location": request.query["to"]}
    return web.Response(status=int(request.query.get("status", "302")), headers=headers)


async def _large(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(64):
        await response.write(b"x" * 65_536)
    return response


async def _bomb(_: web.Request) -> web.Response:
    body = gzip.compress(bytes(32 * 1024 * 1024))
    return web.Response(body=body, headers={"Content-Encoding": "gzip"})


async def _slow(_: web.Request) -> web.Response:
    await asyncio.sleep(30)
    return web.Response()


async def _repeated(_: web.Request) -> web.Response:
    response = web.Response(text="ok")
    response.headers.add("X-Many", "one")
    response.headers.add("X-Many", "two")
    return response


async def _cookie(request: web.Request) -> web.Response:
    response = web.Response(text=request.headers.get("Cookie", "none"))
    response.set_cookie("session", "secret")
    return response


class Receiver:
    """A real server on loopback."""

    def __init__(self, port: int) -> None:
        self.port = port

    def make_url(self, path: str) -> URL:
        return URL(f"http://127.0.0.1:{self.port}{path}")


@asynccontextmanager
async def _serving(routes: Mapping[str, Handler]) -> AsyncGenerator[Receiver]:
    app = web.Application()
    for path, handler in routes.items():
        app.router.add_route("*", path, handler)
    server: Any = TestServer(app)
    await server.start_server()
    try:
        yield Receiver(int(server.port or 0))
    finally:
        await server.close()


@pytest.fixture
async def server() -> AsyncIterator[Receiver]:
    routes: dict[str, Handler] = {
        "/echo": _echo, "/redirect": _redirect, "/large": _large, "/bomb": _bomb, "/slow": _slow,
        "/repeated": _repeated, "/cookie": _cookie,
    }  # fmt: skip
    async with _serving(routes) as receiver:
        yield receiver


@pytest.fixture
async def closed() -> AsyncIterator[HttpClient]:
    """A client as it is by default."""
    async with HttpClient() as client:
        yield client


@pytest.fixture
async def allowed() -> AsyncIterator[HttpClient]:
    """A client that may reach 127.0.0.1 under this spelling."""
    async with HttpClient(allowed_hosts=["127.0.0.1/32"]) as client:
        yield client


async def _send(client: HttpClient, url: object, method: str = "GET", **options: Any) -> HttpReply:
    headers: Mapping[str, str] = options.pop("headers", {})
    body: bytes | None = options.pop("body", None)
    settings: dict[str, Any] = {
        "timeout": timedelta(seconds=5),
        "max_bytes": 1_000_000,
        "follow_redirects": True,
        **options,
    }
    return await client.send(method, str(url), headers=headers, body=body, **settings)


def _spelled(server: Receiver, host: str, path: str = "/echo") -> str:
    return f"http://{host}:{server.port}{path}"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0", "[::1]",
             "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "169.254.169.254", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"]
)  # fmt: skip
async def test_every_spelling_of_a_closed_address_is_refused(closed: HttpClient, server: Receiver, host: str) -> None:
    with pytest.raises((Fail, Retry)) as refusal:
        await _send(closed, _spelled(server, host))

    # Some spellings are no URL to the library or no name to the system, and never reach the guard.
    assert refusal.value.code in {"ADDRESS_REFUSED", "NETWORK_FAULT", "INVALID_REQUEST"}
    if host in {"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254"}:
        assert refusal.value.code == "ADDRESS_REFUSED"
        assert "administrator" in refusal.value.reason


async def test_a_name_that_resolves_to_a_closed_address_later_is_refused_at_the_socket(
    server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([[("203.0.113.1", 0)], [("127.0.0.1", server.port)]])
    original = socket.getaddrinfo

    def rebinding(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host != "rebinding.example":
            return original(host, port, *args, **kwargs)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in next(answers)]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    for _ in range(2):
        async with HttpClient() as client:
            with pytest.raises(Fail) as refusal:
                await _send(client, _spelled(server, "rebinding.example"))
            assert refusal.value.code == "ADDRESS_REFUSED"


@pytest.mark.parametrize("entry", ["127.0.0.1", "localhost", "localhost:{port}", "127.0.0.0/8"])
async def test_what_an_administrator_allowed_is_reached(server: Receiver, entry: str) -> None:
    host = "localhost" if entry.startswith("localhost") else "127.0.0.1"
    async with HttpClient(allowed_hosts=[entry.format(port=server.port)]) as client:
        reply = await _send(client, _spelled(server, host))

    assert reply.status == 200
    assert reply.headers["content-type"].startswith("application/json")


async def test_a_host_allowed_on_another_port_is_refused(server: Receiver) -> None:
    async with HttpClient(allowed_hosts=["localhost:1"]) as client:
        with pytest.raises(Fail, match="refused"):
            await _send(client, _spelled(server, "localhost"))


async def test_a_redirect_to_a_closed_address_is_refused(server: Receiver) -> None:
    async with HttpClient(allowed_hosts=[f"localhost:{server.port}"]) as client:
        target = _spelled(server, "127.0.0.1")
        with pytest.raises(Fail) as refusal:
            await _send(client, _spelled(server, "localhost", f"/redirect?to={target}"))

    assert refusal.value.code == "ADDRESS_REFUSED"


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://127.0.0.1/", "http://user:secret@127.0.0.1/", "unix:///x"]
)
async def test_a_redirect_to_another_scheme_or_with_credentials_is_refused(
    allowed: HttpClient, server: Receiver, target: str
) -> None:
    with pytest.raises(Fail) as refusal:
        await _send(allowed, server.make_url("/redirect").with_query(to=target))

    assert refusal.value.code == "ADDRESS_REFUSED"
    assert "secret" not in refusal.value.reason


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("file:///etc/passwd", "ADDRESS_REFUSED"),
        ("http+unix://%2Fvar%2Frun%2Fdocker.sock/info", "ADDRESS_REFUSED"),
        ("http://user:secret@example.com/", "ADDRESS_REFUSED"),
        ("//example.com/", "ADDRESS_REFUSED"),
        ("example.com", "ADDRESS_REFUSED"),
        ("", "ADDRESS_REFUSED"),
        ("http://", "INVALID_REQUEST"),
        ("http://:80/", "INVALID_REQUEST"),
        ("http://example.com:99999/", "INVALID_REQUEST"),
        ("http://[::1/", "INVALID_REQUEST"),
        ("http://example.com/" + "x" * 9_000, "INVALID_REQUEST"),
    ],
)
async def test_a_url_that_is_none_for_us_is_refused_before_anything_is_sent(
    closed: HttpClient, url: str, code: str
) -> None:
    with pytest.raises(Fail) as refusal:
        await _send(closed, url)

    assert refusal.value.code == code
    assert "secret" not in refusal.value.reason


async def test_redirects_are_followed_and_end(allowed: HttpClient, server: Receiver) -> None:
    found = await _send(allowed, server.make_url("/redirect").with_query(to="/echo"))
    left = await _send(allowed, server.make_url("/redirect").with_query(to="/echo"), follow_redirects=False)

    assert (found.status, found.url) == (200, str(server.make_url("/echo")))
    assert left.status == 302


async def test_a_circle_of_redirects_ends(allowed: HttpClient) -> None:
    async def again(_: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "/"})

    async with _serving({"/": again}) as server:
        with pytest.raises(Fail) as refusal:
            await _send(allowed, server.make_url("/"))

    assert refusal.value.code == "TOO_MANY_REDIRECTS"


@pytest.mark.parametrize(("status", "method", "body"), [(302, "GET", ""), (303, "GET", ""), (307, "POST", "hello")])
async def test_a_redirected_post_keeps_its_body_only_where_the_standard_says_so(
    allowed: HttpClient, server: Receiver, status: int, method: str, body: str
) -> None:
    url = server.make_url("/redirect").with_query(to="/echo", status=status)
    reply = await _send(allowed, url, "POST", body=b"hello", headers={"Content-Type": "text/plain"})

    assert f'"method": "{method}"'.encode() in reply.body
    assert f'"body": "{body}"'.encode() in reply.body


async def test_headers_that_may_hold_secrets_do_not_follow_to_another_origin(server: Receiver) -> None:
    headers = {"Authorization": "Bearer secret", "X-Api-Key": "secret", "Accept": "text/plain", "Cookie": "a=secret"}
    async with HttpClient(allowed_hosts=["localhost", "127.0.0.1"]) as client:
        same = server.make_url("/redirect").with_query(to="/echo")
        other = server.make_url("/redirect").with_query(to=_spelled(server, "localhost"))
        kept = await _send(client, same, headers=headers)
        dropped = await _send(client, other, headers=headers)

    assert kept.body.count(b"secret") == 3
    assert b"secret" not in dropped.body
    assert b"text/plain" in dropped.body


async def test_an_answer_that_is_too_large_is_stopped_while_it_streams(allowed: HttpClient, server: Receiver) -> None:
    with pytest.raises(Fail) as refusal:
        await _send(allowed, server.make_url("/large"), max_bytes=100_000)

    assert refusal.value.code == "RESPONSE_TOO_LARGE"


async def test_an_answer_that_unfolds_beyond_the_limit_is_stopped(allowed: HttpClient, server: Receiver) -> None:
    with pytest.raises(Fail) as refusal:
        await _send(allowed, server.make_url("/bomb"), max_bytes=1_000_000)

    assert refusal.value.code == "RESPONSE_TOO_LARGE"


async def test_an_answer_that_does_not_come_is_given_up(allowed: HttpClient, server: Receiver) -> None:
    with pytest.raises(Retry) as fault:
        await _send(allowed, server.make_url("/slow"), timeout=timedelta(milliseconds=100))

    assert fault.value.code == "TIMEOUT"


async def test_a_port_where_nobody_listens_is_a_network_fault_without_the_address(allowed: HttpClient) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(Retry) as fault:
        await _send(allowed, f"http://127.0.0.1:{port}/")

    assert fault.value.code == "NETWORK_FAULT"
    assert str(port) not in fault.value.reason


async def test_a_connection_that_breaks_is_a_network_fault(allowed: HttpClient) -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Retry) as fault:
            await _send(allowed, f"http://127.0.0.1:{port}/")

    assert fault.value.code == "NETWORK_FAULT"


@pytest.mark.parametrize(
    "headers", [{"X-A": "a\r\nX-B: b"}, {"X\r\nY": "a"}, *({name: "x"} for name in RESERVED_HEADERS)]
)
async def test_a_header_that_would_steer_the_connection_is_refused(
    allowed: HttpClient, server: Receiver, headers: dict[str, str]
) -> None:
    with pytest.raises(Fail) as refusal:
        await _send(allowed, server.make_url("/echo"), headers=headers)

    assert refusal.value.code == "INVALID_REQUEST"


async def test_repeated_headers_are_joined_under_one_name_in_lower_case(allowed: HttpClient, server: Receiver) -> None:
    reply = await _send(allowed, server.make_url("/repeated"))

    assert reply.headers["x-many"] == "one, two"


async def test_cookies_are_not_kept_between_requests(allowed: HttpClient, server: Receiver) -> None:
    await _send(allowed, server.make_url("/cookie"))

    assert (await _send(allowed, server.make_url("/cookie"))).body == b"none"


async def test_proxies_of_the_environment_are_not_used(
    allowed: HttpClient, server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    assert (await _send(allowed, server.make_url("/echo"))).status == 200


async def test_a_client_that_is_not_open_says_so() -> None:
    with pytest.raises(RuntimeError, match="not open"):
        await _send(HttpClient(), "http://example.com/")


def test_an_allowed_host_that_cannot_be_read_stops_the_start() -> None:
    with pytest.raises(StartupError):
        HttpClient(allowed_hosts=["http://x"])
