"""A client that sends what no good client sends, and sees the raw answers."""

import io
import json
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
from acceptance.system import SECRET_KEY, System

from weft.domain.access import Role
from weft.operations.keys import first_key

CREATE_TYPE = """mutation ($name: String!, $schema: JSON!) {
  createEntityType(input: {name: $name, schema: $schema}) { entityType { id } errors { code message path } } }"""
CREATE_ENTITIES = """mutation ($input: CreateEntitiesInput!) {
  createEntities(input: $input) { entities { id } errors { code message path } } }"""
CREATE_WORKFLOW = """mutation ($input: CreateWorkflowInput!) {
  createWorkflow(input: $input) { workflow { id } errors { code message path hint line column } } }"""
RUN = """mutation ($input: RunWorkflowInput!) {
  runWorkflow(input: $input) {
    run { id status progress { total completed failed } result
          items(first: 5) { nodes { status error { code message } } } }
    errors { code message path hint } } }"""
WATCH = """subscription ($run: ID!) { runProgress(runId: $run) { revision status total completed failed } }"""
PROTOCOL = "graphql-transport-ws"


@dataclass(frozen=True)
class Caller:
    """Somebody with a key, or with what is none."""

    system: System
    key: str | None

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.key is None else {"Authorization": f"Bearer {self.key}"}

    async def post(self, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
        """The status and the JSON of the answer to any body at all."""
        # Python's own JSON writes what orjson refuses: large numbers, halves of pairs, deep nesting.
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **self.headers, **headers}
        async with self.system.session.post(self.system.url, data=io.BytesIO(sent), headers=headers) as reply:
            return reply.status, orjson.loads(await reply.read())

    async def answer(self, document: str, **variables: Any) -> dict[str, Any]:
        return (await self.post({"query": document, "variables": variables}))[1]

    async def data(self, document: str, **variables: Any) -> dict[str, Any]:
        """Of an answer without top-level errors."""
        answer = await self.answer(document, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def payload(self, document: str, **variables: Any) -> dict[str, Any]:
        """What the one root field of an operation gave."""
        (payload,) = (await self.data(document, **variables)).values()
        return payload

    async def made(self, document: str, **variables: Any) -> str:
        """The id of what a mutation made without errors."""
        payload = await self.payload(document, **variables)
        assert payload["errors"] == [], payload["errors"]
        made = next(value for name, value in payload.items() if name != "errors")
        return made["id"]

    async def is_served(self) -> None:
        """The process lives, and serves others."""
        assert "__typename" in (await self.data("{ __typename viewer { role } }"))

    def socket(self) -> Any:
        return self.system.session.ws_connect(self.system.url, protocols=[PROTOCOL], max_msg_size=0)


async def another_workspace(system: System, workspace: str) -> Caller:
    key = await first_key(system.database, SECRET_KEY.encode(), workspace=workspace, name=workspace, role=Role.ADMIN)
    return Caller(system, key)


async def close_of(socket: aiohttp.ClientWebSocketResponse) -> tuple[int | None, list[dict[str, Any]]]:
    """The code that the server closes with, and the messages before it."""
    messages = [orjson.loads(message.data) async for message in socket if message.type is aiohttp.WSMsgType.TEXT]
    return socket.close_code, messages


def first_error(answer: dict[str, Any]) -> dict[str, Any]:
    error = answer["errors"][0]
    return {"message": error["message"], **error.get("extensions", {})}
