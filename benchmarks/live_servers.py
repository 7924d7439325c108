"""The servers that `live` measures: API processes beside the system's own, each fresh, and the floor."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from benchmarks.live_crowd import Address
from benchmarks.process import Process
from benchmarks.runs import WATCH
from benchmarks.system import System
from weft.cli.up import free_port

REVISION = re.compile(r'"revision":\d+')


@dataclass(frozen=True, slots=True)
class Api:
    process: Process
    address: Address


@asynccontextmanager
async def api_process(system: System, name: str, *module: str) -> AsyncGenerator[Api]:
    port = free_port("127.0.0.1", 0)
    limits = {"WEFT_MAX_CONNECTIONS_PER_ADDRESS": "0"}  # thousands of people, all of them here
    environment = {**system.environment, **limits, "WEFT_PORT": str(port)}
    process = Process.start(name, *module, env=environment, folder=system.folder)
    try:
        await process.said("Uvicorn running")
        yield Api(process, Address(port, system.client.key, WATCH))
    finally:
        await process.stop()


@dataclass(slots=True)
class Floor:
    process: Process
    address: Address
    _socket: aiohttp.ClientWebSocketResponse
    _frame: str = ""

    async def send(self, revision: int, frame: str | None = None) -> None:
        """This frame, or the one before, with another revision in it, to all watchers."""
        self._frame = frame or self._frame
        await self._socket.send_str(REVISION.sub(f'"revision":{revision}', self._frame, count=1))


@asynccontextmanager
async def floor_process(system: System) -> AsyncGenerator[Floor]:
    port = free_port("127.0.0.1", 0)
    process = Process.start("live-floor", "benchmarks.live_floor", str(port), env={}, folder=system.folder)
    try:
        await process.said("Uvicorn running")
        async with system.client.session.ws_connect(f"http://127.0.0.1:{port}/tell") as socket:
            yield Floor(process, Address(port, system.client.key, WATCH), socket)
    finally:
        await process.stop()
