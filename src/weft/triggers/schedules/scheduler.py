"""The scheduler: one per worker. It sleeps until the next slot of all schedules, or for a second, and looks what is due."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID
from weft.domain.schedule import Schedule
from weft.engine.look_around import LOOK_AROUND, LookAround
from weft.engine.plans import PlanCache
from weft.engine.ports import Wakeups
from weft.kit.clock import Clock
from weft.storage import schedule_slots
from weft.storage.database import DATABASE_IS_AWAY, Database, in_short
from weft.storage.outage import outage
from weft.triggers.schedules.carrying import Carrier

log = structlog.get_logger(__name__)

LANES = 4
"""Schedules that one worker takes care of at once: many are due at the full hour."""
REST_SECONDS = 10.0
"""How long one that could not be carried out is left alone by this worker, so that it does not keep others from their turn."""
TIMER_SECONDS = 0.001
"""The precision of timers: one that goes off early would look in vain."""


@dataclass(slots=True)
class Scheduler:
    database: Database
    plans: PlanCache
    wakeups: Wakeups
    clock: Clock | None = None
    """None for that of the database: a worker whose own is ahead would take slots for missed that others were there for."""
    _carrier: Carrier = field(init=False)
    _looking: LookAround = field(init=False)
    _waiting: bool = False
    """Some queue waits for the end of a run, as far as the last look told."""
    _resting: dict[UUID, float] = field(default_factory=dict[UUID, float])
    """Until when, by the clock of the event loop."""
    _lanes: set[asyncio.Task[int]] = field(default_factory=set["asyncio.Task[int]"])
    _timer: asyncio.TimerHandle | None = None

    def __post_init__(self) -> None:
        self._carrier = Carrier(self.plans)
        self._looking = LookAround("schedules", self.run_once)

    def wake(self) -> None:
        """A run may have ended. That concerns schedules only while one waits for it: most runs end without a look."""
        if self._waiting:
            self._looking.wake()

    async def run(self) -> None:
        """Until `stop`, and until what was begun is done."""
        await self._looking.run()
        await self.settled()

    def stop(self) -> None:
        """Begin nothing new."""
        self._looking.stop()
        self._drop_timer()

    async def run_once(self) -> int:
        """Begin to take care of what is due, while there are lanes free; how many of them it takes.

        They are not waited for: a run over a million entities takes seconds to be stored, and holds up its own lane alone.
        """
        if self._looking.stopping:
            return 0
        async with self.database.reading() as connection:
            now = await self._now(connection)
            ahead = await schedule_slots.ahead(connection, now, self._at_rest(), LANES)
        self._waiting = ahead.waiting
        self._set_timer(ahead.next_at, now)
        wanted = min(LANES - len(self._lanes), ahead.ready)
        for _ in range(wanted):
            lane = asyncio.create_task(self._lane())
            self._lanes.add(lane)
            lane.add_done_callback(self._lane_ended)
        return wanted

    async def settled(self) -> int:
        """When all lanes are free; for how many slots the last ones cared."""
        done = await asyncio.gather(*self._lanes, return_exceptions=True)
        return sum(handled for handled in done if isinstance(handled, int))

    def _lane_ended(self, lane: asyncio.Task[int]) -> None:
        self._lanes.discard(lane)
        if lane.cancelled():
            return
        if (error := lane.exception()) is not None:
            log.error("Looking for what is due failed and is tried again", exc_info=error)
        elif lane.result():
            self._looking.wake()

    async def _lane(self) -> int:
        """Takes one schedule after the other, until there is none that nobody else has."""
        handled = 0
        try:
            while not self._looking.stopping and (started := await self._take_one()) is not None:
                handled += 1
                if started:
                    await self.wakeups.wake()
        except DATABASE_IS_AWAY as error:
            log.warning("The database cannot be asked for what is due", error=in_short(error))
        return handled

    async def _take_one(self) -> bool | None:
        """Whether a run was started; None where nothing was there to be done."""
        claimed: Schedule | None = None
        try:
            async with self.database.transaction() as connection:
                now = await self._now(connection)
                claimed = await schedule_slots.claim_due(connection, now, self._at_rest())
                if claimed is not None and claimed.next_at is not None:
                    return await self._carrier.carry_due(connection, claimed, claimed.next_at, now)
                claimed = await schedule_slots.claim_waiting(connection, self._at_rest())
                if claimed is not None:
                    return await self._carrier.carry_waiting(connection, claimed, now)
                return None
        except Exception as error:
            if claimed is None:
                raise
            self._leave_alone(claimed, error)
            return False

    def _leave_alone(self, schedule: Schedule, error: Exception) -> None:
        self._resting[schedule.id] = asyncio.get_running_loop().time() + REST_SECONDS
        if outage(error) is None:
            log.error("A schedule could not be carried out", schedule=str(schedule.id), exc_info=error)
        else:
            log.warning(
                "A schedule has to wait: the database is away", schedule=str(schedule.id), error=in_short(error)
            )

    def _at_rest(self) -> list[UUID]:
        now = asyncio.get_running_loop().time()
        self._resting = {one: until for one, until in self._resting.items() if until > now}
        return list(self._resting)

    async def _now(self, connection: AsyncConnection) -> datetime:
        return await schedule_slots.now(connection) if self.clock is None else self.clock()

    def _drop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self, next_at: datetime | None, now: datetime) -> None:
        """To look again at this time, if it comes before the next look around."""
        self._drop_timer()
        if next_at is None or self._looking.stopping:
            return
        left = next_at - now
        # What is due already is in other hands.
        if timedelta() < left <= LOOK_AROUND:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(left.total_seconds() + TIMER_SECONDS, self._looking.wake)
