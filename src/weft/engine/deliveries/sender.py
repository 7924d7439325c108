"""The sender: one per worker. It claims deliveries that are due while it has room, and sends each as a task of its own."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.delivery import AttemptOutcome, Delivery, DeliveryKind, postponed
from weft.domain.ids import UUID
from weft.domain.integration import Integration
from weft.engine.deliveries.attempts import Attempts, Receiver
from weft.engine.deliveries.patience import wait_for_next
from weft.engine.look_around import LookAround
from weft.kit.backoff import Backoff
from weft.storage import deliveries, integrations, run_webhooks
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
    receiver: Receiver
    """As it was when it asked for time."""


def _nothing_follows(_delivery: Delivery) -> None:
    """Of most messages."""


@dataclass(slots=True)
class DeliverySender:
    database: Database
    attempts: Attempts
    most_attempts: int = 10
    after: Callable[[Delivery], None] = _nothing_follows
    """Called when an attempt ended and its outcome is recorded."""
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
            receivers = await _receivers(connection, claimed)
        for one in claimed:
            self._begin(one, receivers.get(one.id))
        # By what there was room for at the claim: some of it may have ended meanwhile.
        taken = Counter(one.lane for one in claimed) + Counter(busy)
        self._full = len(claimed) == room or any(count >= PER_LANE for count in taken.values())
        return len(claimed)

    async def _wake_changed(self, connection: AsyncConnection) -> None:
        """Who changes an integration, its URL say, need not wait for what the old receiver asked for."""
        known = {
            (receiver.workspace_id, receiver.id): (rest, receiver.revision)
            for rest in self._resting.values()
            if isinstance(receiver := rest.receiver, Integration)
        }
        now = await integrations.receivers(connection, known.keys())
        for (workspace_id, lane), (rest, revision) in known.items():
            current = now.get((workspace_id, lane))
            changed = current is None or current.revision != revision
            if changed and self._resting.get(lane) is rest:
                del self._resting[lane]

    def _busy(self) -> dict[UUID, int]:
        """How much of the room of each lane is taken: all of it, while its receiver wants to be left alone."""
        now = asyncio.get_running_loop().time()
        self._resting = {lane: rest for lane, rest in self._resting.items() if rest.until > now}
        return {**Counter(self._tasks.values()), **dict.fromkeys(self._resting, PER_LANE)}

    def _begin(self, delivery: Delivery, receiver: Receiver | None) -> None:
        task = asyncio.create_task(self._carry(delivery, receiver))
        self._tasks[task] = delivery.lane
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        if self._full:
            self.wake()

    async def _carry(self, delivery: Delivery, receiver: Receiver | None) -> None:
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
            self._resting[delivery.lane] = _Rest(clock() + outcome.after.total_seconds(), receiver)
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
                        self.after(delivery)
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


async def _receivers(connection: AsyncConnection, claimed: Sequence[Delivery]) -> dict[UUID, Receiver]:
    """By delivery; those that are gone are left out."""
    by_run = {one.id: (one.workspace_id, one.run_id) for one in claimed if one.kind is DeliveryKind.RUN and one.run_id}
    by_integration = {one.id: (one.workspace_id, one.integration_id) for one in claimed if one.integration_id}
    hooks = await run_webhooks.receivers(connection, set(by_run.values()))
    found = await integrations.receivers(connection, set(by_integration.values()))
    return {
        **{one: hooks[key] for one, key in by_run.items() if key in hooks},
        **{one: found[key] for one, key in by_integration.items() if key in found},
    }
