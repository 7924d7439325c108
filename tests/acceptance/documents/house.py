"""The running Weft of these tests, and a client of one of its workspaces."""

import asyncio
import os
import signal
import sqlite3
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import orjson
from acceptance.documents.inbox import PATIENCE, Inbox
from acceptance.system import SECRET_KEY, System
from integrations.mail_servers import Postbox
from model_servers import KEY as MODEL_KEY
from model_servers import ModelServer

from weft.domain.access import Role
from weft.operations.keys import first_key

CREATE_WORKFLOW = """mutation ($input: CreateWorkflowInput!) {
  createWorkflow(input: $input) { workflow { id } errors { code message path hint } } }"""
RUN = """mutation ($input: RunWorkflowInput!) {
  runWorkflow(input: $input) { run { id status } errors { code message path hint } } }"""
PROGRESS = """subscription ($run: ID!) {
  runProgress(runId: $run) { revision status total pending completed failed skipped cancelled percent } }"""
ENDS = {"COMPLETED", "COMPLETED_WITH_FAILURES", "FAILED", "CANCELLED"}
_UPLOAD = """mutation ($input: CreateUploadInput!) {
  createUpload(input: $input) { upload { id } uploadUrl errors { message path } } }"""
_DOCUMENT = """mutation ($input: CreateDocumentInput!) {
  createDocument(input: $input) { document { id data } errors { message path } } }"""
_PROVIDER = """mutation ($input: CreateModelProviderInput!) {
  createModelProvider(input: $input) { modelProvider { id hasKey } errors { message path } } }"""
_TYPE = """mutation ($input: CreateEntityTypeInput!) {
  createEntityType(input: $input) { entityType { id } errors { message path } } }"""


@dataclass(frozen=True)
class Client:
    """A program elsewhere: an address, a key, GraphQL over HTTP and websocket."""

    system: System
    key: str

    async def ask(self, document: str, **variables: Any) -> dict[str, Any]:
        """The data of an answer without top-level errors."""
        status, answer = await self.post(document, **variables)
        assert (status, "errors" in answer) == (200, False), answer
        return answer["data"]

    async def post(self, document: str, **variables: Any) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        body = orjson.dumps({"query": document, "variables": variables})
        async with self.system.session.post(self.system.url, data=body, headers=headers) as reply:
            return reply.status, await reply.json(content_type=None)

    async def change(self, document: str, **given: Any) -> dict[str, Any]:
        """The payload of a document's one mutation, which takes `$input`."""
        (payload,) = (await self.ask(document, input=given)).values()
        errors = payload.pop("errors")
        assert errors == [], errors
        return payload

    async def refused(self, document: str, **given: Any) -> list[dict[str, Any]]:
        """Why nothing was changed."""
        (payload,) = (await self.ask(document, input=given)).values()
        errors = payload.pop("errors")
        assert errors, payload
        assert all(value is None for value in payload.values()), payload
        return errors

    async def watch(self, document: str, **variables: Any) -> AsyncGenerator[Any]:
        """The states that a subscription of one field pushes, until it completes."""
        answers = replace(self.system, key=self.key).subscribe(document, **variables)
        async with aclosing(cast("AsyncGenerator[dict[str, Any]]", answers)):
            async for data in answers:
                (state,) = data.values()
                yield state

    async def workflow(self, name: str, definition: dict[str, Any], **given: Any) -> str:
        made = await self.change(CREATE_WORKFLOW, name=name, definition=definition, **given)
        return made["workflow"]["id"]

    async def entity_type(self, name: str, properties: dict[str, Any], **schema: Any) -> str:
        whole = {"type": "object", "properties": properties, **schema}
        return (await self.change(_TYPE, name=name, schema=whole))["entityType"]["id"]

    async def uploaded(self, name: str, content: bytes, **given: Any) -> str:
        """The id of the document that the file became."""
        begun = await self.change(_UPLOAD, name=name, size=len(content))
        async with self.system.session.put(begun["uploadUrl"], data=content) as reply:
            assert reply.status == 200, await reply.text()
        return (await self.change(_DOCUMENT, uploadId=begun["upload"]["id"], **given))["document"]["id"]

    async def until(self, document: str, found: str, count: int = 1, **variables: Any) -> Any:
        """The rows of a list, once there are so many: for what happens by itself. `found` is the way to them, by dots."""
        async with asyncio.timeout(PATIENCE):
            while True:
                rows: Any = await self.ask(document, **variables)
                for name in found.split("."):
                    rows = rows[name]
                if rows and len(rows) >= count:
                    return rows
                await asyncio.sleep(0.05)


@dataclass(frozen=True)
class House:
    system: System
    sqlite: Path
    models: ModelServer
    inbox: Inbox
    postbox: Postbox

    async def client(self, workspace: str, name: str = "tester", role: Role = Role.ADMIN) -> Client:
        """A key of a workspace, which is made where there is none of the name yet."""
        secret = SECRET_KEY.encode()
        return Client(
            self.system, await first_key(self.system.database, secret, workspace=workspace, name=name, role=role)
        )

    @contextmanager
    def at_rest(self) -> Generator[None]:
        """The worker does nothing meanwhile, so that what it would do can be awaited."""
        worker = self.system.processes["worker-0"].pid
        os.kill(worker, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(worker, signal.SIGCONT)

    def rows(self, file: str, sql: str) -> list[dict[str, Any]]:
        """What is really in a database that workflows write into."""
        (path,) = self.sqlite.rglob(file)
        with sqlite3.connect(path) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql)]

    async def seen_live(self, client: Client, **run: Any) -> tuple[str, list[dict[str, Any]]]:
        """The id of a run, and its states as they were pushed: the first while nothing of it was done, the last at its end."""
        with self.at_rest():
            started = (await client.change(RUN, **run))["run"]
            assert started["status"] == "PENDING"
            states = client.watch(PROGRESS, run=started["id"])
            seen = [await anext(states)]
        async with asyncio.timeout(PATIENCE), aclosing(states):
            seen += [state async for state in states]
        check_states(seen)
        return started["id"], seen


async def with_provider(house: House, client: Client, name: str = "house") -> Client:
    """The client of a workspace that asks the house's model server."""
    await client.change(
        _PROVIDER, name=name, kind="OPENAI_COMPATIBLE", baseUrl=f"{house.models.url}/v1", apiKey=MODEL_KEY
    )
    return client


def check_states(states: list[dict[str, Any]]) -> None:
    """Of a run from its beginning to its end: every state adds up, and each is newer than the one before."""
    names = ("pending", "completed", "failed", "skipped", "cancelled")
    for state in states:
        assert state["total"] == sum(state[name] for name in names), state
    revisions = [state["revision"] for state in states]
    assert revisions == sorted(set(revisions))
    assert states[0]["pending"] == states[0]["total"] > 0
    assert states[-1]["status"] in ENDS
    assert states[-1]["percent"] == 100.0
