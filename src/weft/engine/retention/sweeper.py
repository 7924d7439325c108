"""The duty that deletes what is old."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import TextClause

from weft.domain.retention import Ages
from weft.engine.look_around import LookAround
from weft.engine.retention.files import drop_unused_files
from weft.integrations.object_store import ObjectStore
from weft.integrations.store_errors import StoreUnavailable
from weft.kit.clock import Clock, utc_now
from weft.storage import deleted_runs, retention, unused_files
from weft.storage.database import DATABASE_IS_AWAY, Database, in_short

log = structlog.get_logger(__name__)

EVERY = timedelta(minutes=1)
LEASE = timedelta(minutes=5)
"""Of a turn: longer than a round takes, if every kind of data takes all its time."""
CHUNK = 1_000
"""Rows of one transaction: some milliseconds."""
RUNS_AT_ONCE = 100
"""Each with its state and its webhook."""
PAUSE = timedelta(milliseconds=20)
"""Behind each chunk: deleting never takes more than a part of what the database can do."""
LONGEST_OF_A_KIND = timedelta(seconds=10)
"""In one round; what is left has its turn with the next."""
SLICES = 5
"""Of a table that is walked through, in one round."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of data, and how a chunk of it is deleted."""

    name: str
    drop: Callable[[], Awaitable[int]]
    """How many it were."""
    full: int | None
    """So many mean that there may be more; None for a walk, which goes on whatever it finds."""


@dataclass(slots=True)
class RetentionSweeper:
    """One per worker; one of them works at a time."""

    database: Database
    store: ObjectStore
    ages: Ages
    clock: Clock = utc_now
    pause: timedelta = PAUSE
    _looking: LookAround = field(init=False)

    def __post_init__(self) -> None:
        self._looking = LookAround("retention", self.run_once, EVERY / 4)

    def wake(self) -> None:
        """Age knows no haste."""

    async def run(self) -> None:
        """Until `stop`."""
        await self._looking.run()

    def stop(self) -> None:
        """After the chunk under way."""
        self._looking.stop()

    async def run_once(self) -> dict[str, int]:
        """Where it is this process's turn: what was deleted, by kind."""
        async with self.database.transaction() as connection:
            if not await retention.take_turn(connection, LEASE):
                return {}
        dropped, more = Counter[str](), False
        for kind in self._kinds():
            count, left = await self._sweep(kind)
            dropped[kind.name] += count
            more = more or left
        async with self.database.transaction() as connection:
            await retention.give_turn_back(connection, timedelta() if more else EVERY)
        found = {name: count for name, count in dropped.items() if count}
        if found:
            log.info("What was old is deleted", rows=found)
        if more:
            self._looking.wake()
        return found

    async def _sweep(self, kind: Kind) -> tuple[int, bool]:
        """How many it were, and whether there are more."""
        loop = asyncio.get_running_loop()
        until, total, chunks = loop.time() + LONGEST_OF_A_KIND.total_seconds(), 0, 0
        while not self._looking.stopping:
            try:
                count = await kind.drop()
            except StoreUnavailable as error:
                log.warning("What is old cannot be deleted at the moment", kind=kind.name, error=str(error))
                return total, False
            except DATABASE_IS_AWAY as error:
                log.warning("What is old cannot be deleted at the moment", kind=kind.name, error=in_short(error))
                return total, False
            except Exception as error:
                log.exception("What is old could not be deleted", kind=kind.name, exc_info=error)
                return total, False
            total, chunks = total + count, chunks + 1
            if kind.full is None and chunks == SLICES:
                return total, False
            if kind.full is not None and count < kind.full:
                return total, False
            if loop.time() >= until:
                break
            await asyncio.sleep(self.pause.total_seconds())
        return total, kind.full is not None

    def _kinds(self) -> Iterable[Kind]:
        ages = self.ages
        yield from self._runs(ages.runs)
        yield from self._of_age("logs", ages.logs, retention.LOGS)
        yield from self._of_age("events", ages.events, retention.EVENTS)
        yield from self._of_age("firings", ages.events, retention.FIRINGS)
        # With up to a hundred attempts each.
        yield from self._of_age("deliveries", ages.deliveries, retention.DELIVERIES, CHUNK // 10)
        yield from self._of_age("audit entries", ages.audit, retention.AUDIT)
        # With up to a thousand errors each.
        yield from self._of_age("imports", ages.imports, retention.IMPORTS, 1)
        yield from self._of_age("idempotency keys", ages.idempotency_keys, retention.IDEMPOTENCY_KEYS)
        yield from self._of_age("API keys", ages.api_keys, retention.API_KEYS)
        yield from self._of_age("uploads", ages.files, retention.UPLOADS)
        yield from self._files(ages.files)

    def _of_age(self, name: str, age: timedelta | None, what: TextClause, most: int = CHUNK) -> Iterable[Kind]:
        if age is None:
            return
        before = self.clock() - age

        async def drop() -> int:
            async with self.database.transaction() as connection:
                return await retention.drop_oldest(connection, what, before, most)

        yield Kind(name, drop, most)

    def _runs(self, age: timedelta | None) -> Iterable[Kind]:
        if age is not None:
            before = self.clock() - age
            yield Kind("runs", lambda: self._drop_runs(before), RUNS_AT_ONCE)
        # Of runs that were deleted with their workflow as well.
        yield Kind("parts of runs", self._drop_parts, 1)

    async def _drop_runs(self, before: datetime) -> int:
        async with self.database.transaction() as connection:
            return await deleted_runs.drop_old(connection, before, RUNS_AT_ONCE)

    async def _drop_parts(self) -> int:
        async with self.database.transaction() as connection:
            return await deleted_runs.sweep(connection, RUNS_AT_ONCE, CHUNK)

    def _files(self, age: timedelta | None) -> Iterable[Kind]:
        if age is None:
            return
        before = self.clock() - age
        yield Kind("documents", self._drop_documents, None)
        yield Kind("files", lambda: self._drop_files(before), None)

    async def _drop_documents(self) -> int:
        async with self.database.transaction() as connection:
            return await unused_files.drop_documents(connection, CHUNK)

    async def _drop_files(self, before: datetime) -> int:
        return await drop_unused_files(self.database, self.store, before, CHUNK, lambda: self._looking.stopping)
