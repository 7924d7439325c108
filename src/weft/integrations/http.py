"""The HTTP client of steps and deliveries: bounded in every direction, behind the address guard."""

import asyncio
import os
import socket
import ssl
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Self

import aiohttp
from yarl import URL

from weft.domain.outside import HttpReply
from weft.domain.step import Fail, Retry
from weft.integrations.addresses import AllowedHosts

MAX_REDIRECTS = 10
MAX_URL_CHARACTERS = 8_000
MAX_CONNECTIONS = 2_000
"""More than a worker has under way: waiting for a connection would count against the time of the request. How many calls
a receiver gets at once is for the `concurrency` of the run to say."""
CONNECT_TIMEOUT_SECONDS = 10.0
"""Of one address. Shorter than most timeouts of a whole exchange, so that a second address is still tried."""
RESERVED_HEADERS = frozenset(
    {
        "connection", "content-length", "expect", "host", "http2-settings", "keep-alive", "proxy-authorization",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip
"""They steer the connection itself: set by a stranger, they could smuggle a second request past a proxy."""
_HEADERS_FOR_EVERY_ORIGIN = frozenset(
    {"accept", "accept-language", "content-type", "idempotency-key", "user-agent"}  # hold no secret
)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SEE_OTHER = frozenset({301, 302, 303})
_CHUNK_BYTES = 64 * 1024
_AddrInfo = tuple[int, int, int, str, tuple[Any, ...]]


class AddressRefusedError(OSError):
    """Raised where a socket would be made; the text is the same for every address, so that it survives being merged."""


class HttpClient:
    """One per process, opened in its event loop. An `HttpSender`.

    Every request goes through one of two pools: the guarded one, or, for a host that the administrator allowed by name,
    the trusted one. A pool never shares its connections, so a guarded request cannot ride on a trusted connection.
    """

    def __init__(
        self,
        *,
        allowed_hosts: Iterable[str] = (),
        max_connections: int = MAX_CONNECTIONS,
        max_connections_per_host: int = MAX_CONNECTIONS,
    ) -> None:
        self._allowed = AllowedHosts.parse(allowed_hosts)
        self._max_connections = max_connections
        self._max_connections_per_host = max_connections_per_host
        self._guarded: aiohttp.ClientSession | None = None
        self._trusted: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        self._guarded = self._session(guarded=True)
        self._trusted = self._session(guarded=False)

    async def close(self) -> None:
        sessions, self._guarded, self._trusted = (self._guarded, self._trusted), None, None
        for session in sessions:
            if session is not None:
                await session.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: timedelta,  # noqa: ASYNC109 - the limit of the whole exchange, redirects included
        max_bytes: int,
        follow_redirects: bool,
    ) -> HttpReply:
        """Raises `Fail` with ADDRESS_REFUSED, INVALID_REQUEST, RESPONSE_TOO_LARGE, TOO_MANY_REDIRECTS or TLS_FAILED, and
        `Retry` with TIMEOUT or NETWORK_FAULT.
        """
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                return await self._walk(method, url, dict(headers), body, max_bytes, follow=follow_redirects)
        except aiohttp.ServerTimeoutError as error:
            raise Retry(f"{_host(url)} does not accept a connection in time.", code="TIMEOUT") from error
        except TimeoutError as error:
            raise Retry(f"No complete answer within {timeout.total_seconds():g} seconds.", code="TIMEOUT") from error
        except (aiohttp.ClientConnectorCertificateError, ssl.SSLError) as error:
            raise Fail(f"The certificate or encryption of {_host(url)} is not valid.", code="TLS_FAILED") from error
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, AddressRefusedError):
                raise _refused(error.host) from error
            raise Retry(f"Cannot connect to {error.host}: {_words(error)}.", code="NETWORK_FAULT") from error
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, ValueError, UnicodeError) as error:
            raise Fail(f"The request cannot be sent: {error}", code="INVALID_REQUEST") from error
        except (aiohttp.ClientError, OSError) as error:
            raise Retry(f"The exchange with {_host(url)} broke: {_words(error)}.", code="NETWORK_FAULT") from error

    async def _walk(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None, max_bytes: int, *, follow: bool
    ) -> HttpReply:
        for name in headers:
            if name.lower() in RESERVED_HEADERS:
                raise Fail(f"The header {name} is set by the client itself.", code="INVALID_REQUEST")
        here = _checked(url)
        for _ in range(MAX_REDIRECTS + 1):
            async with self._session_for(here).request(
                method, here, headers=headers, data=body, allow_redirects=False
            ) as response:
                location = response.headers.get("Location") if response.status in _REDIRECTS and follow else None
                if location is None:
                    return await _read(response, max_bytes)
                status = response.status
            there = _checked(str(here.join(URL(location))))
            if there.origin() != here.origin():
                headers = {name: value for name, value in headers.items() if name.lower() in _HEADERS_FOR_EVERY_ORIGIN}
            if status in _SEE_OTHER and method not in {"GET", "HEAD"}:
                method, body = "GET", None
                headers = {name: value for name, value in headers.items() if name.lower() != "content-type"}
            here = there
        raise Fail(f"{_host(url)} redirected more than {MAX_REDIRECTS} times.", code="TOO_MANY_REDIRECTS")

    def _session_for(self, url: URL) -> aiohttp.ClientSession:
        trusted = self._allowed.has_host(url.host or "", url.port or 0)
        session = self._trusted if trusted else self._guarded
        if session is None:
            raise RuntimeError("The HTTP client is not open.")
        return session

    def _session(self, *, guarded: bool) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=self._max_connections,
            limit_per_host=self._max_connections_per_host,
            socket_factory=self._guarded_socket if guarded else None,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "Weft"},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_SECONDS),
            trust_env=False,
        )

    def _guarded_socket(self, info: _AddrInfo) -> socket.socket:
        family, kind, protocol, _, address = info
        if family not in {socket.AF_INET, socket.AF_INET6} or self._allowed.refusal(str(address[0])) is not None:
            raise AddressRefusedError("refused address")
        return socket.socket(family, kind, protocol)


