"""One process of watchers: each has a connection of its own and one subscription on it.

    python -m benchmarks.live_watchers <port>       where it is told, in lines of JSON, what to do (`live_crowd`)

A watcher takes from a frame the revision, and when it came, and nothing else, so that two such processes are no bottleneck. It
answers the server's pings, for a client that does not is dropped. What one process has noted goes into a file when it is asked for.
"""

import asyncio
import sys
import time
import uuid
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import orjson
import uvloop

from benchmarks.client import PROTOCOL
from benchmarks.live_frames import CLOSE, PING, PONG, TEXT, frame, frames_in, handshake, is_one_text

REVISION = b'"revision":'
OPENING_AT_ONCE = 10
"""In each process. Many more with a key that the API has not seen yet would count as guesses."""


class Receipts:
    """What the watchers of this process got, and what all of them have."""

    def __init__(self) -> None:
        self.watchers: list[Watcher] = []
        self.noting = False
        self.numbers, self.revisions, self.times = array("H"), array("q"), array("d")
        self._next = 0
        """The revision that not all have yet, and how many it is missing from."""
        self._missing = 0
        self.reached = asyncio.Event()
        self.lowest = 0

    def note(self, watcher: "Watcher", revision: int, at: float) -> None:
        before, watcher.newest = watcher.newest, revision
        if self.noting:
            self.numbers.append(watcher.number)
            self.revisions.append(revision)
            self.times.append(at)
        if before < self._next <= revision:
            self._missing -= 1
            if not self._missing:
                self.count()

    def count(self) -> None:
        self.lowest = min(watcher.newest for watcher in self.watchers)
        self._next = self.lowest + 1
        self._missing = sum(watcher.newest < self._next for watcher in self.watchers)
        self.reached.set()

    def begin(self) -> None:
        self.numbers, self.revisions, self.times = array("H"), array("q"), array("d")
        self.noting = True

    def write(self, path: Path) -> int:
        """How many there are."""
        self.noting = False
        with path.open("wb") as file:
            for column in (self.numbers, self.revisions, self.times):
                column.tofile(file)
        return len(self.numbers)


class Watcher(asyncio.Protocol):
    def __init__(self, receipts: Receipts, plan: dict[str, Any], number: int) -> None:
        self.number = number
        self.newest = -1
        self.first: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        """The first frame's payload with a state in it."""
        self._receipts = receipts
        self._plan = plan
        self._rest = self._reason = b""
        self._upgraded = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(handshake(f"127.0.0.1:{self._plan['port']}", "/graphql", PROTOCOL))

    def data_received(self, data: bytes) -> None:
        at = time.perf_counter()
        if self._rest:
            data = self._rest + data
        if self._upgraded and is_one_text(data):
            self._rest = b""
            self._take(data, at)
            return
        if not self._upgraded:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self._rest = head
                return
            self._upgrade(head)
        start = 0
        for kind, payload, behind in frames_in(data):
            self._take_frame(kind, payload, at)
            start = behind
        self._rest = data[start:]

    def connection_lost(self, exc: Exception | None) -> None:
        sys.exit(f"The server ended the connection of watcher {self.number}: {exc}, {self._reason!r}")

    def _upgrade(self, head: bytes) -> None:
        if b" 101 " not in head:
            sys.exit(f"The server takes no websocket: {head!r}")
        self._upgraded = True
        self._send("connection_init", payload={"Authorization": f"Bearer {self._plan['key']}"})

    def _take_frame(self, kind: int, payload: bytes, at: float) -> None:
        match kind:
            case int() if kind == TEXT:
                self._take(payload, at)
            case int() if kind == PING:
                self._transport.write(frame(PONG, payload))
            case int() if kind == CLOSE:
                self._reason = payload
            case _:
                sys.exit(f"A frame that nobody understands, {kind:#x}: {payload!r}")

    def _take(self, text: bytes, at: float) -> None:
        start = text.find(REVISION)
        if start < 0:
            self._answer(orjson.loads(text[text.index(b"{") :]))
            return
        start += len(REVISION)
        revision = int(text[start : text.index(b",", start)])
        if revision <= self.newest:
            sys.exit(f"Watcher {self.number} got revision {revision} after {self.newest}.")
        if not self.first.done():
            self.newest = revision
            self.first.set_result(text[text.index(b"{") :])
            return
        self._receipts.note(self, revision, at)

    def _answer(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "connection_ack":
                variables = {"run": self._plan["runs"][self.number]}
                payload = {"query": self._plan["document"], "variables": variables}
                self._send("subscribe", id=str(uuid.uuid4()), payload=payload)
            case "ping":
                self._send("pong")
            case "pong":
                pass
            case _:
                sys.exit(f"Watcher {self.number} was told: {message}")

    def _send(self, kind: str, **more: Any) -> None:
        self._transport.write(frame(TEXT, orjson.dumps({"type": kind, **more})))


async def open_all(receipts: Receipts, plan: dict[str, Any]) -> bytes:
    """Connects them, some at a time, until each has its first state. Returns one of these, as it came."""
    loop, first = asyncio.get_running_loop(), b""
    for start in range(0, len(plan["runs"]), OPENING_AT_ONCE):
        numbers = range(start, min(start + OPENING_AT_ONCE, len(plan["runs"])))
        some = [Watcher(receipts, plan, number) for number in numbers]
        for watcher in some:
            await loop.create_connection(lambda watcher=watcher: watcher, "127.0.0.1", plan["port"])
        (first, *_) = await asyncio.gather(*(watcher.first for watcher in some))
        receipts.watchers += some
    receipts.count()
    return first


async def main(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    receipts = Receipts()
    first = await open_all(receipts, orjson.loads(await reader.readline()))
    say(writer, frame=first.decode())
    telling = asyncio.create_task(tell(receipts, writer))
    while line := await reader.readline():
        told = orjson.loads(line)
        if "write" in told:
            say(writer, written=receipts.write(Path(told["write"])))
        else:
            receipts.begin()
            say(writer, noting=[watcher.newest for watcher in receipts.watchers])
    telling.cancel()


async def tell(receipts: Receipts, writer: asyncio.StreamWriter) -> None:
    """Each time when all watchers have a newer revision."""
    while True:
        await receipts.reached.wait()
        receipts.reached.clear()
        say(writer, reached=receipts.lowest)


def say(writer: asyncio.StreamWriter, **what: int | str | Sequence[int]) -> None:
    writer.write(orjson.dumps(what) + b"\n")


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
