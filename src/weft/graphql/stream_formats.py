"""How the payloads of an operation are written into one response: as an event stream, or in parts.

- `EVENT_STREAM`: GraphQL over Server-Sent Events, in its distinct connections mode. A stream that ends without `complete` was
  cut off: its client connects again.
- `PARTS`: multipart subscriptions, the way of Apollo's clients over HTTP. These do not connect again by themselves, so that a
  stream is cut off with an error.
"""

import random
from collections.abc import Mapping
from typing import Protocol

from weft.kit.json import dump_bytes

UNBUFFERED = {
    "Cache-Control": "no-cache, no-transform",  # neither kept nor compressed on the way, which would hold it back
    "X-Accel-Buffering": "no",
}
PADDING_BYTES = 2048
"""Some proxies pass nothing on before so much has come."""
RETURN_SECONDS = (1.0, 6.0)
"""When clients come back to a process that was stopped: spread out, so that they do not all come at once."""


class StreamFormat(Protocol):
    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def opening(self) -> bytes:
        """Sent at once, so that the client and what stands between know that they are answered."""
        ...

    @property
    def heartbeat(self) -> bytes: ...

    @property
    def complete(self) -> bytes:
        """Nothing follows."""
        ...

    def event(self, payload: bytes, place: str | None) -> bytes:
        """`payload` is `{"data": …}` in one line; `place` is where a client goes on that saw it."""
        ...

    def refusal(self, error: Mapping[str, object]) -> bytes:
        """The last words of a stream whose client may watch no longer."""
        ...

    def interruption(self, error: Mapping[str, object]) -> bytes:
        """The last words of a stream whose client should ask again."""
        ...


class _EventStream:
    """Lines end as urql knows it: it finds events by two line feeds, and takes a blank after `data:` for data."""

    headers: Mapping[str, str] = {"Content-Type": "text/event-stream", **UNBUFFERED}
    opening = b":" + b" " * PADDING_BYTES + b"\n\n"
    heartbeat = b":\n\n"
    complete = b"event: complete\ndata:\n\n"

    def event(self, payload: bytes, place: str | None) -> bytes:
        if place is None:
            return b"event: next\ndata: %b\n\n" % payload
        return b"event: next\nid: %b\ndata: %b\n\n" % (place.encode(), payload)

    def refusal(self, error: Mapping[str, object]) -> bytes:
        return self.event(dump_bytes({"data": None, "errors": [error]}), None) + self.complete

    def interruption(self, error: Mapping[str, object]) -> bytes:  # noqa: ARG002 - the client comes back, and need not be told
        seconds = random.uniform(*RETURN_SECONDS)  # noqa: S311 - nothing secret
        return b"retry: %d\n\n" % round(seconds * 1000)


class _Parts:
    """A part is whole with the boundary behind it, and its length lets a client take it before that has come."""

    headers: Mapping[str, str] = {
        "Content-Type": "multipart/mixed;boundary=graphql;subscriptionSpec=1.0",  # letter by letter: gql compares it
        **UNBUFFERED,
    }
    complete = b"--\r\n"

    @property
    def opening(self) -> bytes:
        return b"\r\n--graphql" + self.heartbeat

    @property
    def heartbeat(self) -> bytes:
        return self._part(b"{}")

    def event(self, payload: bytes, place: str | None) -> bytes:  # noqa: ARG002 - parts have no places
        return self._part(b'{"payload":%b}' % payload)

    def refusal(self, error: Mapping[str, object]) -> bytes:
        return self._part(dump_bytes({"payload": None, "errors": [error]})) + self.complete

    interruption = refusal

    @staticmethod
    def _part(body: bytes) -> bytes:
        head = b"\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\n\r\n" % len(body)
        return head + body + b"\r\n--graphql"


EVENT_STREAM: StreamFormat = _EventStream()
PARTS: StreamFormat = _Parts()
