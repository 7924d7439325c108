"""The sender: one per worker. It claims deliveries that are due while it has room, and sends each as a task of its own."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.delivery import AttemptOutcome, Delivery, postponed
from weft.domain.ids import UUID
from weft.domain.integration import Integration
from weft.engine.deliveries.attempts import Attempts
from weft.engine.deliveries.patience import wait_for_next
from weft.engine.look_around import LookAround
from weft.kit.backoff import Backoff
from weft.storage import deliveries, integrations
from weft.storage.database import DATABASE_IS_AWAY, Database, in_short

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=45)
"""Of a claim: what an attempt takes at most, and time to record it, so that none needs to be renewed. A worker that dies
holds up what it was sending for as long.
"""
MOST_AT_ONCE = 128
PER_LANE = 8
"""Under way to one receiver at once, of one worker: enough for a quick one, and few to lose patience with for a slow one."""
GRACE = timedelta(seconds=5)
"""What a stopping worker gives its attempts."""


@dataclass(frozen=True, slots=True)
class _Rest:
    until: float
    """By the clock of the event loop."""
    receiver: Integration
    """As it was when it asked for time."""


@dataclass(slots=True)
class DeliverySender:
    database: Database
    attempts: Attempts
    most_attempts: int = 10
    _tasks: dict[asyncio.Task[None], UUID] = field(default_factory=dict[asyncio.Task[None], UUID])
    """What is under way, with its lane."""
    _resting: dict[UUID, _Rest] = field(default_factory=dict[UUID, _Rest])
    """Receivers that asked for time."""
    _looking: LookAround = field(init=False)
    _full: bool = False
    """The last claim took all it had room for, of one lane or as a whole: there may be more."""

    def __post_init__(self) -> None:
        self._looking = LookAround("deliveries", self.run_once)

    def wake(self) -> None:
        self._looking.wake()

    async def run(self) -> None:
        """Until `stop`."""
        await self._looking.run()

    async def stop(self) -> None:
        """Begin nothing new; what does not end within the grace is broken off, and sent again by somebody else."""
        self._looking.stop()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=GRACE.total_seconds())
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def run_once(self) -> int:
        """Claim what is due and there is room for, and begin to send it; how many it were."""
        room = MOST_AT_ONCE - len(self._tasks)
        if self._looking.stopping or room <= 0:
            self._full = True
            return 0
        async with self.database.transaction() as connection:
            await self._wake_changed(connection)
            busy = self._busy()
            claimed = await deliveries.claim(connection, LEASE, room, PER_LANE, busy)
            receivers = await integrations.receivers(connection, {(one.workspace_id, _lane(one)) for one in claimed})
        for one in claimed:
            self._begin(one, receivers.get((one.workspace_id, _lane(one))))
        # By what there was room for at the claim: some of it may have ended meanwhile.
        taken = Counter(_lane(one) for one in claimed) + Counter(busy)
        self._full = len(claimed) == room or any(count >= PER_LANE for count in taken.values())
        return len(claimed)

    async def _wake_changed(self, connection: AsyncConnection) -> None:
        """Who changes an integration, its URL say, need not wait for what the old receiver asked for."""
        known = {(rest.receiver.workspace_id, lane): rest for lane, rest in self._resting.items()}
        now = await integrations.receivers(connection, known.keys())
        for (workspace_id, lane), rest in known.items():
            current = now.get((workspace_id, lane))
            changed = current is None or current.revision != rest.receiver.revision
            if changed and self._resting.get(lane) is rest:
                del self._resting[lane]

    def _busy(self) -> dict[UUID, int]:
        """How much of the room of each lane is taken: all of it, while its receiver wants to be left alone."""
        now = asyncio.get_running_loop().time()
        self._resting = {lane: rest for lane, rest in self._resting.items() if rest.until > now}
        return {**Counter(self._tasks.values()), **dict.fromkeys(self._resting, PER_LANE)}

    def _begin(self, delivery: Delivery, receiver: Integration | None) -> None:
        task = asyncio.create_task(self._carry(delivery, receiver))
        self._tasks[task] = _lane(delivery)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        if self._full:
            self.wake()

    async def _carry(self, delivery: Delivery, receiver: Integration | None) -> None:
        """One attempt, and its record."""
        clock = asyncio.get_running_loop().time
        began = clock()
        cancelled = False
        try:
            outcome = await self.attempts.make(delivery, receiver)
        except asyncio.CancelledError:
            cancelled = True
            reason = "The worker was stopped during this attempt: the message may have arrived."
            outcome = postponed(deliveries.ATTEMPT_LOST, reason)
        if outcome.after is not None and receiver is not None:
            self._resting[receiver.id] = _Rest(clock() + outcome.after.total_seconds(), receiver)
        await self._record(delivery, outcome, timedelta(seconds=clock() - began))
        if cancelled:
            raise asyncio.CancelledError

    async def _record(self, delivery: Delivery, outcome: AttemptOutcome, duration: timedelta) -> None:
        """Tried until the claim runs out: then the delivery is somebody else's, and sent again."""
        wait = wait_for_next(delivery, outcome, self.most_attempts, random.random())  # noqa: S311 - spreads load
        backoff = Backoff(first=0.1, longest=5.0)
        try:
            async with asyncio.timeout((LEASE - duration).total_seconds()):
                while True:
                    if await self._recorded(delivery, outcome, duration, wait):
                        return
                    await asyncio.sleep(backoff.next())
        except TimeoutError:
            log.warning("A delivery's outcome could not be recorded; it is sent again", delivery=str(delivery.id))

    async def _recorded(
        self, delivery: Delivery, outcome: AttemptOutcome, duration: timedelta, wait: timedelta | None
    ) -> bool:
        try:
            async with self.database.transaction() as connection:
                await deliveries.end_attempt(connection, delivery, outcome, duration, wait)
        except DATABASE_IS_AWAY as error:
            log.warning("A delivery's outcome cannot be recorded at the moment", error=in_short(error))
            return False
        return True


def _lane(delivery: Delivery) -> UUID:
    """As it is stored."""
    return delivery.integration_id or delivery.id
