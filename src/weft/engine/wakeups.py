"""Wake-ups through Redis: they mean "there may be something to do", and carry nothing that matters.

A wake-up goes two ways. It rings a bell (pub/sub) that every worker hears that listens just then, within a millisecond; and
it leaves an arq job, which one worker finds that begins to listen later. The job waits behind no other, since one says
as much as ten; the queue is looked at seldom, since the bell was rung before.

What there is to do stands in Postgres. A wake-up that is lost, doubled or late costs at most the dispatcher's next look
around (`weft.engine.look_around.LOOK_AROUND`), so nothing here is retried for long, and no error of Redis ever reaches a
caller.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog
from arq import create_pool
from arq.connections import ArqRedis, RedisSettings
from arq.worker import Worker, func
from redis.exceptions import RedisError

from weft.kit.json import dump_bytes, loads
from weft.kit.together import together
from weft.progress.listener import ChannelListener

log = structlog.get_logger(__name__)

BELL = b"weft:bell"
QUEUE = "weft:wakeups"
JOB = "wake"
QUEUE_LOOK_SECONDS = 0.5
EXPIRES_SECONDS = 60
"""An old wake-up says nothing new."""
PATIENCE_SECONDS = 0.5
"""A mutation does not wait longer than this for Redis: its work is found anyway."""


def redis_settings(url: str) -> RedisSettings:
    settings = RedisSettings.from_dsn(url)
    settings.conn_timeout = 1
    settings.conn_retries = 3
    settings.conn_retry_delay = 1
    settings.retry_on_timeout = True
    return settings


async def connect(settings: RedisSettings) -> ArqRedis:
    return await create_pool(settings, default_queue_name=QUEUE, job_serializer=dump_bytes, job_deserializer=loads)


class ArqWakeups:
    """The sending side, in API processes and workers. Connects at the first wake-up, so Redis may be away at the start."""

    def __init__(self, redis_url: str) -> None:
        self._settings = redis_settings(redis_url)
        self._pool: ArqRedis | None = None

    async def wake(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                pool = await self._connected()
                await pool.publish(BELL, b"")
                await pool.enqueue_job(JOB, _job_id=JOB, _expires=EXPIRES_SECONDS)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("A wake-up could not be sent; the work is found at the next look around", error=str(error))

    async def _connected(self) -> ArqRedis:
        if self._pool is None:
            self._pool = await connect(self._settings)
        return self._pool

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.aclose()


class WakeupListener:
    """The receiving side: it hears the bell, and runs an arq worker whose one job calls `wake`. Both begin again when Redis
    was away.
    """

    RESTART_SECONDS = 1.0

    def __init__(self, redis_url: str, wake: Callable[[], None]) -> None:
        self._settings = redis_settings(redis_url)
        self._wake = wake
        self._bell = ChannelListener(
            redis_url,
            lambda _channel, _data: wake(),
            lambda _channels: wake(),
            "workers find their work a second late",
        )
        self._bell.want(BELL)

    async def run(self) -> None:
        """Until cancelled."""
        await together(self._bell.run(), self._look_for_jobs())

    async def _look_for_jobs(self) -> None:
        while True:
            try:
                await self._run_jobs()
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("Wake-ups cannot be received at the moment", error=str(error))
            except Exception as error:
                log.exception("Listening for wake-ups broke off and is begun again", exc_info=error)
            # Whatever was sent meanwhile is not waited for.
            self._wake()
            await asyncio.sleep(self.RESTART_SECONDS)

    async def _run_jobs(self) -> None:
        async def wake(ctx: dict[Any, Any]) -> None:  # noqa: ARG001 - arq hands it over by this name
            self._wake()

        pool = await connect(self._settings)
        worker = Worker(
            functions=[func(wake, name=JOB, keep_result=0, max_tries=1, timeout=10)],
            redis_pool=pool,
            queue_name=QUEUE,
            poll_delay=QUEUE_LOOK_SECONDS,
            max_jobs=10,
            queue_read_limit=1_000,
            handle_signals=False,
            health_check_interval=3600,
            job_serializer=dump_bytes,
            job_deserializer=loads,
            log_results=False,
        )
        try:
            await worker.async_run()
        finally:
            worker.allow_pick_jobs = False
            if worker.tasks:
                await asyncio.wait(worker.tasks.values(), timeout=1)
            # Not the worker's own `close`: an error of its good-bye would take the place of a cancellation.
            try:
                await pool.aclose()
            except (RedisError, OSError) as error:
                log.debug("Redis was gone before the listener said good-bye", error=str(error))
