"""A client in a process of its own, to be stopped: it opens a websocket, says so, and says how it was closed.

    python socket_client.py URL KEY [stuck]

A stuck one asks for much, and reads nothing of it.
"""

import asyncio
import sys

import aiohttp

TYPES = "{ __schema { types { name description fields { name description } } } }"
MUCH = 300


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def main(url: str, key: str, *how: str) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url, protocols=["graphql-transport-ws"]) as socket,
    ):
        await socket.send_json({"type": "connection_init", "payload": {"apiKey": key}})
        assert (await socket.receive_json())["type"] == "connection_ack"
        say("open")
        if how:
            for number in range(MUCH):
                await socket.send_json({"type": "subscribe", "id": str(number), "payload": {"query": TYPES}})
            await asyncio.sleep(60)
        async for message in socket:
            assert message.type is aiohttp.WSMsgType.TEXT
        say(str(socket.close_code))


asyncio.run(main(*sys.argv[1:]))
