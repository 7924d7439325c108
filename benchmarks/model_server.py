"""A service that runs models, as cheap as can be: each request has the same answer, after the time given as the argument.

It says its port when it listens, and on `GET /` how many requests it answered and how many it had at once at most. It reads
of a request only its length: the processor time that it takes is taken from what is measured.
"""

import asyncio
import sys
from typing import cast

import orjson
import uvloop

ANSWER = orjson.dumps(
    {
        "id": "chatcmpl-benchmark",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "gpt-4o-mini",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "A fine customer."}, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 120, "completion_tokens": 8, "total_tokens": 128},
    }
)


class Counts:
    answered = 0
    under_way = 0
    most_at_once = 0


def response(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


class Exchange(asyncio.Protocol):
    """One connection, with one request at a time on it."""

    def __init__(self, seconds: float, counts: Counts) -> None:
        self._seconds = seconds
        self._counts = counts
        self._loop = asyncio.get_running_loop()
        self._received = b""
        self._answer = response(ANSWER)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        if head.startswith(b"GET"):
            self._received = b""
            counts = {"answered": self._counts.answered, "mostAtOnce": self._counts.most_at_once}
            self._transport.write(response(orjson.dumps(counts)))
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) >= length:
            self._received = b""
            counts = self._counts
            counts.under_way += 1
            counts.most_at_once = max(counts.most_at_once, counts.under_way)
            self._loop.call_later(self._seconds, self._reply)

    def _reply(self) -> None:
        self._counts.under_way -= 1
        self._counts.answered += 1
        self._transport.write(self._answer)


async def serve(seconds: float) -> None:
    counts = Counts()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Exchange(seconds, counts), "127.0.0.1", 0, backlog=1_000)
    print(f"Listening on port {server.sockets[0].getsockname()[1]}.", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(float(sys.argv[1])))
