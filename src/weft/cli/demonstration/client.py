"""Weft's API as a program elsewhere uses it: an address, a key, GraphQL."""

import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from weft.domain.errors import WeftError
from weft.kit.json import dumps

_SILENCE = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=300)
_WEBSOCKET_PROTOCOL = "graphql-transport-ws"


class DemoError(WeftError):
    """The demo did not go as it should."""


@dataclass(frozen=True, slots=True)
class Api:
    url: str
    _key: str
    _session: aiohttp.ClientSession

    @classmethod
    @asynccontextmanager
    async def connected(cls, url: str, key: str) -> AsyncGenerator["Api"]:
        async with aiohttp.ClientSession(timeout=_SILENCE, json_serialize=dumps) as session:
            try:
                yield cls(url, key, session)
            except (aiohttp.ClientError, TimeoutError) as error:
                raise DemoError(f"The API at {url} cannot be reached: {_reason(error)}.") from error

    async def ask(self, document: str, **variables: Any) -> dict[str, Any]:
        """The data of a query. Raises DemoError with the first top-level error."""
        headers = {"Authorization": f"Bearer {self._key}"}
        body = {"query": document, "variables": variables}
        async with self._session.post(f"{self.url}/graphql", json=body, headers=headers) as reply:
            answer = await reply.json(content_type=None)
        _refuse_errors(answer.get("errors"))
        return answer["data"]

    async def change(self, document: str, **given: Any) -> dict[str, Any]:
        """The payload of a document's one mutation, which takes `$input`. Raises DemoError with its first user error."""
        (payload,) = (await self.ask(document, input=given)).values()
        _refuse_errors(payload.pop("errors"))
        return payload

    async def watch(self, document: str, **variables: Any) -> AsyncGenerator[Any]:
        """The states that a subscription of one field pushes, until it completes."""
        address = f"{self.url}/graphql".replace("http", "ws", 1)
        async with self._session.ws_connect(address, protocols=[_WEBSOCKET_PROTOCOL]) as socket:
            await socket.send_json({"type": "connection_init", "payload": {"Authorization": f"Bearer {self._key}"}})
            async for message in _messages(socket):
                match message["type"]:
                    case "connection_ack":
                        operation = {"query": document, "variables": variables}
                        await socket.send_json({"id": "1", "type": "subscribe", "payload": operation})
                    case "ping":
                        await socket.send_json({"type": "pong"})
                    case "next":
                        _refuse_errors(message["payload"].get("errors"))
                        (state,) = message["payload"]["data"].values()
                        yield state
                    case "error":
                        _refuse_errors(message["payload"])
                    case "complete":
                        return
                    case _:
                        pass
        raise DemoError(f"The API at {self.url} closed the subscription: {socket.close_code}.")

    async def upload(self, url: str, pieces: AsyncIterator[bytes]) -> None:
        """Send a file while it is made."""
        async with self._session.put(url, data=pieces) as reply:
            answer = await reply.json(content_type=None)
        _refuse_errors(answer["errors"])


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.errno:
        return os.strerror(error.os_error.errno)
    return str(error) or "it does not answer"


async def _messages(socket: aiohttp.ClientWebSocketResponse) -> AsyncGenerator[Mapping[str, Any]]:
    async for frame in socket:
        if frame.type is aiohttp.WSMsgType.TEXT:
            yield frame.json()


def _refuse_errors(errors: list[dict[str, Any]] | None) -> None:
    if errors:
        place = "".join(f"{part}." for part in errors[0].get("path") or ())
        where = f" (at {place.removesuffix('.')})" if place else ""
        raise DemoError(f"The API refused what the demo asked for: {errors[0]['message']}{where}")
