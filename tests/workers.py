"""A worker in the test's own process: what operations start is carried out while it is there."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import event

from weft.engine.attempt import Attempts
from weft.engine.deliveries import WakingPublisher
from weft.engine.dispatcher import Dispatcher
from weft.engine.microbatch import MicroBatches
from weft.engine.publisher import LatestPublisher
from weft.engine.sandbox.isolation import Isolation
from weft.operations.services import Services
from weft.storage.database import Database
from weft.triggers.events.router import EventRouter
from weft.triggers.schedules.scheduler import Scheduler


@dataclass(frozen=True)
class Waking:
    """Wake-ups that reach the one worker at once."""

    wakes: Sequence[Callable[[], None]]

    async def wake(self) -> None:
        for wake in self.wakes:
            wake()


@asynccontextmanager
async def working(services: Services, *, routes: bool = True) -> AsyncGenerator[Services]:
    """The services with a worker behind them; without `routes` it leaves events as they are."""
    isolation, publisher = Isolation("weft.steps:discover"), LatestPublisher(services.channel.publish)

    def run_ended() -> None:
        router.wake()
        scheduler.wake()

    dispatcher = Dispatcher(
        database=services.database,
        plans=services.plans,
        attempts=Attempts(MicroBatches(), isolation),
        world=services.world,
        publisher=WakingPublisher(publisher, run_ended),
        holder="the worker of this test",
        lease=timedelta(seconds=10),
    )
    router = EventRouter(services.database, services.plans, dispatcher.wake)
    wakeups = Waking([dispatcher.wake, router.wake])
    scheduler = Scheduler(services.database, services.plans, wakeups, services.clock)
    running = asyncio.create_task(dispatcher.run())
    routing = asyncio.create_task(router.run() if routes else asyncio.sleep(0))
    scheduling = asyncio.create_task(scheduler.run())
    try:
        yield replace(services, wakeups=wakeups)
    finally:
        async with asyncio.timeout(20):
            router.stop()
            scheduler.stop()
            await routing
            await scheduling
            await dispatcher.stop()
            await running
            await publisher.close()
            await isolation.close()


class Statements:
    def __init__(self) -> None:
        self.all: list[str] = []

    @property
    def count(self) -> int:
        return len(self.all)


@contextmanager
def counted(database: Database) -> Generator[Statements]:
    """The statements that are sent to the database meanwhile."""
    statements = Statements()

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.all.append(statement)

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)
