"""Carries out a plan of faults, starts what died again as a supervisor would, and keeps a diary of it."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, cast

import asyncpg
from acceptance.system import System, api_name
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.engine import make_url
from torture.faults import Fault, Kind
from torture.judging import Standstill
from torture.takeover import Held, Killing

HELD = (
    "SELECT run_id, first_ordinal, size FROM run_batch "
    "WHERE split_part(holder, ':', 2) = $1 AND NOT done AND ready_at > now()"
)
TERMINATE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


@dataclass(frozen=True, slots=True)
class Outage:
    """Of Postgres: from the signal until it answers again. Seconds since the Unix epoch."""

    began: float
    ended: float


@dataclass(slots=True)
class Diary:
    done: list[tuple[float, Fault]] = field(default_factory=list[tuple[float, Fault]])
    """With the time at which each began."""
    in_vain: list[Fault] = field(default_factory=list[Fault])
    """What they were aimed at was away already."""
    standstills: list[Standstill] = field(default_factory=list[Standstill])
    outages: list[Outage] = field(default_factory=list[Outage])
    killings: list[Killing] = field(default_factory=list[Killing])
    ended_by_themselves: list[str] = field(default_factory=list[str])
    """Processes that nobody killed, and how they ended."""


class Tormentor:
    def __init__(self, system: System, cut_websockets: Callable[[], None]) -> None:
        self._system = system
        self._cut_websockets = cut_websockets
        self.diary = Diary()

    async def carry_out(self, faults: Sequence[Fault]) -> None:
        """Returns when all is done and everything was started again."""
        begun, under_way = time.monotonic(), list[asyncio.Task[None]]()
        for fault in faults:
            await asyncio.sleep(max(0.0, begun + fault.at - time.monotonic()))
            self.diary.done.append((time.time(), fault))
            under_way.append(asyncio.create_task(self._do(fault)))
        await asyncio.gather(*under_way)

    async def replace_the_dead(self) -> None:
        """Until cancelled: a process that ended by itself is noted, and started again."""
        while True:
            await asyncio.sleep(0.2)
            for name, process in list(self._system.processes.items()):
                if process.running:
                    continue
                code = await process.wait()
                if self._system.processes.get(name) is process:  # nobody replaced it meanwhile
                    self.diary.ended_by_themselves.append(f"{name} ended with exit code {code}")
                    await self._start(name)

    async def _do(self, fault: Fault) -> None:
        try:
            await self._harm(fault)
        except (RedisError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            self.diary.in_vain.append(fault)

    async def _harm(self, fault: Fault) -> None:
        match fault.kind:
            case Kind.KILL_WORKER:
                await self._kill_worker(f"worker-{fault.target}", fault)
            case Kind.STOP_WORKER:
                await self._stop_worker(f"worker-{fault.target}", fault)
            case Kind.KILL_API:
                await self._kill(api_name(fault.target), fault)
            case Kind.RESTART_POSTGRES:
                await self._restart_postgres(signal.SIGINT)
            case Kind.CRASH_POSTGRES:
                await self._restart_postgres(signal.SIGQUIT)
            case Kind.CUT_POSTGRES:
                await self._cut_postgres()
            case Kind.CUT_WEBSOCKETS:
                self._cut_websockets()
            case _:
                await self._harm_valkey(fault.kind)

    async def _harm_valkey(self, kind: Kind) -> None:
        match kind:
            case Kind.KILL_VALKEY:
                self._system.signal_service("valkey", signal.SIGKILL)
            case Kind.RESTART_VALKEY:
                self._system.signal_service("valkey", signal.SIGTERM)
            case _:
                async with asyncio.timeout(5), Redis.from_url(self._system.services.redis_url) as client:
                    if kind is Kind.EMPTY_VALKEY:
                        await client.flushall()
                    else:
                        await client.client_kill_filter(_type="pubsub")
                        await client.client_kill_filter(_type="normal")

    async def _start(self, name: str) -> None:
        if name.startswith("worker"):
            await self._system.start(name, "worker")
        else:
            await self._system.start_api(int(name.partition("-")[2] or 0))

    async def _kill(self, name: str, fault: Fault) -> int | None:
        """The number of the process, None when its place was empty."""
        if name not in self._system.processes:
            self.diary.in_vain.append(fault)
            return None
        pid = await self._system.kill(name)
        await asyncio.sleep(fault.seconds)
        await self._start(name)
        return pid

    async def _kill_worker(self, name: str, fault: Fault) -> None:
        killing = asyncio.create_task(self._kill(name, fault))
        died = time.time()
        process = self._system.processes.get(name)
        if process is not None:
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
                self.diary.killings.append(Killing(died, await self._held_by(process.pid)))
        await killing

    async def _held_by(self, pid: int) -> list[Held]:
        async with self._postgres() as connection:
            rows = cast("list[Any]", await connection.fetch(HELD, str(pid)))
        return [Held(str(row["run_id"]), row["first_ordinal"], row["size"]) for row in rows]

    async def _stop_worker(self, name: str, fault: Fault) -> None:
        process = self._system.processes.get(name)
        if process is None or not process.running:
            self.diary.in_vain.append(fault)
            return
        stopped = time.time()
        os.kill(process.pid, signal.SIGSTOP)
        await asyncio.sleep(fault.seconds)
        # Noted before it goes on: what it does then comes after.
        went_on = time.time()
        if process.running:
            os.kill(process.pid, signal.SIGCONT)
            self.diary.standstills.append(Standstill(process.pid, stopped, went_on))

    async def _restart_postgres(self, number: signal.Signals) -> None:
        began, services = time.time(), self._system.services
        before = services.pids["postgres"]
        self._system.signal_service("postgres", number)
        async with asyncio.timeout(60):
            while services.pids["postgres"] in {before, None}:
                await asyncio.sleep(0.02)
            await services.ready()
        self.diary.outages.append(Outage(began, time.time()))

    async def _cut_postgres(self) -> None:
        async with self._postgres() as connection:
            await connection.execute(TERMINATE)

    @asynccontextmanager
    async def _postgres(self) -> AsyncGenerator[asyncpg.Connection]:
        url = make_url(self._system.services.database_url).set(drivername="postgresql")
        dsn = url.render_as_string(hide_password=False)
        connection = cast("asyncpg.Connection", await asyncpg.connect(dsn, timeout=5))
        try:
            yield connection
        finally:
            await connection.close(timeout=5)
