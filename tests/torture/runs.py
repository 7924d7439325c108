"""The runs under torture: a large one, and beside it a small one every second."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
from acceptance.system import System

from weft.kit.backoff import Backoff

SMALL_ITEMS = 10
PATIENCE_SECONDS = 30
"""For one answer. A client that asks again too soon only adds to what the server has to do."""
ITEMS_AT_ONCE = 400
"""What a worker has under way of a run that waits: half of the batches that it holds at most, 25 items each."""
SHARE = 0.55
"""Of the time of the torture that the large run would take undisturbed, if its steps took only their waits."""

CREATE_TYPE = """mutation ($name: String!, $schema: JSON!) {
  createEntityType(input: {name: $name, schema: $schema}) { entityType { id } errors { message path } } }"""
CREATE_IMPORT = """mutation ($type: ID!) {
  createImport(input: {entityTypeId: $type, format: JSONL, externalIdField: "name"}) {
    uploadUrl errors { message path } } }"""
CREATE_WORKFLOW = """mutation ($name: String!, $type: ID!, $definition: JSON!) {
  createWorkflow(input: {name: $name, entityTypeId: $type, definition: $definition}) {
    workflow { id } errors { message path } } }"""
RUN = """mutation ($workflow: ID!, $key: String!) {
  runWorkflow(input: {workflowId: $workflow, entities: {all: true}, idempotencyKey: $key}) {
    run { id } errors { message path } } }"""
SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "amount": {"type": "number"}},
    "required": ["name", "amount"],
}


def steps(settle_seconds: float) -> list[dict[str, Any]]:
    return [
        {"id": "shape", "type": "transform", "config": {"fields": {"amount": "input.amount * 2.0"}}},
        {"id": "pay", "type": "torture_pay", "config": {"seconds": min(0.05, settle_seconds)}},
        {"id": "settle", "type": "torture_settle", "config": {"seconds": settle_seconds}},
    ]


def settle_seconds(items: int, seconds: float, workers: int) -> float:
    """So that the large run is under way for most of the torture."""
    return SHARE * seconds * workers * ITEMS_AT_ONCE / items


async def workflow_over(system: System, name: str, items: int, steps: list[dict[str, Any]]) -> str:
    """The id of a workflow whose entities are there."""
    kind = (await system.ask(CREATE_TYPE, name=name, schema=SCHEMA))["createEntityType"]["entityType"]["id"]
    created = (await system.ask(CREATE_IMPORT, type=kind))["createImport"]
    rows = b"\n".join(orjson.dumps({"name": f"account {number}", "amount": float(number)}) for number in range(items))
    await system.upload(created["uploadUrl"], rows)
    made = (await system.ask(CREATE_WORKFLOW, name=name, type=kind, definition={"steps": steps}))["createWorkflow"]
    assert made["errors"] == [], made["errors"]
    return made["workflow"]["id"]


@dataclass(slots=True)
class Starter:
    """Starts runs as a client does that does not give up: with an idempotency key, again and again until it is answered."""

    system: System
    name: str
    workflow: str
    watch: Callable[[str], Coroutine[None, None, None]]
    asked: int = 0
    answered: dict[int, str] = field(default_factory=dict[int, str])
    """The run of each that was asked for."""
    refused: Counter[str] = field(default_factory=Counter[str])
    """Why it was not answered at once."""
    longest: float = 0.0
    """Seconds from asking to the answer."""

    @property
    def waiting(self) -> bool:
        """Whether something that was asked for is not answered yet."""
        return len(self.answered) < self.asked

    async def start_every_second(self, seconds: float) -> None:
        """Returns when all that were asked for are answered."""
        begun, starting = time.monotonic(), list[asyncio.Task[str]]()
        for second in range(int(seconds)):
            await asyncio.sleep(max(0.0, begun + second - time.monotonic()))
            starting.append(asyncio.create_task(self.start()))
        await asyncio.gather(*starting)

    async def start(self) -> str:
        number, asked = self.asked, time.monotonic()
        self.asked += 1
        backoff = Backoff(first=0.1, longest=1.0)
        while True:
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    run = await self._ask(number)
                break
            except (aiohttp.ClientError, AssertionError, TimeoutError, OSError) as error:
                self.refused[f"{type(error).__name__}: {error}"[:120]] += 1
                await asyncio.sleep(backoff.next())
        self.longest = max(self.longest, time.monotonic() - asked)
        await self.watch(run)
        self.answered[number] = run
        return run

    async def _ask(self, number: int) -> str:
        key, api = f"{self.name} {number}", number % len(self.system.ports)
        payload = (await self.system.ask_of(api, RUN, workflow=self.workflow, key=key))["runWorkflow"]
        assert payload["errors"] == [], payload["errors"]
        return payload["run"]["id"]
