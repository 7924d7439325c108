"""Steps with `cache`: an output is computed once for the same content, and remembered in Postgres.

The content is the step's kind, the version of its type, its config, its input, and of the other names in scope what its
expressions and texts read. The step is shown nothing else while it runs, so what it gives can depend on nothing else. What
it reaches outside (a service, a model) is not part of it: that is what the age limit is for.

Only outputs are remembered: no failures, no skips, and none with effects, which would be lost. A result is in the cache
before its item goes on, so once a run is over the same run again finds all of it. Equal content at the same time is
computed once within a worker: the others wait for the first, and compute for themselves only if it came to nothing.
Postgres being away costs computations, never an item.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any, Generic, TypeVar

import orjson
import structlog

from weft.domain.ids import UUID
from weft.domain.step import Outcome, Output, StepContext
from weft.domain.usage import Usage
from weft.engine.attempt import Attending
from weft.engine.microbatch import MicroBatches
from weft.engine.plan import CacheRule, PlannedStep
from weft.kit.cel.references import pruned
from weft.kit.rarely import Rarely
from weft.kit.storable import why_nul
from weft.storage import step_cache
from weft.storage.database import DATABASE_IS_AWAY, Database, in_short
from weft.storage.step_cache import Entry, Wanted

log = structlog.get_logger(__name__)

LARGEST_ENTRY_BYTES = 1024 * 1024
"""A larger output is computed again. A statement carries up to `MOST_TOGETHER` of them."""
MOST_TOGETHER = 64
SWEEP_INTERVAL = timedelta(minutes=1)
SWEPT_TOGETHER = 500

# What is no JSON value must not be taken for the text that it would be written as.
_CONTENT = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
_complaint = Rarely(5)

Given = TypeVar("Given")
Answer = TypeVar("Answer")


class StepCache:
    """Of one worker."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lookups = _Together(self._look_up)
        self._saves = _Together(self._save)
        self._flights: dict[Wanted, asyncio.Future[str | None]] = {}
        """What is being looked up or computed, and with what result it will end; None for none that can be handed on."""

    async def answer(self, wanted: Wanted, compute: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """From the cache, from somebody who is at it already, or computed."""
        if (flight := self._flights.get(wanted)) is not None:
            # Not awaited itself: who is cancelled here must not cancel it for the others.
            await asyncio.wait((flight,))
            if (known := flight.result()) is not None:
                return _hit(known)
            outcome, _ = await self._computed(wanted, compute)
            return outcome
        flight = self._flights[wanted] = asyncio.get_running_loop().create_future()
        result: str | None = None
        try:
            result = await self._lookups.ask(wanted)
            if result is not None:
                return _hit(result)
            outcome, result = await self._computed(wanted, compute)
            return outcome
        finally:
            del self._flights[wanted]
            flight.set_result(result)

    async def keep_small(self) -> None:
        """Until cancelled: what has expired is deleted, a little at a time."""
        while True:
            await asyncio.sleep(SWEEP_INTERVAL.total_seconds())
            try:
                while await self.drop_expired() == SWEPT_TOGETHER:
                    pass
            except DATABASE_IS_AWAY as error:
                log.warning("Expired results could not be deleted from the cache", error=in_short(error))

    async def drop_expired(self) -> int:
        async with self._database.transaction() as connection:
            return await step_cache.drop_expired(connection, SWEPT_TOGETHER)

    async def _computed(self, wanted: Wanted, compute: Callable[[], Awaitable[Outcome]]) -> tuple[Outcome, str | None]:
        outcome = await compute()
        result = _worth_keeping(outcome)
        if result is not None:
            await self._saves.ask(Entry(wanted.workspace_id, wanted.key, wanted.max_age, result))
        return outcome, result

    async def _look_up(self, wanted: Sequence[Wanted]) -> Sequence[str | None]:
        async with self._database.reading() as connection:
            return await step_cache.look_up(connection, wanted)

    async def _save(self, entries: Sequence[Entry]) -> Sequence[None]:
        async with self._database.transaction() as connection:
            await step_cache.save(connection, entries)
        return [None] * len(entries)


@dataclass(frozen=True, slots=True)
class CachedAttempts:
    """Attempts for the items of one run, with the cache before those of the steps that ask for it."""

    attempts: Attending
    cache: StepCache
    workspace_id: UUID

    @property
    def inline(self) -> bool:
        return self.attempts.inline

    @property
    def windows(self) -> MicroBatches | None:
        return self.attempts.windows

    async def attend(self, step: PlannedStep, ctx: StepContext, value: Any) -> Outcome:
        rule = step.cache
        if rule is None:
            return await self.attempts.attend(step, ctx, value)
        shown = copy(ctx)
        shown.values = {**pruned(ctx.values, rule.reads), "input": value}
        key = key_of(rule, shown.values)
        if key is None:
            return await self.attempts.attend(step, shown, value)
        wanted = Wanted(self.workspace_id, key, rule.max_age)
        return await self.cache.answer(wanted, lambda: self.attempts.attend(step, shown, value))


def key_of(rule: CacheRule, values: Any) -> bytes | None:
    """None for content that is no JSON."""
    try:
        return sha256(rule.seed + orjson.dumps(values, option=_CONTENT)).digest()
    except (TypeError, ValueError):
        return None


def _worth_keeping(outcome: Outcome) -> str | None:
    """As it is stored, under the keys of `weft.storage.step_codec`; None for what is not to be remembered."""
    if not isinstance(outcome, Output) or outcome.effects:
        return None
    result: dict[str, Any] = {"o": outcome.value}
    if outcome.branches is not None:
        result["b"] = outcome.branches
    if outcome.usage:
        result["u"] = outcome.usage.figures
    try:
        written = orjson.dumps(result)
    except (TypeError, ValueError):
        return None
    if len(written) > LARGEST_ENTRY_BYTES or why_nul(written, result) is not None:
        return None
    return written.decode()


def _hit(result: str) -> Output:
    """Decoded anew for every item: none shares its values with another."""
    known = orjson.loads(result)
    branches = tuple(known["b"]) if "b" in known else None
    return Output(known["o"], branches, usage=Usage(*known.get("u", ())), from_cache=True)


class _Together(Generic[Given, Answer]):
    """While one statement is under way, what comes is gathered for the next. What fails is answered with None."""

    def __init__(self, serve: Callable[[Sequence[Given]], Awaitable[Sequence[Answer | None]]]) -> None:
        self._serve = serve
        self._asked: list[tuple[Given, asyncio.Future[Answer | None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, given: Given) -> Answer | None:
        answer: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._asked.append((given, answer))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._serve_all())
        return await answer

    async def _serve_all(self) -> None:
        while self._asked:
            now, self._asked = self._asked[:MOST_TOGETHER], self._asked[MOST_TOGETHER:]
            answers = await self._served([given for given, _ in now])
            for (_, future), answer in zip(now, answers, strict=True):
                if not future.done():
                    future.set_result(answer)

    async def _served(self, given: list[Given]) -> Sequence[Answer | None]:
        try:
            return await self._serve(given)
        except DATABASE_IS_AWAY as error:
            if _complaint.due():
                log.warning("The cache of steps cannot be used at the moment", error=in_short(error))
        except Exception as error:
            log.exception("A fault in the cache of steps; the steps are computed", exc_info=error)
        return [None] * len(given)
