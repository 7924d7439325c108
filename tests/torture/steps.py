"""Two step types of a package elsewhere, as Weft finds them by its entry points. They write down each of their calls.

`torture_pay` has an effect outside: a row in a table of another database, under the idempotency key of its item.
`torture_settle` only waits, so that most items have a recorded payment behind them and are not finished yet.
"""

import asyncio
import os
import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, cast

import asyncpg
from pydantic import Field
from torture.outside import outside_url

from weft.domain.definition import Backoff, RetryPolicy
from weft.domain.step import Fail, Retry, StepCategory, StepContext, StepType
from weft.steps import StepConfig

CONNECTIONS = 4
PATIENCE_SECONDS = 5
FAILS_EACH, FAILS_AT = 50, 3
"""Items whose ordinal leaves this remainder fail in `torture_settle`."""
RETRIES_EACH, RETRIES_AT = 40, 7
"""Items whose ordinal leaves this remainder are sent away at their first attempt."""

AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What asyncpg raises when its connection breaks, depending on the moment."""

PAY = """
    WITH called AS (INSERT INTO call (key, attempt, pid, began_at) VALUES ($1, $2, $3, $4))
    INSERT INTO payment (key, pid, began_at) VALUES ($1, $3, $4) ON CONFLICT (key) DO NOTHING
"""
SETTLE = "INSERT INTO call (key, attempt, pid, began_at) VALUES ($1, $2, $3, $4)"


class _Outside:
    """This process's connections to the outside database. Not asyncpg's pool: it may wait for ever once they were cut."""

    free: ClassVar[list[asyncpg.Connection]] = []
    turn: ClassVar[asyncio.Semaphore] = asyncio.Semaphore(CONNECTIONS)

    @classmethod
    async def note(cls, statement: str, ctx: StepContext, began: datetime) -> None:
        """Raises Retry while the database is away."""
        try:
            async with cls.turn, asyncio.timeout(PATIENCE_SECONDS):
                connection = cls.free.pop() if cls.free else await cls._connect()
                try:
                    await connection.execute(statement, ctx.idempotency_key, ctx.attempt, os.getpid(), began)
                except BaseException:
                    connection.terminate()
                    raise
                cls.free.append(connection)
        except AWAY as error:
            raise Retry(f"The outside database is away: {error!r}", code="OUTSIDE_AWAY") from error

    @staticmethod
    async def _connect() -> asyncpg.Connection:
        url = outside_url(os.environ["WEFT_DATABASE_URL"])
        return cast("asyncpg.Connection", await asyncpg.connect(url))


class TortureConfig(StepConfig):
    seconds: float = Field(default=0.0, description="How long it takes, on average.", examples=[0.5])


class _Noting(StepType[TortureConfig]):
    category = StepCategory.OUTPUT
    Config = TortureConfig
    default_retry = RetryPolicy(
        max_attempts=200, backoff=Backoff.FIXED, initial_delay=timedelta(milliseconds=200), jitter=0.5
    )

    async def wait(self) -> None:
        await asyncio.sleep(self.config.seconds * random.uniform(0.5, 1.5))


class Pay(_Noting):
    kind = "torture_pay"
    title = "Pay"
    description = "Writes a payment into another database."

    async def run(self, ctx: StepContext, input: Any) -> Any:
        began = datetime.fromtimestamp(time.time(), UTC)
        await self.wait()
        await _Outside.note(PAY, ctx, began)
        return input


class Settle(_Noting):
    kind = "torture_settle"
    title = "Settle"
    description = "Waits; fails some items and sends some away once."

    async def run(self, ctx: StepContext, input: Any) -> Any:
        began = datetime.fromtimestamp(time.time(), UTC)
        await _Outside.note(SETTLE, ctx, began)
        await self.wait()
        ordinal = ctx.values["item"]["ordinal"]
        if ordinal % RETRIES_EACH == RETRIES_AT and ctx.attempt == 1:
            raise Retry("Not at the first attempt.", code="SENT_AWAY")
        if ordinal % FAILS_EACH == FAILS_AT:
            raise Fail("This account is closed.", code="CLOSED")
        return {"settled": input["amount"]}


def expected_failures(items: int) -> int:
    return sum(ordinal % FAILS_EACH == FAILS_AT for ordinal in range(items))
