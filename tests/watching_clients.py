"""Clients that watch an API over its transports, and something for them to watch."""

from collections.abc import AsyncGenerator
from typing import Any

import orjson

TYPE = """mutation { createEntityType(input: {name: "n", schema: {type: "object",
  properties: {number: {type: "integer"}}}}) { entityType { id } } }"""
ENTITIES = """mutation ($type: ID!, $rows: [NewEntityInput!]!) {
  createEntities(input: {entityTypeId: $type, entities: $rows}) { errors { message } } }"""
WORKFLOW = """mutation ($type: ID!) { createWorkflow(input: {name: "w", entityTypeId: $type, definition: {steps: [
  {id: "check", type: "validate", config: {onInvalid: "FAIL",
    rules: [{name: "seven", expression: "input.number % 7 != 0", message: "is a multiple of seven"}]}},
  {id: "say", type: "text", config: {operation: "template", template: "{{ number }}"}},
  {id: "note", type: "echo", config: {message: "number {{ entity.number }}"}}]}}) { workflow { id } errors { message } } }"""
RUN = """mutation ($workflow: ID!) {
  runWorkflow(input: {workflowId: $workflow, entities: {all: true}}) { run { id } } }"""
AT_ONCE = 100
"""Entities in one mutation."""


async def asked(api: Any, document: str, **variables: Any) -> str:
    """The id in the answer."""
    answer = await api.post(document, variables)
    (made,) = answer["data"].values()
    (thing,) = (value for name, value in made.items() if name != "errors")
    return thing["id"]


async def workflow_of(api: Any, items: int) -> str:
    """Every item gets its number as a text, but each seventh fails."""
    type_id = await asked(api, TYPE)
    for first in range(0, items, AT_ONCE):
        rows = [{"data": {"number": number}} for number in range(first, min(first + AT_ONCE, items))]
        assert (await api.post(ENTITIES, {"type": type_id, "rows": rows}))["data"]["createEntities"]["errors"] == []
    return await asked(api, WORKFLOW, type=type_id)


async def over_websocket(api: Any, query: str, variables: dict[str, Any]) -> AsyncGenerator[dict[str, Any]]:
    async with api.session.ws_connect(api.url, protocols=["graphql-transport-ws"]) as socket:
        await socket.send_json({"type": "connection_init", "payload": {"apiKey": api.key.text}})
        assert (await socket.receive_json())["type"] == "connection_ack"
        payload = {"query": query, "variables": variables}
        await socket.send_json({"id": "1", "type": "subscribe", "payload": payload})
        while (message := await socket.receive_json())["type"] != "complete":
            yield message["payload"] if message["type"] == "next" else {"errors": message["payload"]}
            if message["type"] == "error":
                return


async def over_sse(api: Any, query: str, variables: dict[str, Any]) -> AsyncGenerator[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {api.key.text}", "Accept": "text/event-stream"}
    body = {"query": query, "variables": variables}
    async with api.session.post(api.url, json=body, headers=headers) as response:
        event = b""
        async for line in response.content:
            field, _, value = line.strip().partition(b": ")
            if field == b"event":
                event = value
            elif field == b"data" and event == b"next":
                yield orjson.loads(value)
        assert event == b"complete"


class Socket:
    """One websocket with many operations, one after the other."""

    def __init__(self, api: Any) -> None:
        self._api = api
        self._socket: Any = None
        self._operations = 0

    async def over(self, query: str, variables: dict[str, Any]) -> AsyncGenerator[dict[str, Any]]:
        """Closed early, the operation is completed, and what still comes of it is passed over."""
        if self._socket is None:
            self._socket = await self._api.session.ws_connect(self._api.url, protocols=["graphql-transport-ws"])
            await self._socket.send_json({"type": "connection_init", "payload": {"apiKey": self._api.key.text}})
            assert (await self._socket.receive_json())["type"] == "connection_ack"
        self._operations += 1
        mine = str(self._operations)
        payload = {"query": query, "variables": variables}
        await self._socket.send_json({"id": mine, "type": "subscribe", "payload": payload})
        ended = False
        try:
            while not ended:
                message = await self._socket.receive_json()
                if message.get("id") == mine:
                    ended = message["type"] != "next"
                    if not ended:
                        yield message["payload"]
        finally:
            if not ended and self._socket is not None:
                await self._socket.send_json({"id": mine, "type": "complete"})

    async def lose(self) -> None:
        """Without a word: the other side finds the connection broken."""
        if self._socket is not None:
            lost, self._socket = self._socket, None
            lost._writer.transport.abort()
            await lost.close()
