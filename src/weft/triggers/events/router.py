"""The router: one per worker. It takes events that wait, and starts what their triggers want.

One round is one transaction: events are claimed, runs and firings written, the events marked as handled. So each event
starts each workflow exactly once, wherever a process dies; and two workers never see the same event, since it is locked.
A round is small (`MOST_EVENTS`, `MOST_BYTES`, `MOST_CHOICES`, `ROUND_SECONDS`): its locks, its memory and its time are bounded,
and what is left goes into the next one.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.events import Event
from weft.domain.ids import UUID
from weft.engine.look_around import LookAround
from weft.engine.plans import PlanCache
from weft.kit.clock import Clock, utc_now
from weft.kit.slices import Slices
from weft.storage import event_queue
from weft.storage.database import Database
from weft.storage.event_queue import FROM_THE_START
from weft.triggers.events.choosing import Choice, choose
from weft.triggers.events.matchers import MatcherCache
from weft.triggers.events.starting import Starter

MOST_EVENTS = 200
"""Of one round. A transaction takes 5 ms by itself: of a hundred events each one pays little for it."""
MOST_BYTES = 8 * 1024 * 1024
"""Of the payloads of one round."""
MOST_CHOICES = 500
"""After so many runs a round ends with the event that it is at, whatever else was claimed."""
MOST_STORED_BYTES = 32 * 1024 * 1024
"""The same, of what goes into the runs: fifty workflows may take the same large payload as their input."""
ROUND_SECONDS = 0.5
"""The same, of time."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did."""

    handled: int = 0
    started: int = 0


@dataclass(slots=True)
class EventRouter:
    database: Database
    plans: PlanCache
    wake_workers: Callable[[], None]
    """Told after a round that started something; it waits for nobody."""
    clock: Clock = utc_now
    _matchers: MatcherCache = field(default_factory=MatcherCache)
    _starter: Starter = field(init=False)
    _looking: LookAround = field(init=False)
    _behind: UUID = FROM_THE_START

    def __post_init__(self) -> None:
        self._starter = Starter(self.plans)
        self._looking = LookAround("events", self.run_once)

    def wake(self) -> None:
        self._looking.wake()

    async def run(self) -> None:
        """Until `stop`."""
        await self._looking.run()

    def stop(self) -> None:
        """Begin no other round."""
        self._looking.stop()

    async def run_once(self) -> int:
        """Rounds until nothing waits any more; how many events were handled."""
        handled = 0
        while not self._looking.stopping:
            done = await self.one_round()
            handled += done.handled
            if not done.handled:
                break
        return handled

    async def one_round(self) -> Round:
        async with self.database.transaction() as connection:
            claim = await event_queue.claim(connection, self._behind, MOST_EVENTS, MOST_BYTES)
            if not claim.events and self._behind != FROM_THE_START:
                claim = await event_queue.claim(connection, FROM_THE_START, MOST_EVENTS, MOST_BYTES)
            self._behind = claim.last or FROM_THE_START
            if not claim.events:
                return Round()
            slices = Slices()
            events, choices = await self._chosen(connection, claim, slices)
            started = await self._starter.carry_out(connection, choices, self.clock(), slices)
            await event_queue.handled(connection, events)
        if started:
            self.wake_workers()
        return Round(len(events), started)

    async def _chosen(
        self, connection: AsyncConnection, claim: event_queue.Claim, slices: Slices
    ) -> tuple[Sequence[Event], list[Choice]]:
        """The events that there was room for in this round, the first one always, and what is to come of them."""
        listeners = await event_queue.listeners(connection, claim.events)
        until = time.monotonic() + ROUND_SECONDS
        choices: list[Choice] = []
        stored = 0
        for number, (event, size) in enumerate(zip(claim.events, claim.sizes, strict=True), 1):
            before = len(choices)
            choices += [one async for one in choose(event, listeners.of(event), self._matchers, slices)]
            stored += size * (len(choices) - before)
            if len(choices) >= MOST_CHOICES or stored >= MOST_STORED_BYTES or time.monotonic() >= until:
                return claim.events[:number], choices
        return claim.events, choices
