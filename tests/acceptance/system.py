"""A whole Weft in real processes, to be killed and watched: services, APIs, workers, and a client's view of them."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from redis.asyncio import Redis
from sqlalchemy import text

from weft.cli.up import free_port
from weft.domain.access import Role
from weft.embedded import EmbeddedServices
from weft.kit.process import ChildProcess, Command, spawn
from weft.operations.keys import first_key
from weft.storage.database import Database
from weft.storage.migrations import migrate

SECRET_KEY = "a secret only for tests, of 32 characters or more"
GRACE_SECONDS = 30


@dataclass
class System:
    services: EmbeddedServices
    database: Database
    ports: Sequence[int]
    """Of the API processes."""
    key: str
    environment: dict[str, str]
    session: aiohttp.ClientSession
    logs: Path | None
    """The folder that holds one log per process; None: they write where the tests write."""
    processes: dict[str, ChildProcess] = field(default_factory=dict[str, ChildProcess])

    @property
    def port(self) -> int:
        return self.ports[0]

    @property
    def url(self) -> str:
        return self.url_of(0)

    def url_of(self, api: int) -> str:
        return f"http://127.0.0.1:{self.ports[api]}/graphql"

    async def start(self, name: str, command: str, **settings: str) -> None:
        """A process that dies with this one, whatever ends it. Its log goes on where an earlier one of its name ended."""
        argv = (sys.executable, "-m", "weft.cli", command)
        with ExitStack() as stack:
            log = None if self.logs is None else stack.enter_context((self.logs / f"{name}.log").open("ab"))
            self.processes[name] = spawn(Command(argv, env=self.environment | settings), log)

    async def start_api(self, number: int) -> None:
        await self.start(api_name(number), "api", WEFT_PORT=str(self.ports[number]))

    async def kill(self, name: str) -> int:
        """As a crash does: nothing is said, nothing is written. The number that the process had."""
        process = self.processes.pop(name)
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        await process.wait()
        return process.pid

    async def stop(self) -> None:
        await asyncio.gather(*(process.stop(GRACE_SECONDS) for process in self.processes.values() if process.running))

    async def ready(self, api: int = 0) -> None:
        async with asyncio.timeout(60):
            while True:
                with suppress(aiohttp.ClientError):
                    async with self.session.get(f"http://127.0.0.1:{self.ports[api]}/readyz") as reply:
                        if reply.status == 200:
                            return
                await asyncio.sleep(0.05)

    async def ask(self, document: str, **variables: Any) -> dict[str, Any]:
        return await self.ask_of(0, document, **variables)

    async def ask_of(self, api: int, document: str, /, **variables: Any) -> dict[str, Any]:
        body = {"query": document, "variables": variables}
        headers = {"Authorization": f"Bearer {self.key}"}
        async with self.session.post(self.url_of(api), json=body, headers=headers) as reply:
            answer = await reply.json()
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def subscribe(self, document: str, **variables: Any) -> AsyncIterator[dict[str, Any]]:
        """The data of each event, over graphql-transport-ws; ends with the operation or the connection."""
        async with self.session.ws_connect(self.url, protocols=["graphql-transport-ws"]) as socket:
            await socket.send_json({"type": "connection_init", "payload": {"Authorization": f"Bearer {self.key}"}})
            assert (await socket.receive_json())["type"] == "connection_ack"
            payload = {"query": document, "variables": variables}
            await socket.send_json({"id": "1", "type": "subscribe", "payload": payload})
            async for message in socket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    return
                event = orjson.loads(message.data)
                match event["type"]:
                    case "next":
                        assert "errors" not in event["payload"], event
                        yield event["payload"]["data"]
                    case "complete":
                        return
                    case "ping":
                        await socket.send_json({"type": "pong"})
                    case kind:
                        raise AssertionError(f"{kind}: {event}")

    async def upload(self, url: str, body: bytes) -> dict[str, Any]:
        async with self.session.put(url, data=body) as reply:
            answer = await reply.json()
        assert reply.status == 200, answer
        return answer

    async def kill_valkey(self) -> None:
        """Emptied and killed; its supervisor starts it again."""
        with suppress(Exception):
            client = Redis.from_url(self.services.redis_url)
            await client.flushall()
            await client.aclose()
        self.signal_service("valkey", signal.SIGKILL)

    def signal_service(self, name: str, number: signal.Signals) -> None:
        """To `postgres` or `valkey`; nothing happens while it is being started again."""
        pid = self.services.pids[name]
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def api_name(number: int) -> str:
    return "api" if number == 0 else f"api-{number}"


@asynccontextmanager
async def running_system(
    folder: Path,
    *,
    workers: int,
    apis: int = 1,
    durable: bool = False,
    postgres: Mapping[str, str] | None = None,
    logs: Path | None = None,
    **settings: str,
) -> AsyncGenerator[System]:
    """`durable`: what Postgres acknowledged outlives its crash. `postgres`: settings of its own, beside Weft's."""
    async with EmbeddedServices(folder, durable=durable) as services, aiohttp.ClientSession() as session:
        database = Database.connect(services.database_url, pool_size=3)
        if postgres:
            await _configure(services, database, postgres)
        await migrate(database)
        key = await first_key(database, SECRET_KEY.encode(), workspace="acceptance", name="acceptance", role=Role.ADMIN)
        ports = [free_port("127.0.0.1", 0) for _ in range(apis)]
        environment = os.environ | {
            "WEFT_DATABASE_URL": services.database_url,
            "WEFT_REDIS_URL": services.redis_url,
            "WEFT_SECRET_KEY": SECRET_KEY,
            "WEFT_PORT": str(ports[0]),
            "WEFT_LOG_LEVEL": "warning",
            **settings,
        }
        system = System(services, database, ports, key, environment, session, logs)
        try:
            for number in range(apis):
                await system.start_api(number)
            for number in range(workers):
                await system.start(f"worker-{number}", "worker")
            for number in range(apis):
                await system.ready(number)
            yield system
        finally:
            await system.stop()
            await database.close()


async def _configure(services: EmbeddedServices, database: Database, settings: Mapping[str, str]) -> None:
    """Some settings hold only from a start on."""
    async with database.reading() as connection:
        for name, value in settings.items():
            await connection.execute(text(f"ALTER SYSTEM SET {name} = '{value}'"))
    await database.close()
    before = services.pids["postgres"]
    assert before is not None
    os.kill(before, signal.SIGINT)
    async with asyncio.timeout(30):
        while services.pids["postgres"] in {before, None}:
            await asyncio.sleep(0.02)
        await services.ready()
