"""Where calls of one provider wait for their turn.

Calls stand in line, first come, first served. One doorman asks for all of them, as many at a time as stand there, so a
thousand that wait cost no more than one. A place that is given back goes to the next in line here, without a question,
while this worker holds no more than its share; for those that other workers free he looks every `LOOK_SECONDS`.
"""

import asyncio
import itertools
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from itertools import islice

import structlog

from weft.domain.providers import ProviderLimits
from weft.domain.step import Retry
from weft.integrations.models.rates import FULL, SLOT_SECONDS, Costs, LocalRates
from weft.integrations.models.shared import AWAY, Asked, SharedRates
from weft.kit.rarely import Rarely

log = structlog.get_logger(__name__)

LONGEST_WAIT = timedelta(minutes=30)
"""In line. An item that waits costs next to nothing, but it must not wait for ever."""
LOOK_SECONDS = 0.05
BRING_BACK_SECONDS = 0.01
"""The next call takes along what was given back, which costs nothing then."""
SHARE_US = 500_000
MOST_ASKED_FOR = 100
LONGEST_LOOK_SECONDS = 5.0
"""A limit may be raised while somebody waits for it."""
AWAY_SECONDS = 3.0
"""How long Redis is left alone after it did not answer."""
PAUSE_LOOK_US = 1_000_000
"""Without limits, how often it is looked whether another worker was asked to pause."""


