"""A port of this machine that leads to a unix socket: the embedded PostgreSQL listens on no network address."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Relay:
    port: int
    writers: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])
    accepting: bool = True

    def cut(self) -> None:
        """Every connection breaks."""
        for writer in self.writers:
            writer.transport.abort()


@asynccontextmanager
async def relayed(socket_path: str) -> AsyncGenerator[Relay]:
    relay = Relay(0)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not relay.accepting:
            writer.close()
            return
        behind_reader, behind_writer = await asyncio.open_unix_connection(socket_path)
        both = {writer, behind_writer}
        relay.writers |= both
        try:
            await asyncio.gather(pump(reader, behind_writer), pump(behind_reader, writer))
        finally:
            relay.writers -= both

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        server.close()
        relay.cut()
        await asyncio.sleep(0)