def _checked(url: str) -> URL:
    if len(url) > MAX_URL_CHARACTERS:
        raise Fail(f"The URL is longer than {MAX_URL_CHARACTERS} characters.", code="INVALID_REQUEST")
    try:
        parsed = URL(url)
    except ValueError as error:
        raise Fail(f"{url[:200]!r} is not a URL: {error}.", code="INVALID_REQUEST") from error
    if parsed.scheme not in {"http", "https"}:
        raise Fail(f"{url[:200]!r} does not start with http:// or https://.", code="ADDRESS_REFUSED")
    if parsed.host is None:
        raise Fail(f"{url[:200]!r} names no host.", code="INVALID_REQUEST")
    if parsed.user is not None or parsed.password is not None:
        raise Fail("The URL holds a user name or password: send an Authorization header.", code="ADDRESS_REFUSED")
    return parsed


async def _read(response: aiohttp.ClientResponse, max_bytes: int) -> HttpReply:
    """The body is counted after decompression, chunk by chunk: a small answer that unfolds is stopped like a large one."""
    body = bytearray()
    too_large = (
        response.content_length is not None and response.content_length > max_bytes and response.method != "HEAD"
    )
    if not too_large:
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            body += chunk
            if len(body) > max_bytes:
                too_large = True
                break
    if too_large:
        response.close()
        raise Fail(f"The answer is larger than {max_bytes:,} bytes.", code="RESPONSE_TOO_LARGE")
    names = dict.fromkeys(name.lower() for name in response.headers)
    headers = {name: ", ".join(response.headers.getall(name)) for name in names}
    return HttpReply(response.status, headers, bytes(body), str(response.url))


def _refused(host: str) -> Fail:
    return Fail(
        f"Calls to {host} are refused: it leads to an address that is not public. "
        "An administrator can allow it with WEFT_ALLOWED_HOSTS.",
        code="ADDRESS_REFUSED",
    )


def _host(url: str) -> str:
    try:
        return URL(url).host or "the host"
    except ValueError:
        return "the host"


def _words(error: BaseException) -> str:
    """The system's own words for the error, without the address that the library puts into it: it may be a private one."""
    cause: object = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, socket.gaierror):
        return "the name does not resolve"
    if isinstance(cause, OSError) and cause.errno is not None:
        return os.strerror(cause.errno).lower()
    return type(cause).__name__
