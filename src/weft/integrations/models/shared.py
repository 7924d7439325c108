"""The limits as all workers count them together, in Redis. Every question is bounded in time; an error means that Redis is away."""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from redis.asyncio import Redis
from redis.asyncio.retry import Retry as RedisRetry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from weft.integrations.models.rates import ADMIT, KEPT_SECONDS, PAUSE, RENEW, SLOT_SECONDS, Costs

PATIENCE_SECONDS = 1.0
"""A call of a model takes longer than that; then it goes on without Redis."""
AWAY = (RedisError, OSError, TimeoutError)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the doorman of one worker brings and wants."""

    worker: str
    held: int
    """Places, without the returned ones."""
    line: Sequence[tuple[str, int]]
    """Who stands there: the place that each would take, and the cost of its tokens."""
    returned: Sequence[str]
    """Places that are free again."""
    corrected_us: int
    """What tokens were estimated wrong by."""


class SharedRates:
    """One per process."""

    def __init__(self, redis: Any) -> None:  # what it answers is narrowed here: the library's types say too little
        self._redis = redis
        self._admit = redis.register_script(ADMIT)
        self._renew = redis.register_script(RENEW)
        self._pause = redis.register_script(PAUSE)

    @classmethod
    def connect(cls, url: str) -> Self:
        return cls(
            Redis.from_url(
                url,
                socket_timeout=PATIENCE_SECONDS,
                socket_connect_timeout=PATIENCE_SECONDS,
                retry=RedisRetry(NoBackoff(), 0),
            )
        )

    async def close(self) -> None:
        await self._redis.aclose()

    async def admit(self, name: str, costs: Costs, asked: Asked) -> tuple[int, int, int]:
        """Of those in line, how many may begin; what the next one waits for, as `LocalRates.admit` says it; and how many
        places this worker may hold.
        """
        arguments: list[str | int] = [
            costs.requests.each_us, costs.requests.burst_us, costs.token_burst_us, costs.most_at_once, SLOT_SECONDS,
            KEPT_SECONDS, asked.corrected_us, len(asked.returned), asked.worker, asked.held, *asked.returned,
        ]  # fmt: skip
        for place, tokens_us in asked.line:
            arguments += (place, tokens_us)
        keys = [_rates(name), _slots(name), _waiting(name)]
        let_in, wait, share = await self._asked(self._admit(keys=keys, args=arguments))
        return let_in, int(wait), share

    async def renew(self, name: str, members: Iterable[str]) -> None:
        await self._asked(self._renew(keys=[_slots(name)], args=[SLOT_SECONDS, *members]))

    async def pause(self, name: str, microseconds: int) -> None:
        await self._asked(self._pause(keys=[_rates(name)], args=[microseconds, KEPT_SECONDS]))

    async def paused(self, name: str) -> int:
        """The microseconds that are left of a pause."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.hget(_rates(name), "paused")
        pipeline.time()
        till, (seconds, microseconds) = await self._asked(pipeline.execute())
        return max(0, int(till or 0) - seconds * 1_000_000 - microseconds)

    async def _asked(self, answer: Awaitable[Any]) -> Any:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await answer


def _rates(name: str) -> str:
    return f"weft:models:{{{name}}}:rates"


def _waiting(name: str) -> str:
    return f"weft:models:{{{name}}}:waiting"


def _slots(name: str) -> str:
    return f"weft:models:{{{name}}}:slots"
