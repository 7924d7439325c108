"""A whole Weft in real processes, strangers who send it everything, and the account at the end."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
from acceptance.system import SECRET_KEY, System, running_system
from fuzzing.breaking import broken
from fuzzing.operations import Maker
from fuzzing.pool import DEFINITION, SCHEMA, Pool
from fuzzing.values import Values
from fuzzing.ways import Sender
from graphql import GraphQLSchema, OperationType, build_schema

from weft.domain.access import Role
from weft.graphql.errors import UNAVAILABLE
from weft.graphql.schema import WeftSchema
from weft.operations.keys import first_key

CLIENTS = 6
MEMORY_GROWTH = 400
"""MiB that the API may take beyond what it had after its first second: documents, pools, and what Python keeps for later."""
MOST_UNAVAILABLE = 1_000
"""One in so many answers."""
_TYPE = 'mutation ($schema: JSON!) { createEntityType(input: {name: "Thing", schema: $schema}) { entityType { id } } }'
_ENTITIES = """mutation ($type: ID!) { createEntities(input: {entityTypeId: $type, entities: [
  {externalId: "1", data: {name: "Ada", amount: 3}}, {externalId: "2", data: {name: "Ben"}}]}) { entities { id } errors { message } } }"""
_WORKFLOW = """mutation ($type: ID!, $definition: JSON!) { createWorkflow(input: {name: "Say", entityTypeId: $type,
  definition: $definition, status: ACTIVE}) { workflow { id } errors { message } } }"""
_RUN = """mutation ($id: ID!) { runWorkflow(input: {workflowId: $id, entities: {all: true}, wait: "PT30S"}) {
  run { id status } errors { message } } }"""


@dataclass
class Report:
    sent: Counter[str] = field(default_factory=Counter[str])
    """By the way that they went."""
    findings: list[str] = field(default_factory=list[str])
    unavailable: int = 0
    """Answers that ask to try again soon: a machine that is busy enough may give some."""
    memory: list[int] = field(default_factory=list[int])
    """MiB of the API process, once a second."""

    def __str__(self) -> str:
        sent = ", ".join(f"{count:,} by {way}" for way, count in sorted(self.sent.items()))
        grown = f"{self.memory[0]} MiB at first, {max(self.memory)} at most, {self.memory[-1]} at the end"
        told = f"{self.sent.total():,} requests: {sent}; {self.unavailable} were to be tried again"
        return "\n".join([told, f"Memory of the API: {grown}", *self.findings])


async def fuzz(seed: int, seconds: float, folder: Path, tell: Callable[[str], None]) -> Report:
    """`folder` gets the data and the logs."""
    logs = folder / "logs"
    logs.mkdir()
    async with running_system(
        folder / "data", workers=2, logs=logs, WEFT_RATE_LIMIT="0", WEFT_MAX_MESSAGES="0"
    ) as system:
        await system.ready()
        fuzzing = Campaign(system, seed, build_schema(WeftSchema().as_str()), tell)
        await fuzzing.plant()
        await fuzzing.go(seconds)
        await fuzzing.check_processes()
    fuzzing.report.findings += _complaints(logs)
    return fuzzing.report


@dataclass
class Campaign:
    system: System
    seed: int
    schema: GraphQLSchema
    tell: Callable[[str], None]
    pool: Pool = field(default_factory=Pool)
    report: Report = field(default_factory=Report)
    _keys: dict[Role, str] = field(default_factory=dict[Role, str])
    _until: float = 0
    _number: int = 0

    async def plant(self) -> None:
        """Something to ask for."""
        made = await self.system.ask(_TYPE, schema=SCHEMA)
        kind = made["createEntityType"]["entityType"]["id"]
        made_entities = await self.system.ask(_ENTITIES, type=kind)
        workflow = await self.system.ask(_WORKFLOW, type=kind, definition=DEFINITION)
        run = await self.system.ask(_RUN, id=workflow["createWorkflow"]["workflow"]["id"])
        for answer in (made, made_entities, workflow, run):
            self.pool.learn(answer)

    async def go(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as clients:
            clients.create_task(self._watch())
            for _ in range(CLIENTS):
                clients.create_task(self._client(session))

    async def _client(self, session: aiohttp.ClientSession) -> None:
        while time.monotonic() < self._until and not self._lost():
            self._number += 1
            chance = random.Random(f"{self.seed}/{self._number}")
            await self._one(self._number, chance, session)

    async def _one(self, number: int, chance: random.Random, session: aiohttp.ClientSession) -> None:
        role = chance.choices(list(Role), weights=(1, 1, 2, 16))[0]
        key = await self._key(role)
        sender = Sender(session, self.system.url, key, self.pool)
        way = chance.choices(("post", "get", "socket", "nonsense"), weights=(10, 3, 4, 3))[0]
        shown = chance.choices((key, None, "weft_wrong"), weights=(30, 1, 1))[0]
        parameters = [self._parameters(chance) for _ in range(chance.randint(1, 5) if way == "socket" else 1)]
        try:
            match way:
                case "post":
                    wrong = await sender.post(parameters[0], chance, shown)
                case "get":
                    wrong = await sender.get(parameters[0], chance, shown)
                case "socket":
                    wrong = await sender.socket(parameters, chance)
                case _:
                    wrong = await sender.nonsense(chance, shown)
        except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
            # A body that is too large may be answered before all of it was sent.
            wrong = (
                None
                if way == "nonsense" and not isinstance(error, TimeoutError)
                else f"{type(error).__name__}: {error}"
            )
        self.report.sent[way] += 1
        if wrong is not None and wrong.startswith(f"code {UNAVAILABLE}"):
            self.report.unavailable += 1
        elif wrong is not None:
            self._find(f"{number} {way} {role}: {wrong}\n    {parameters}")
        if number % 50 == 0:
            await self._renew(key, role)

    def _parameters(self, chance: random.Random) -> dict[str, Any]:
        kinds = (OperationType.QUERY, OperationType.MUTATION, OperationType.SUBSCRIPTION)
        kind = chance.choices(kinds, weights=(10, 8, 2))[0]
        odd = chance.choice((0.0, 0.0, 0.03, 0.2))
        operation = Maker(self.schema, Values(self.pool, chance, odd), chance).operation(kind)
        return operation.parameters if chance.random() < 0.8 else broken(operation, chance)

    async def _key(self, role: Role) -> str:
        if role not in self._keys:
            made = await first_key(
                self.system.database, SECRET_KEY.encode(), workspace="acceptance", name=f"fuzz {role}", role=role
            )
            self._keys[role] = made
        return self._keys[role]

    async def _renew(self, key: str, role: Role) -> None:
        """The operations revoke keys, their own among them."""
        body = {"query": "{ viewer { role } }"}
        with suppress(aiohttp.ClientError):  # where the process is gone, `check_processes` says so
            async with self.system.session.post(
                self.system.url, json=body, headers={"Authorization": f"Bearer {key}"}
            ) as reply:
                if "errors" in await reply.json() and self._keys.get(role) == key:
                    del self._keys[role]

    async def _watch(self) -> None:
        api = self.system.processes["api"].pid
        while time.monotonic() < self._until and not self._lost():
            self.report.memory.append(_memory(api))
            if len(self.report.memory) % 30 == 0:
                self.tell(
                    f"{self.report.sent.total():,} sent, {len(self.pool)} ids known, {self.report.memory[-1]} MiB"
                )
            await asyncio.sleep(1)

    def _lost(self) -> list[str]:
        return [name for name, process in self.system.processes.items() if not process.running]

    async def check_processes(self) -> None:
        """All are there, of a bounded size, and do their work."""
        for name in self._lost():
            self._find(f"The process {name} is gone.")
        if self.report.memory[-1] - self.report.memory[0] > MEMORY_GROWTH:
            self._find(f"The API has grown by more than {MEMORY_GROWTH} MiB.")
        if self.report.unavailable > self.report.sent.total() / MOST_UNAVAILABLE:
            self._find(f"{self.report.unavailable} answers asked to try again.")
        if not self._lost():
            key = await first_key(
                self.system.database, SECRET_KEY.encode(), workspace="after", name="after", role=Role.ADMIN
            )
            self.system.key = key
            await self.plant()

    def _find(self, finding: str) -> None:
        self.report.findings.append(finding)
        self.tell(finding)


def _memory(pid: int) -> int:
    """MiB that stay in memory."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():  # macOS, or the process is gone: `check_processes` says so
        return 0
    lines = status.read_text().splitlines()
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS")), 0)


def _complaints(logs: Path) -> list[str]:
    """What the processes logged as faults."""
    found: list[str] = []
    for log in sorted(logs.glob("*.log")):
        lines = log.read_text(errors="replace").splitlines()
        for before, line in pairwise(["", *lines]):
            # Python says so of coroutines that were cancelled before they began, as those of a client that left are.
            if "[error" in line or ("Traceback" in line and "Exception ignored in: <coroutine" not in before):
                found.append(f"{log.name}: {line[:2_000]}")
    return found
