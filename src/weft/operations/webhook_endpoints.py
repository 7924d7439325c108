"""Who takes the calls of a link: asked at most once a second, and the secrets opened then."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from weft.auth.hook_links import trigger_id_of
from weft.auth.secrets import SecretUnreadable, identity_of
from weft.domain.ids import UUID
from weft.domain.webhooks import WebhookTrigger
from weft.kit.even_rate import EvenRate
from weft.operations.services import Services
from weft.storage import webhook_triggers
from weft.triggers.webhooks import SCHEMES, Scheme

REMEMBERED_SECONDS = 1.0
"""How long a link is not asked for again: the longest that a secret still counts that was changed without an overlap. That a
trigger was deleted or disabled is known at once, when its call is stored.
"""
AGAIN_PER_MINUTE, AGAIN_AT_ONCE = 1_800, 30
"""How often a call that seems not to be genuine is worth another look at what is stored: its secret may be a second old. So many
questions cost next to nothing, and a flood of forged calls asks no more of them.
"""
REMEMBERED_LINKS = 10_000
BURST_SHARE = 10
"""Of a minute's calls, so many may come at once."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Pace:
    """How often one trigger is called: counted by each process for itself, so that no call waits for Redis."""

    per_minute: int
    taken_till_us: int = 0

    def admit(self, now_us: int) -> int:
        """The microseconds to wait; 0 lets one call in."""
        # The even rate is lowered by the burst, so that no minute sees more than the limit.
        burst = max(1, self.per_minute // BURST_SHARE)
        rate = EvenRate.per_minute(self.per_minute - burst + 1, burst)
        wait = rate.wait(self.taken_till_us, now_us)
        if not wait:
            self.taken_till_us = rate.after(self.taken_till_us, now_us)
        return wait


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What takes calls."""

    trigger: WebhookTrigger
    scheme: Scheme
    key: bytes = field(repr=False)
    previous_key: bytes | None = field(repr=False)
    pace: "Pace"

    def keys(self, now: datetime) -> tuple[bytes, ...]:
        until = self.trigger.previous_until
        if self.previous_key is None or until is None or until <= now:
            return (self.key,)
        return (self.key, self.previous_key)


class Endpoints:
    """One per process. What is not there is remembered as well, so an unknown link costs what a known one does."""

    def __init__(self, services: Services, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._services = services
        self._monotonic = monotonic
        self._remembered: OrderedDict[UUID, tuple[float, Endpoint | None]] = OrderedDict()
        self._asking: dict[UUID, asyncio.Task[Endpoint | None]] = {}
        self._again = EvenRate.per_minute(AGAIN_PER_MINUTE, AGAIN_AT_ONCE)
        self._again_till_us = 0

    async def of_link(self, token: str) -> Endpoint | None:
        """None where nobody takes its calls."""
        trigger_id = trigger_id_of(token, self._services.secret_key)
        if trigger_id is None:
            return None
        good_until, endpoint = self._remembered.get(trigger_id, (0.0, None))
        if self._monotonic() < good_until:
            return endpoint
        return await self._asked(trigger_id, endpoint)

    async def of_link_now(self, token: str) -> Endpoint | None:
        """As it is stored, unless that was asked too often lately."""
        trigger_id = trigger_id_of(token, self._services.secret_key)
        if trigger_id is None:
            return None
        _, endpoint = self._remembered.get(trigger_id, (0.0, None))
        now_us = int(self._monotonic() * 1_000_000)
        if self._again.wait(self._again_till_us, now_us):
            return endpoint
        self._again_till_us = self._again.after(self._again_till_us, now_us)
        return await self._asked(trigger_id, endpoint)

    async def _asked(self, trigger_id: UUID, endpoint: Endpoint | None) -> Endpoint | None:
        asking = self._asking.get(trigger_id)
        if asking is None:
            asking = self._asking[trigger_id] = asyncio.create_task(self._ask(trigger_id, endpoint))
        return await asyncio.shield(asking)

    async def _ask(self, trigger_id: UUID, before: Endpoint | None) -> Endpoint | None:
        try:
            now = self._monotonic()
            async with self._services.database.reading() as connection:
                found = await webhook_triggers.of_link(connection, trigger_id)
            endpoint = None if found is None or not found.enabled else self._opened(found, before)
            self._remembered[trigger_id] = (now + REMEMBERED_SECONDS, endpoint)
            self._remembered.move_to_end(trigger_id)
            if len(self._remembered) > REMEMBERED_LINKS:
                self._remembered.popitem(last=False)
            return endpoint
        finally:
            del self._asking[trigger_id]

    def _opened(self, trigger: WebhookTrigger, before: Endpoint | None) -> Endpoint | None:
        if before is not None and before.trigger == trigger:
            return before
        scheme = SCHEMES[trigger.scheme]
        try:
            key = self._key(scheme, trigger, trigger.sealed)
            previous = None if trigger.previous_sealed is None else self._key(scheme, trigger, trigger.previous_sealed)
        except SecretUnreadable as error:
            log.warning("The secret of a webhook trigger cannot be read", trigger=str(trigger.id), error=str(error))
            return None
        # What was let in already counts on, unless the limit is another one.
        pace = None if before is None else before.pace
        if pace is None or pace.per_minute != trigger.rate_per_minute:
            pace = Pace(trigger.rate_per_minute)
        return Endpoint(trigger, scheme, key, previous, pace)

    def _key(self, scheme: Scheme, trigger: WebhookTrigger, sealed: bytes) -> bytes:
        secret = self._services.world.secrets.open(sealed, identity(trigger.workspace_id, trigger.id)).decode()
        if (key := scheme.key_of(secret)) is None:
            raise SecretUnreadable("It is none of this scheme.")
        return key


def identity(workspace_id: UUID, trigger_id: UUID) -> str:
    return identity_of("webhook_endpoint", workspace_id, trigger_id)
