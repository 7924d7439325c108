"""A whole Weft in real processes, to be killed and watched: services, one API, workers, and a client's view of it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from redis.asyncio import Redis

from weft.cli.up import free_port
from weft.domain.access import Role
from weft.embedded import EmbeddedServices
from weft.operations.keys import first_key
from weft.storage.database import Database
from weft.storage.migrations import migrate

SECRET_KEY = "a secret only for tests, of 32 characters or more"


@dataclass
class System:
    services: EmbeddedServices
    database: Database
    port: int
    key: str
    environment: dict[str, str]
    session: aiohttp.ClientSession
    processes: dict[str, asyncio.subprocess.Process] = field(default_factory=dict[str, asyncio.subprocess.Process])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/graphql"

    async def start(self, name: str, command: str) -> None:
        self.processes[name] = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "weft.cli", command, env=self.environment
        )

    async def kill(self, name: str) -> None:
        """As a crash does: nothing is said, nothing is written."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        await process.wait()

    async def stop(self) -> None:
        for process in self.processes.values():
            with suppress(ProcessLookupError):
                process.terminate()
        for process in self.processes.values():
            await process.wait()

    async def ready(self) -> None:
        async with asyncio.timeout(60):
            while True:
                with suppress(aiohttp.ClientError):
                    async with self.session.get(f"http://127.0.0.1:{self.port}/readyz") as reply:
                        if reply.status == 200:
                            return
                await asyncio.sleep(0.05)

    async def ask(self, document: str, **variables: Any) -> dict[str, Any]:
        body = {"query": document, "variables": variables}
        headers = {"Authorization": f"Bearer {self.key}"}
        async with self.session.post(self.url, json=body, headers=headers) as reply:
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
        pid = self.services.pids["valkey"]
        assert pid is not None
        os.kill(pid, signal.SIGKILL)


@asynccontextmanager
async def running_system(folder: Path, *, workers: int, **settings: str) -> AsyncGenerator[System]:
    async with EmbeddedServices(folder, durable=False) as services, aiohttp.ClientSession() as session:
        database = Database.connect(services.database_url, pool_size=3)
        await migrate(database)
        key = await first_key(database, SECRET_KEY.encode(), workspace="acceptance", name="acceptance", role=Role.ADMIN)
        port = free_port("127.0.0.1", 0)
        environment = os.environ | {
            "WEFT_DATABASE_URL": services.database_url,
            "WEFT_REDIS_URL": services.redis_url,
            "WEFT_SECRET_KEY": SECRET_KEY,
            "WEFT_PORT": str(port),
            "WEFT_LOG_LEVEL": "warning",
            **settings,
        }
        system = System(services, database, port, key, environment, session)
        try:
            await system.start("api", "api")
            for number in range(workers):
                await system.start(f"worker-{number}", "worker")
            await system.ready()
            yield system
        finally:
            await system.stop()
            await database.close()
