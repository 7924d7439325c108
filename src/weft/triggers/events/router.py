"""The router: one per worker. It takes events that wait, and starts what their triggers want.

One round is one transaction: events are claimed, runs and firings written, the events marked as handled. So each event
starts each workflow exactly once, wherever a process dies; and two workers never see the same event, since it is locked.
A round is small (`MOST_EVENTS`, `MOST_BYTES`, `MOST_WORKFLOWS`, `MOST_CHOICES`, `ROUND_SECONDS`): its locks, its memory and
its time are bounded, and what is left goes into the next one. An event that is for more workflows than that takes several
rounds, workflow by workflow in the order of their ids; only the last of them marks it as handled. How far it is, each router
remembers for itself: one that does not know begins with the first workflow, and the firings that there are keep it from
starting anything twice.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.events import Event
from weft.domain.ids import UUID
from weft.engine.look_around import LookAround
from weft.engine.plan import Plan
from weft.engine.plans import PlanCache
from weft.kit.clock import Clock, utc_now
from weft.kit.slices import Slices
from weft.storage import event_queue
from weft.storage.database import Database
from weft.storage.event_queue import FROM_THE_START
from weft.storage.listeners import Listening, listeners_of
from weft.triggers.events.choosing import choose
from weft.triggers.events.matchers import MatcherCache
from weft.triggers.events.starting import Prepared, Starter

MOST_EVENTS = 200
"""Of one round. A transaction takes 5 ms by itself: of a hundred events each one pays little for it."""
MOST_BYTES = 8 * 1024 * 1024
"""Of the payloads of one round."""
MOST_WORKFLOWS = 2_000
"""That listen for the events of one round."""
MOST_CHOICES = 500
"""After so many runs a round ends with the event that it is at, and that event after so many of its own."""
MOST_STORED_BYTES = 32 * 1024 * 1024
"""The same, of what goes into the runs: fifty workflows may take the same large payload as their input."""
ROUND_SECONDS = 0.5
"""The same, of time."""
SILENT_SECONDS = 1.0
"""Without a statement, within the transaction of a round."""
MOST_REMEMBERED = 1_000
"""Events of which it is known how far they are."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did."""

    handled: int = 0
    started: int = 0
    more: bool = False
    """Whether there may be something for another round."""


class _Breath(Slices):
    """Slices within a transaction, which the server ends when it hears nothing for some seconds."""

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__()
        self._connection = connection
        self._heard = time.monotonic()

    async def breathe(self) -> None:
        await super().breathe()
        if time.monotonic() - self._heard >= SILENT_SECONDS:
            await self._connection.execute(text("SELECT"))
            self._heard = time.monotonic()


@dataclass(slots=True)
class _Work:
    """What a round comes to."""

    breath: _Breath
    plans: dict[UUID, Plan | str] = field(default_factory=dict[UUID, Plan | str])
    looked_at: list[Event] = field(default_factory=list[Event])
    prepared: list[Prepared] = field(default_factory=list[Prepared])
    stored: int = 0
    reached: UUID | None = None
    """The workflow at which the last of the events was left for another round."""

    @property
    def handled(self) -> list[Event]:
        return self.looked_at if self.reached is None else self.looked_at[:-1]


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
    _reached: OrderedDict[UUID, UUID] = field(default_factory=OrderedDict[UUID, UUID])
    """By event, the last workflow that it was looked at for."""

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
            if not done.more:
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
            work = await self._work_on(connection, claim)
            self._behind = claim.behind(len(work.looked_at))
            started = await self._starter.carry_out(connection, work.prepared, self.clock())
            await event_queue.handled(connection, work.handled)
        self._remember(work)
        if started:
            self.wake_workers()
        return Round(len(work.handled), started, more=True)

    async def _work_on(self, connection: AsyncConnection, claim: event_queue.Claim) -> _Work:
        """The events that there was room for in this round, the first one always, and what is to come of them."""
        listening = await listeners_of(connection, claim.events, self._reached, MOST_WORKFLOWS)
        until = time.monotonic() + ROUND_SECONDS
        work = _Work(_Breath(connection))
        for event, size in zip(claim.events, claim.sizes, strict=True):
            found = listening.of(event)
            if found is None:
                break
            work.looked_at.append(event)
            work.reached = await self._look_at(connection, event, size, found, work)
            full = len(work.prepared) >= MOST_CHOICES or work.stored >= MOST_STORED_BYTES
            if full or work.reached is not None or time.monotonic() >= until:
                break
        return work

    async def _look_at(
        self, connection: AsyncConnection, event: Event, size: int, found: Listening, work: _Work
    ) -> UUID | None:
        """The workflow up to which it was done; None when it was done for all."""
        until = time.monotonic() + ROUND_SECONDS
        number, stored = len(work.prepared), work.stored
        reached: UUID | None = None
        for listeners in found.workflows:
            full = len(work.prepared) - number >= MOST_CHOICES or work.stored - stored >= MOST_STORED_BYTES
            if reached is not None and (full or time.monotonic() >= until):
                return reached
            choice = await choose(event, listeners, self._matchers, work.breath)
            if choice is not None:
                work.prepared.append(await self._starter.prepared(connection, choice, work.plans))
                work.stored += size
            reached = listeners[0].workflow.id
        return found.until

    def _remember(self, work: _Work) -> None:
        """After the commit."""
        for event in work.looked_at:
            self._reached.pop(event.id, None)
        if work.reached is not None:
            self._reached[work.looked_at[-1].id] = work.reached
            if len(self._reached) > MOST_REMEMBERED:
                self._reached.popitem(last=False)
