"""Tells Redis about new progress, after it was committed."""

import asyncio
import time

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from weft.domain.progress import Progress
from weft.kit.rarely import Rarely
from weft.progress.codec import ENDED, channel_of, encode

logger = structlog.stdlib.get_logger(__name__)

_TIMEOUT_SECONDS = 0.25
"""How long a publish may hold up the recorder."""
_PAUSE_SECONDS = 0.5
"""After a failure nothing is sent for this long, so that a Redis that hangs does not slow down every flush."""


class ProgressChannel:
    """Publishing never raises: a message that is lost is late by a second, for Postgres has the state already."""

    def __init__(self, redis_url: str) -> None:
        """`redis://`, `rediss://` or `unix://`. Connects at the first publish."""
        self._redis: Redis = Redis.from_url(redis_url, socket_timeout=None, socket_connect_timeout=_TIMEOUT_SECONDS)
        self._paused_until = 0.0
        self._complaint = Rarely(60)

    async def publish(self, progress: Progress) -> None:
        if time.monotonic() < self._paused_until:
            return
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                if progress.status.is_terminal:
                    await self._publish_end(progress)
                else:
                    await self._redis.publish(channel_of(progress.run_id), encode(progress))
        except (RedisError, OSError, TimeoutError) as error:
            self._paused_until = time.monotonic() + _PAUSE_SECONDS
            if self._complaint.due():
                logger.warning("Redis does not take progress; watchers see it a second late.", error=repr(error))

    async def _publish_end(self, progress: Progress) -> None:
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.publish(channel_of(progress.run_id), encode(progress))
            pipeline.publish(ENDED, progress.run_id.bytes)
            await pipeline.execute()

    async def close(self) -> None:
        await self._redis.aclose()
