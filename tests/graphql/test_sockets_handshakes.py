"""Handshakes that cannot be read, and what strangers send after one: refused at once, and no trouble for the end of the process."""

import asyncio

import pytest
from socket_clients import Serving, serving

from weft.http.sockets import FIRST_WAITING
from weft.settings import Settings

HANDSHAKE = (
    b"GET /graphql HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n"
)
EMPTY_TEXT = b"\x81\x80\0\0\0\0"


async def opened(served: Serving) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", int(served.origin.rpartition(":")[2]))


@pytest.mark.parametrize("more", [b"X: y\r\n" * 200, b"X: " + b"y" * 10_000 + b"\r\n"], ids=["many", "long"])
async def test_a_handshake_with_too_many_headers_or_too_long_ones_is_refused(settings: Settings, more: bytes) -> None:
    async with serving(settings) as served, asyncio.timeout(20):
        reader, writer = await opened(served)
        writer.write(HANDSHAKE + more + b"\r\n")
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 431 ")
        await reader.read()
        writer.close()
        while served.server.server_state.connections:
            await asyncio.sleep(0.01)


async def test_of_thousands_of_messages_before_a_key_few_are_kept(settings: Settings) -> None:
    async with serving(settings) as served, asyncio.timeout(30):
        reader, writer = await opened(served)
        writer.write(HANDSHAKE + b"\r\n")
        await reader.readuntil(b"\r\n\r\n")
        (protocol,) = served.server.server_state.connections
        most = 0
        waiting = vars(protocol)["queue"]
        put = waiting.put_nowait

        def counted(message: object) -> None:
            nonlocal most
            put(message)
            most = max(most, waiting.qsize())

        waiting.put_nowait = counted
        writer.write(EMPTY_TEXT * 5_000)
        assert b"Too many messages came on this connection at once." in await reader.read()
        assert most <= FIRST_WAITING + 3  # and the ends of the connection
        writer.close()
