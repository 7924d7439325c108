"""Connections to databases elsewhere, kept open while they are used.

One pool per datastore and revision: a changed datastore gets new connections, the old ones are closed when nobody uses
them any more. A pool that nobody used for a minute is closed.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from weft.domain.datastore import DatastoreKind
from weft.domain.ids import UUID
from weft.domain.step import Retry
from weft.integrations.addresses import AllowedHosts
from weft.integrations.sql.doors import opener
from weft.integrations.sql.errors import lost
from weft.integrations.sql.target import Target

CONNECTIONS = 4
"""Per process and datastore: two write while two others are being answered."""
WAIT_SECONDS = 20.0
MOST_POOLS = 50
IDLE_SECONDS = 60.0
RECYCLE_SECONDS = 600
_DIALECTS = {
    DatastoreKind.POSTGRESQL: "postgresql+asyncpg://",
    DatastoreKind.MYSQL: "mysql+aiomysql://",
    DatastoreKind.SQLITE: "sqlite+aiosqlite:///file",
}


class Version(NamedTuple):
    """A datastore as it was at one time."""

    id: UUID
    revision: int


@dataclass(slots=True)
class _Pool:
    engine: AsyncEngine
    turn: asyncio.Semaphore
    users: int = 0
    used_at: float = 0.0


class Pools:
    def __init__(self, allowed: AllowedHosts) -> None:
        self._allowed = allowed
        self._pools: dict[Version, _Pool] = {}
        self._sweep: asyncio.TimerHandle | None = None
        self._closing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def connection(self, version: Version, target: Target, seconds: float) -> AsyncGenerator[AsyncConnection]:
        """A connection of one's own, each statement its own transaction unless one is begun.

        After `seconds` it is given up, whatever the other side does. Raises `Fail` and `Retry`.
        """
        pool = self._pools.get(version) or self._opened(version, target)
        pool.users += 1
        try:
            try:
                async with asyncio.timeout(WAIT_SECONDS):
                    await pool.turn.acquire()
            except TimeoutError:
                raise Retry("All connections to the datastore are in use.", code="DATASTORE_BUSY") from None
            try:
                async with asyncio.timeout(seconds), pool.engine.connect() as connection:
                    try:
                        yield connection
                    except BaseException:
                        # Whatever was under way is given up with the connection, not left to who gets it next.
                        await connection.invalidate()
                        raise
            except TimeoutError as error:
                raise lost(error) from error
            finally:
                pool.turn.release()
        finally:
            pool.users -= 1
            pool.used_at = asyncio.get_running_loop().time()
            self._sweep_later()

    async def close(self) -> None:
        if self._sweep is not None:
            self._sweep.cancel()
        for version in list(self._pools):
            self._drop(version)
        await asyncio.gather(*self._closing)

    def _opened(self, version: Version, target: Target) -> _Pool:
        for older in [other for other in self._pools if other.id == version.id and other.revision < version.revision]:
            self._drop(older)
        if len(self._pools) >= MOST_POOLS:
            idle = [(pool.used_at, other) for other, pool in self._pools.items() if not pool.users]
            if not idle:
                raise Retry(f"More than {MOST_POOLS} datastores are in use at once.", code="DATASTORE_BUSY")
            self._drop(min(idle)[1])
        engine = create_async_engine(
            _DIALECTS[target.kind],
            async_creator=opener(target, self._allowed),
            isolation_level="AUTOCOMMIT",
            pool_size=CONNECTIONS,
            max_overflow=0,
            pool_recycle=RECYCLE_SECONDS,
            pool_pre_ping=True,
            hide_parameters=True,
        )
        pool = self._pools[version] = _Pool(engine, asyncio.Semaphore(CONNECTIONS))
        return pool

    def _drop(self, version: Version) -> None:
        # Connections that are in use are closed when they are given back: the engine has forgotten them by then.
        task = asyncio.get_running_loop().create_task(self._pools.pop(version).engine.dispose())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _sweep_later(self) -> None:
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._close_unused)

    def _close_unused(self) -> None:
        self._sweep = None
        before = asyncio.get_running_loop().time() - IDLE_SECONDS
        for version in [version for version, pool in self._pools.items() if not pool.users and pool.used_at <= before]:
            self._drop(version)
        if self._pools:
            self._sweep_later()
