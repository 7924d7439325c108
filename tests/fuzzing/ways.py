"""The ways to the server: POST, GET, event streams and websockets. Each tells what is wrong with what came back."""

import asyncio
import io
import json
import random
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import WSCloseCode
from fuzzing.breaking import headers, no_body
from fuzzing.judging import Answer, wrong_about_answer, wrong_about_close, wrong_about_errors, wrong_about_result
from fuzzing.pool import Pool

PROTOCOL = "graphql-transport-ws"
ANSWER_SECONDS = 60
"""Nothing here takes so long, however busy the machine is."""
STREAM_SECONDS = 0.3
MOST_BYTES = 20_000_000
LARGE = 16_000


@dataclass
class Sender:
    session: aiohttp.ClientSession
    url: str
    key: str
    pool: Pool

    async def post(self, parameters: dict[str, Any], chance: random.Random, key: str | None) -> str | None:
        return await self._send("POST", chance, key, body=json.dumps(parameters).encode())

    async def get(self, parameters: dict[str, Any], chance: random.Random, key: str | None) -> str | None:
        given = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
        # Beyond that, the HTTP parser itself refuses.
        if sum(map(len, given.values())) > 8_000 or any("\ud800" in value for value in given.values()):
            return await self.post(parameters, chance, key)
        return await self._send("GET", chance, key, params=given)

    async def nonsense(self, chance: random.Random, key: str | None) -> str | None:
        method = chance.choice(("POST", "POST", "POST", "GET", "PUT", "DELETE", "PATCH", "OPTIONS"))
        return await self._send(method, chance, key, body=no_body(chance))

    async def _send(
        self, method: str, chance: random.Random, key: str | None, body: bytes = b"", params: Any = None
    ) -> str | None:
        given = headers(chance) | ({"Authorization": f"Bearer {key}"} if key is not None else {})
        async with (
            asyncio.timeout(ANSWER_SECONDS),
            self.session.request(
                method, self.url, headers=given, allow_redirects=False, data=io.BytesIO(body), params=params
            ) as reply,
        ):
            streams = reply.content_type in {"text/event-stream", "multipart/mixed"}
            said = await (_beginning(reply) if streams else reply.read())
            answer = Answer(reply.status, reply.content_type, reply.headers.get("X-Request-ID"), said)
        wrong = wrong_about_answer(answer)
        if wrong is None and reply.content_type.endswith("json"):
            self.pool.learn(json.loads(said))
        return None if wrong is None else f"{wrong}: {given} -> {answer.status} {said[:2_000]!r}"

    async def socket(self, payloads: list[dict[str, Any]], chance: random.Random) -> str | None:
        """A few operations over one websocket, with messages between them that should not be there."""
        async with asyncio.timeout(ANSWER_SECONDS), self.session.ws_connect(self.url, protocols=[PROTOCOL]) as socket:
            if chance.random() < 0.95:
                key = self.key if chance.random() < 0.95 else "weft_wrong"
                await socket.send_json({"type": "connection_init", "payload": {"Authorization": f"Bearer {key}"}})
            for number, payload in enumerate(payloads):
                if chance.random() < 0.1:
                    await socket.send_str(_odd_message(chance))
                await socket.send_str(json.dumps({"id": str(number), "type": "subscribe", "payload": payload}))
                if chance.random() < 0.2:
                    await socket.send_json({"id": str(number), "type": "complete"})
            if chance.random() < 0.1:
                return None  # it leaves in the middle
            wrong = await self._heard(socket, len(payloads))
            # A server that closes while much is still on its way to it resets the connection, and its reason may be lost.
            lost = socket.close_code == WSCloseCode.ABNORMAL_CLOSURE and len(json.dumps(payloads)) > LARGE
            return None if lost else wrong

    async def _heard(self, socket: aiohttp.ClientWebSocketResponse, expected: int) -> str | None:
        while expected:
            try:
                message = await socket.receive(timeout=STREAM_SECONDS)
            except TimeoutError:
                return None  # a subscription waits for what happens
            if message.type is not aiohttp.WSMsgType.TEXT:
                return wrong_about_close(socket.close_code, str(message.extra or ""))
            heard = json.loads(message.data)
            wrong = None
            match heard["type"]:
                case "next":
                    wrong = wrong_about_result(heard["payload"], None)
                    self.pool.learn(heard["payload"])
                case "error":
                    expected -= 1
                    wrong = wrong_about_errors(heard["payload"], None)
                case "complete":
                    expected -= 1
                case _:
                    pass
            if wrong is not None:
                return f"{wrong}: {message.data[:2_000]}"
        return None


async def _beginning(reply: aiohttp.ClientResponse) -> bytes:
    """What a stream says at first, in whole lines."""
    body = b""
    try:
        async with asyncio.timeout(STREAM_SECONDS):
            async for chunk in reply.content.iter_any():
                body += chunk
                if len(body) > MOST_BYTES:
                    break
    except TimeoutError:
        pass
    return body[: body.rfind(b"\n") + 1]


def _odd_message(chance: random.Random) -> str:
    return chance.choice(
        (
            '{"type": "ping"}', '{"type": "ping", "payload": {"a": 1}}', '{"type": "pong"}', '{"type": "complete", "id": "77"}',
            "", "[]", "{", '{"type": "dance"}', '{"type": "subscribe", "id": "x"}', '{"type": "connection_init"}',
            '{"type": "subscribe", "id": "", "payload": {"query": ""}}', '{"type": "subscribe", "id": "i", "payload": {"documentId": "x"}}',
        )
    )  # fmt: skip
