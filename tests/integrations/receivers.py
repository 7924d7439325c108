"""A real HTTP receiver on loopback that behaves as badly as it is told to."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]


def answers(status: int, body: str = "", **headers: str) -> Behaviour:
    async def behave(writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body.encode())}", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        writer.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
        await writer.drain()

    return behave


async def hangs(_writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def closes_mid_answer(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly the beg")
    await writer.drain()


async def closes_at_once(_writer: asyncio.StreamWriter) -> None:
    """Without an answer."""


@dataclass
class Receiver:
    """Behaves as the first of `behaviours`, then as the next; the last one stays."""

    behaviours: list[Behaviour] = field(default_factory=lambda: [answers(200, "ok")])
    received: list[Received] = field(default_factory=list[Received])
    under_way: int = 0
    most_under_way: int = 0
    port: int = 0

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            method, path, _ = first.split(" ")
            self.received.append(Received(method, path, headers, body))
            behaviour = self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]
            await behaviour(writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the sender lost patience
        finally:
            self.under_way -= 1
            writer.close()


@asynccontextmanager
async def receiving(*behaviours: Behaviour) -> AsyncGenerator[Receiver]:
    receiver = Receiver(list(behaviours)) if behaviours else Receiver()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(receiver.serve(reader, writer))
        tasks.add(task)
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        for task in tasks:
            task.cancel()
        server.close()
        await server.wait_closed()