class Admission:
    """One call that stands in line, or is under way."""

    __slots__ = ("begins", "estimated_us", "key", "local", "place", "used")

    def __init__(self, key: str, estimated_us: int) -> None:
        self.key = key
        self.place = self.key
        """Of the calls under way, which one it is: its own, or that of the call that handed it over."""
        self.estimated_us = estimated_us
        self.used = 0
        """Tokens that it really took; set by the caller. 0 where the call failed."""
        self.local = False
        self.begins: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Gate:
    """One per provider and process."""

    def __init__(self, name: str, limits: ProviderLimits, shared: SharedRates) -> None:
        self._name = name
        self._worker = secrets.token_hex(6)
        self._numbers = itertools.count()
        self._limits = limits
        self._costs = Costs.of(limits)
        self._local = LocalRates(self._costs)
        self._shared = shared
        self._line: dict[str, Admission] = {}
        self._doorman: asyncio.Task[None] | None = None
        self._freed = asyncio.Event()
        self._paused_till = 0
        self._away_till = 0
        self._looked_at = -PAUSE_LOOK_US
        self._held: set[str] = set()
        self._share = 0
        self._share_till = 0
        """Until when the share is known well enough to hand places over."""
        self._returned: list[str] = []
        self._corrected_us = 0
        self._chores: set[asyncio.Task[None]] = set()
        self._complained = Rarely(60)

    @asynccontextmanager
    async def admitted(self, tokens: int) -> AsyncGenerator[Admission]:
        """`tokens` is what the call is expected to take. Raises `Retry` where its turn does not come in time."""
        key = f"{self._worker}:{next(self._numbers)}"
        admission = Admission(key, self._costs.of_tokens(tokens))
        await self._turn(admission)
        try:
            yield admission
        finally:
            self._give_back(admission)

    def pause(self, wait: timedelta) -> None:
        """The provider asked for a pause: nothing begins before it is over, here and in every other worker."""
        microseconds = int(wait.total_seconds() * 1_000_000)
        self._paused_till = max(self._paused_till, _now() + microseconds)
        self._chore(self._shared.pause(self._name, microseconds))

    async def close(self) -> None:
        chores = [*self._chores, *([self._doorman] if self._doorman else [])]
        for chore in chores:
            chore.cancel()
        await asyncio.gather(*chores, return_exceptions=True)

    async def _turn(self, admission: Admission) -> None:
        self._line[admission.key] = admission
        if self._doorman is None or self._doorman.done():
            self._doorman = asyncio.create_task(self._attend())
        try:
            async with asyncio.timeout(LONGEST_WAIT.total_seconds()):
                await admission.begins
        except BaseException as error:
            if self._line.pop(admission.key, None) is None and not admission.begins.cancelled():
                self._give_back(admission)  # it was let in, and is gone already
            if not isinstance(error, TimeoutError):
                raise
            waited = int(LONGEST_WAIT.total_seconds() // 60)
            reason = f"The limits of the provider left no room for this call in {waited} minutes."
            raise Retry(reason, code="RATE_LIMITED") from error

    async def _attend(self) -> None:
        """Lets in whoever may begin, until nobody is left in line."""
        while self._line:
            self._freed.clear()
            first = list(islice(self._line.values(), MOST_ASKED_FOR))
            let_in, wait = await self._asked(first)
            for admission in first[:let_in]:
                self._let_in(admission)
            if let_in < len(first):
                await self._until_worth_asking(wait)

    def _let_in(self, admission: Admission) -> None:
        if self._costs.most_at_once and not admission.local:
            self._held.add(admission.key)
            if len(self._held) == 1:
                self._chore(self._renew())
        if self._line.pop(admission.key, None) is not None and not admission.begins.done():
            admission.begins.set_result(None)
        elif admission.local:
            self._local.give_back(admission.key, -admission.estimated_us)
        else:
            self._bring(admission.key, -admission.estimated_us)  # it left the line, or was handed a place, meanwhile

    async def _until_worth_asking(self, wait: int) -> None:
        if wait != FULL:
            await asyncio.sleep(min(wait / 1_000_000, LONGEST_LOOK_SECONDS))
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await self._freed.wait()

    async def _asked(self, first: list[Admission]) -> tuple[int, int]:
        """How many of them may begin, and what the next one waits for, as `LocalRates.admit` says it."""
        now = _now()
        if self._paused_till > now:
            return 0, self._paused_till - now
        if now >= self._away_till:
            try:
                if not self._limits.any:
                    return await self._unless_paused_elsewhere(first, now)
                return await self._shared_admits(first)
            except AWAY as error:
                self._note_away(error)
                if any(admission.begins.done() for admission in first):
                    return 0, 0  # handed a place while Redis was asked: the line is another one now
        for let_in, admission in enumerate(first):
            if wait := self._local.admit(_now(), admission.estimated_us, admission.key):
                return let_in, wait
            admission.local = True
        return len(first), 0

    async def _unless_paused_elsewhere(self, first: list[Admission], now: int) -> tuple[int, int]:
        if now - self._looked_at >= PAUSE_LOOK_US:
            self._looked_at = now
            if left := await self._shared.paused(self._name):
                return 0, left
        return len(first), 0

    async def _shared_admits(self, first: list[Admission]) -> tuple[int, int]:
        returned, self._returned = self._returned, []
        corrected_us, self._corrected_us = self._corrected_us, 0
        line = [(admission.key, admission.estimated_us) for admission in first]
        asked = Asked(self._worker, len(self._held), line, returned, corrected_us)
        let_in, wait, self._share = await self._shared.admit(self._name, self._costs, asked)
        self._share_till = _now() + SHARE_US
        return let_in, wait

    async def _renew(self) -> None:
        """While calls are under way, so that only places of workers that died run out."""
        while self._held:
            await asyncio.sleep(SLOT_SECONDS / 3)
            if self._held:
                await self._shared.renew(self._name, self._held)

    def _give_back(self, admission: Admission) -> None:
        wrong_by_us = self._costs.of_tokens(admission.used) - admission.estimated_us
        if admission.local:
            self._local.give_back(admission.key, wrong_by_us)
            self._freed.set()
        elif (following := self._may_be_handed_a_place()) is not None:
            del self._line[following.key]
            following.place = admission.place
            following.begins.set_result(None)
        elif self._costs.most_at_once or self._costs.token_us:
            self._bring(admission.place, wrong_by_us)

    def _may_be_handed_a_place(self) -> Admission | None:
        """Only where nothing but the places is counted: rates are asked for, call by call."""
        costs, now = self._costs, _now()
        if costs.requests.each_us or costs.token_us or len(self._held) > self._share or now >= self._share_till:
            return None
        if self._paused_till > now:
            return None
        return next((admission for admission in self._line.values() if not admission.begins.done()), None)

    def _bring(self, place: str, corrected_us: int) -> None:
        if not self._returned and not self._corrected_us:
            self._chore(self._bring_back())
        if self._costs.most_at_once:
            self._held.discard(place)
            self._returned.append(place)
        self._corrected_us += corrected_us
        self._freed.set()

    async def _bring_back(self) -> None:
        """What the doorman has not taken along in the meantime."""
        await asyncio.sleep(BRING_BACK_SECONDS)
        if self._returned or self._corrected_us:
            await self._shared_admits([])

    def _chore(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(self._done(work))
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    async def _done(self, work: Awaitable[None]) -> None:
        try:
            await work
        except AWAY as error:
            self._note_away(error)

    def _note_away(self, error: BaseException) -> None:
        self._away_till = _now() + int(AWAY_SECONDS * 1_000_000)
        if self._complained.due():
            log.warning("Limits of model providers are kept by this worker alone: Redis is away", error=str(error))


def _now() -> int:
    return time.monotonic_ns() // 1_000
