"""How many operations a minute each API key may have, counted in Redis for all processes together.

A process takes operations from the key's share in lots. The first lot is one operation; the next is twice as large while
lots are spent fast, up to a tenth of a second's share, and smaller again when they are not. So a slow caller is counted
exactly, and a busy one costs a question to Redis now and then instead of one per request. What is left of a lot is worth
nothing a second later.

While Redis is away each process keeps the limits by itself: a caller of several processes may have as much from each.
"""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Self

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from weft.domain.errors import RateLimited
from weft.kit.even_rate import EvenRate
from weft.kit.rarely import Rarely

logger = structlog.stdlib.get_logger(__name__)

BURST_SHARE = 10
LEAST_BURST = 10
"""A page asks for a few things at once, however low its limit is."""
LOTS_PER_MINUTE = 600
LOT_US = 100_000
GOOD_US = 1_000_000
PATIENCE_SECONDS = 0.25
"""How long Redis may hold up a request."""
AWAY_US = 3_000_000
"""How long Redis is left alone after it did not answer."""
MOST_KEYS = 10_000

TAKE = """
local each, burst, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local till = math.max(tonumber(redis.call('GET', KEYS[1])) or 0, now)
local taken = math.min(wanted, math.floor((now + burst - till) / each) + 1)
if taken <= 0 then return {0, till - now - burst} end
till = till + taken * each
redis.call('SET', KEYS[1], string.format('%.0f', till), 'PX', math.ceil((till - now) / 1000) + 1000)
return {taken, 0}
"""
"""As many as there are of those wanted, or the microseconds until there is one: `kit.even_rate` for many at once."""


@dataclass(slots=True)
class _Share:
    """What this process has of one key's operations."""

    left: int = 0
    size: int = 0
    taken_at: int = 0
    refused_till: int = 0
    """Nobody need be asked before."""
    local_till: int = 0
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class RateLimits:
    """One per process."""

    def __init__(
        self, redis: Any, most: int
    ) -> None:  # what it answers is narrowed here: the library's types say too little
        """`most`: operations a minute of any key; 0 for no such limit."""
        self._redis = redis
        self._take = redis.register_script(TAKE)
        self._most = most
        self._shares: OrderedDict[str, _Share] = OrderedDict()
        self._away_till = 0
        self._complaint = Rarely(60)

    @classmethod
    def connect(cls, url: str, most: int) -> Self:
        patience = PATIENCE_SECONDS
        return cls(
            Redis.from_url(url, socket_timeout=patience, socket_connect_timeout=patience, retry=Retry(NoBackoff(), 0)),
            most,
        )

    async def close(self) -> None:
        await self._redis.aclose()

    async def admit(self, name: str, own: int | None = None) -> None:
        """Count one operation of a key; `own` is the limit that it was given. Raises RateLimited."""
        limit = min(own or self._most, self._most or own or 0)
        if limit == 0:
            return
        share = self._share(name)
        if self._has(share):
            return
        async with share.asking:
            if not self._has(share):  # whoever asked meanwhile may have brought enough
                await self._ask(name, share, limit)

    def _share(self, name: str) -> _Share:
        share = self._shares.get(name)
        if share is None:
            share = self._shares[name] = _Share()
            if len(self._shares) > MOST_KEYS:
                self._shares.popitem(last=False)
        return share

    @staticmethod
    def _has(share: _Share) -> bool:
        now = _now()
        if share.left and now - share.taken_at < GOOD_US:
            share.left -= 1
            return True
        if share.refused_till > now:
            raise _refusal(share.refused_till - now)
        return False

    async def _ask(self, name: str, share: _Share, limit: int) -> None:
        rate, now = rate_of(limit), _now()
        fast = now - share.taken_at < LOT_US
        share.size = min(share.size * 2, limit // LOTS_PER_MINUTE) if fast else share.size // 2
        share.size = max(share.size, 1)
        if now >= self._away_till:
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    taken, wait = await self._take(
                        keys=[f"weft:rate:{name}"], args=[rate.each_us, rate.burst_us, share.size]
                    )
            except (RedisError, OSError, TimeoutError) as error:
                self._away_till = _now() + AWAY_US
                if self._complaint.due():
                    logger.warning("Redis is away: each process keeps the limits of keys alone.", error=repr(error))
            else:
                self._note(share, taken, wait)
                return
        wait = rate.wait(share.local_till, now)
        if wait == 0:
            share.local_till = rate.after(share.local_till, now)
        self._note(share, int(wait == 0), wait)

    @staticmethod
    def _note(share: _Share, taken: int, wait: int) -> None:
        now = _now()
        if taken == 0:
            share.refused_till = now + wait
            raise _refusal(wait)
        share.left, share.taken_at = taken - 1, now


@lru_cache(maxsize=1_000)
def rate_of(limit: int) -> EvenRate:
    return EvenRate.per_minute(limit, min(limit, max(LEAST_BURST, limit // BURST_SHARE)))


def _refusal(wait_us: int) -> RateLimited:
    return RateLimited(
        "This API key has used up its operations for the moment.", retry_after_seconds=max(wait_us, 1_000) / 1_000_000
    )


def _now() -> int:
    return time.monotonic_ns() // 1_000
