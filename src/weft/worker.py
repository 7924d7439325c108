"""The composition root of a worker: claims batches and runs them until it is told to stop."""

import asyncio
import gc
import os
import secrets
import signal
import socket
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import structlog

from weft.domain.retention import Ages
from weft.engine.attempt import Attempts
from weft.engine.deliveries import Attempts as DeliveryAttempts
from weft.engine.deliveries import DeliverySender, RunTeller, WakingPublisher
from weft.engine.dispatcher import Dispatcher
from weft.engine.microbatch import MicroBatches
from weft.engine.outside import OutsideOptions, World
from weft.engine.plans import PlanCache
from weft.engine.publisher import LatestPublisher
from weft.engine.retention import RetentionSweeper
from weft.engine.sandbox.isolation import Isolation
from weft.engine.wakeups import ArqWakeups, WakeupListener
from weft.engine.watchdog import watched
from weft.integrations.mail import MailServer
from weft.integrations.object_store import FileOptions
from weft.kit.open_files import allow_many
from weft.operations.rare_wakeups import RareWakeups
from weft.progress.channel import ProgressChannel
from weft.steps import discover
from weft.storage.connections import StatementLimits
from weft.storage.database import Database
from weft.triggers.events.router import EventRouter
from weft.triggers.schedules.scheduler import Scheduler

log = structlog.get_logger(__name__)

LONGEST_STATEMENT = timedelta(seconds=30)
"""A hundred times what one takes on a busy machine: a claim, a batch's entities, a flush."""
CATALOGUE_LOADER = "weft.steps:discover"


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    database_url: str
    redis_url: str
    secret_key: bytes
    """What secrets at rest are sealed with."""
    lease: timedelta
    patience: timedelta
    """How long the event loop may stand still before the process ends itself."""
    allowed_hosts: Iterable[str] = ()
    sqlite_folder: Path | None = None
    files: FileOptions = field(default_factory=FileOptions)
    """Where uploaded files lie: where the API puts them."""
    mail: MailServer | None = None
    """None where no mail is sent."""
    delivery_attempts: int = 10
    ages: Ages = field(default_factory=Ages)
    """How long what is over is kept."""
    pool_size: int = 10
    statement_cache: bool = True


class Duty(Protocol):
    """What a worker looks after beside the batches that it runs, in a round of its own."""

    def wake(self) -> None: ...

    async def run(self) -> None:
        """Until `stop`."""
        ...

    def stop(self) -> None: ...


async def run_worker(options: WorkerOptions) -> None:
    """Until SIGTERM or SIGINT: then what is under way is recorded and given back."""
    allow_many()  # a worker may call out some hundred times at once
    async with AsyncExitStack() as stack:
        database = Database.connect(
            options.database_url,
            pool_size=options.pool_size,
            statement_cache=options.statement_cache,
            limits=StatementLimits(LONGEST_STATEMENT),
        )
        stack.push_async_callback(database.close)
        outside = OutsideOptions(
            options.secret_key,
            options.redis_url,
            options.allowed_hosts,
            options.files,
            options.sqlite_folder,
            options.mail,
        )
        world = await stack.enter_async_context(World(database, outside))
        channel = ProgressChannel(options.redis_url)
        stack.push_async_callback(channel.close)
        publisher = LatestPublisher(channel.publish)
        stack.push_async_callback(publisher.close)
        isolation = Isolation(CATALOGUE_LOADER)
        stack.push_async_callback(isolation.close)
        sender = DeliverySender(database, DeliveryAttempts(world), options.delivery_attempts)
        teller = RunTeller(database, sender.wake)
        sender.after = teller.after
        wakeups = ArqWakeups(options.redis_url)
        stack.push_async_callback(wakeups.close)
        plans = PlanCache(discover())
        router = EventRouter(database, plans, RareWakeups(wakeups).wake)

        duties: list[Duty] = [router, teller, Scheduler(database, plans, wakeups)]
        duties.append(RetentionSweeper(database, world.files, options.ages))

        def run_ended() -> None:
            sender.wake()
            for duty in duties:
                duty.wake()

        dispatcher = Dispatcher(
            database=database,
            plans=plans,
            attempts=Attempts(MicroBatches(), isolation),
            world=world,
            publisher=WakingPublisher(publisher, run_ended),
            # In a container, the next one has the same host and process.
            holder=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}",
            lease=options.lease,
        )

        def connect() -> Database:
            return Database.connect(options.database_url, pool_size=1, statement_cache=options.statement_cache)

        def renew() -> None:
            dispatcher.keep_leases_aside(connect)

        with watched(asyncio.get_running_loop(), options.patience, options.lease / 5, renew):
            await _run_until_told(dispatcher, sender, duties, options.redis_url)


async def _run_until_told(
    dispatcher: Dispatcher, sender: DeliverySender, duties: Sequence[Duty], redis_url: str
) -> None:
    def wake() -> None:
        dispatcher.wake()
        sender.wake()
        for duty in duties:
            duty.wake()

    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    # What start-up made stays: the collector need not look at it again, batch after batch.
    gc.collect()
    gc.freeze()
    # A batch makes some hundred thousand objects and next to no cycles: with Python's own thresholds looking for them
    # costs a tenth of the time.
    gc.set_threshold(50_000, 20, 50)
    listening = asyncio.create_task(WakeupListener(redis_url, wake).run())
    working = asyncio.create_task(dispatcher.run())
    sending = asyncio.create_task(sender.run())
    looking = [asyncio.create_task(duty.run()) for duty in duties]
    log.info("The worker is ready", holder=dispatcher.holder)
    try:
        await asyncio.wait({asyncio.create_task(told.wait()), working}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        listening.cancel()
        for duty in duties:
            duty.stop()
        await asyncio.gather(*looking)
        await dispatcher.stop()
        await working
        await sender.stop()
        await sending
        log.info("The worker has stopped", holder=dispatcher.holder)
