"""Those who call webhooks: a few kept connections, each with one call under way, over nothing but a socket."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.process import BenchmarkError

LENGTH = b"content-length: "


@dataclass(slots=True)
class Answers:
    statuses: list[int] = field(default_factory=list[int])
    """In the order of the calls."""
    seconds: list[float] = field(default_factory=list[float])
    """From the first byte sent to the last one read, in the order in which answers came."""
    took: float = 0.0
    """All of them together."""

    @property
    def rate(self) -> float:
        return len(self.statuses) / self.took


def request(path: str, host: str, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"POST {path} HTTP/1.1", f"host: {host}", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def call(port: int, requests: Sequence[bytes], *, connections: int, per_second: float | None) -> Answers:
    """All of them, each as soon as it is due and a connection is free; without a rate as fast as they are answered."""
    answers = Answers([0] * len(requests))
    left = iter(range(len(requests)))
    began = time.perf_counter()
    await asyncio.gather(*(_caller(port, requests, left, answers, began, per_second) for _ in range(connections)))
    answers.took = time.perf_counter() - began
    return answers


async def _caller(
    port: int, requests: Sequence[bytes], left: Iterator[int], answers: Answers, began: float, per_second: float | None
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for number in left:
            if per_second is not None and (early := began + number / per_second - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            sent = time.perf_counter()
            writer.write(requests[number])
            answers.statuses[number] = await _status(reader)
            answers.seconds.append(time.perf_counter() - sent)
    finally:
        writer.close()


async def _status(reader: asyncio.StreamReader) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    start = head.find(LENGTH)
    if start < 0:
        raise BenchmarkError(f"An answer without a length: {head!r}")
    start += len(LENGTH)
    await reader.readexactly(int(head[start : head.index(b"\r", start)]))
    return int(head[9:12])
