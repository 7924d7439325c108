"""The leases that a worker holds, from the claim of a batch until it is done, given back, or lost."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

import structlog

from weft.storage import batches
from weft.storage.batches import Lease
from weft.storage.database import DATABASE_IS_AWAY, Database, in_short

log = structlog.get_logger(__name__)

ASIDE_SECONDS = 2.0
"""For a renewal from another thread, which has more to look after."""


class Carried(Protocol):
    """A batch under way, as its lease sees it."""

    def pause(self) -> None: ...

    def lost(self) -> None: ...


@dataclass(slots=True)
class HeldLeases:
    database: Database
    length: timedelta
    _held: dict[Lease, Carried | None] = field(default_factory=dict[Lease, Carried | None])
    """None while the batch is being loaded."""
    renewed: float = field(default_factory=time.monotonic)

    def __contains__(self, lease: Lease) -> bool:
        return lease in self._held

    def hold(self, lease: Lease, carried: Carried | None = None) -> None:
        self._held[lease] = carried

    def drop(self, lease: Lease) -> None:
        self._held.pop(lease, None)

    def pause(self, *leases: Lease) -> None:
        for lease in leases:
            if (carried := self._held.get(lease)) is not None:
                carried.pause()

    def pause_all(self, *, but: Lease | None = None) -> None:
        self.pause(*(lease for lease in self._held if lease != but))

    def lose(self, lease: Lease) -> None:
        """Somebody else holds it."""
        if (carried := self._held.pop(lease, None)) is not None:
            carried.lost()

    @property
    def are_late(self) -> bool:
        """The process stood still for a while: it was stopped, or a step did not return."""
        return time.monotonic() - self.renewed > self.length.total_seconds() / 2

    @property
    def may_be_lost(self) -> bool:
        return time.monotonic() - self.renewed >= self.length.total_seconds()

    async def keep(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(self.length.total_seconds() / 3)
            try:
                await self.renew()
            except DATABASE_IS_AWAY as error:
                log.warning("Leases could not be renewed", error=in_short(error))
            except Exception as error:
                log.exception("Renewing leases failed and is tried again", exc_info=error)

    def renew_aside(self, connect: Callable[[], Database]) -> None:
        """For another thread, while a step keeps the loop to itself: the holder is alive, and nobody shall take over from it.

        `connect` gives it a database of its own. Raises what a database that is away raises.
        """
        held, asked = list(self._held), time.monotonic()
        if held and asked - self.renewed >= self.length.total_seconds() / 3:
            still = asyncio.run(self._renew_with(connect(), held))
            # Otherwise the loop has to find out itself, before it begins anything.
            if still == set(held):
                self.renewed = asked

    async def _renew_with(self, database: Database, held: list[Lease]) -> set[Lease]:
        try:
            async with asyncio.timeout(ASIDE_SECONDS), database.transaction() as connection:
                return set(await batches.renew(connection, held, self.length))
        finally:
            await database.close()

    async def renew(self) -> int:
        """Renew every lease; tell the batches that are lost, or whose run was paused. How many were lost."""
        held = list(self._held)
        asked = time.monotonic()
        if not held:
            self.renewed = asked
            return 0
        async with self.database.transaction() as connection:
            still = await batches.renew(connection, held, self.length)
        self.renewed = asked
        async with self.database.transaction() as connection:
            await batches.forget_future(connection)
        # What was dropped meanwhile is not lost.
        lost = [lease for lease in held if lease not in still and lease in self._held]
        for lease in lost:
            self.lose(lease)
        self.pause(*(lease for lease, paused in still.items() if paused))
        return len(lost)
