"""The way of the model libraries into the network: through our own HTTP client, and nowhere else.

So the address guard stands before every connection, an answer is bounded, a redirect is refused, and
the exchange is closed when the call is cancelled. A `Fail` or `Retry` of the HTTP client passes through the libraries as
the cause of what they raise.
"""

from collections.abc import Mapping
from datetime import timedelta

import httpx2

from weft.domain.outside import HttpReply, HttpSender
from weft.domain.step import Fail

MOST_BYTES = 4 * 1024 * 1024
"""Of an answer: several times the longest that a model writes. What is in it is checked, which takes a second for each."""
_SENT = frozenset({"accept", "anthropic-beta", "anthropic-version", "content-type", "user-agent"})
"""Nothing else: the libraries also send what they find in the environment of the process, such as tokens of the operator."""
_NOT_PASSED_ON = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""The body was unpacked already."""

_REDIRECTS = range(300, 400)


class WayOut:
    """Requests to one provider, with its key."""

    def __init__(self, http: HttpSender, key: str | None) -> None:
        self._http = http
        self._signed = {} if key is None else {"authorization": f"Bearer {key}"}

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes, seconds: float) -> HttpReply:
        reply = await self._http.send(
            method,
            url,
            headers={**headers, **self._signed},
            body=body,
            timeout=timedelta(seconds=seconds),
            max_bytes=MOST_BYTES,
            follow_redirects=False,
        )
        if reply.status in _REDIRECTS:
            # Followed, it would carry the key and the prompt to where nobody configured it.
            there = reply.headers.get("location", "nowhere")[:200]
            raise Fail(f"The provider redirects to {there}: its base URL is another one.", code=f"HTTP_{reply.status}")
        return reply


class GuardedTransport(httpx2.AsyncBaseTransport):
    def __init__(self, way_out: WayOut) -> None:
        self._way_out = way_out

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        headers = {name: value for name, value in request.headers.items() if name in _SENT}
        seconds = request.extensions["timeout"]["read"]
        reply = await self._way_out.send(request.method, str(request.url), headers, await request.aread(), seconds)
        return as_response(reply, request)


def as_response(reply: HttpReply, request: httpx2.Request) -> httpx2.Response:
    """As the libraries take it."""
    headers = [(name, value) for name, value in reply.headers.items() if name not in _NOT_PASSED_ON]
    return httpx2.Response(reply.status, headers=headers, content=reply.body, request=request)
