"""Calls of inbound webhooks: genuine ones are stored, and answered after the commit; all others learn nothing.

Order matters. Until a call has proved who sent it, it costs one hash of its body and gets one and the same answer. Only then
is anything else looked at, and told: its rate, its size, what cannot be read in it.
"""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from weft.domain.errors import LimitExceeded, NotFound
from weft.domain.ids import UUID, new_id
from weft.domain.webhooks import ReceivedCall
from weft.kit.gathering import Gathering
from weft.kit.json import dumps
from weft.kit.rarely import Rarely
from weft.kit.storable import is_storable_text
from weft.operations.rare_wakeups import RareWakeups
from weft.operations.services import Services
from weft.operations.webhook_endpoints import Endpoint, Endpoints
from weft.storage.database import is_passing
from weft.storage.webhook_calls import store_calls
from weft.triggers.webhooks.contents import body_of, headers_of, query_of
from weft.triggers.webhooks.scheme import NO_CLAIM, Claim, Reply, Scheme, hash_of, is_genuine

WRITES_AT_ONCE = 2
"""While one waits for the disk the next is on its way: Postgres commits both with one wait."""
MOST_TOGETHER = 200
HEAVIEST_TOGETHER = 8 * 1024 * 1024
"""Characters in one INSERT, beside those of its first call."""
LONGEST_KEY = 200
"""Of a sender's id. A longer one is stored as its hash."""
REFUSALS_TOLD_SECONDS = 10

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    token: str
    """Of its link."""
    headers: Mapping[str, str]
    """By their names in lower case."""
    query: bytes
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Accepted:
    event_id: UUID
    reply: Reply | None
    """What the sender expects in place of the id; None for the id."""


class UnknownCall(NotFound):
    """There is no webhook here that takes this call."""


class TooManyCalls(LimitExceeded):
    """This webhook is called more often than its trigger allows."""

    def __init__(self, wait_seconds: float) -> None:
        super().__init__(hint="Send it again later, or raise `ratePerMinute` of the trigger.")
        self.wait_seconds = wait_seconds


class WebhookCalls:
    """One per process."""

    def __init__(self, services: Services, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._services = services
        self._monotonic = monotonic
        self._endpoints = Endpoints(services, monotonic)
        self._wakeups = RareWakeups(services.wakeups)
        self._refused = 0
        self._refusals_told = Rarely(REFUSALS_TOLD_SECONDS, monotonic)
        self._storing = Gathering[ReceivedCall, UUID | None](
            self._store,
            at_once=WRITES_AT_ONCE,
            most=MOST_TOGETHER,
            heaviest=HEAVIEST_TOGETHER,
            weigh=lambda call: len(call.payload),
            blames_one=lambda error: not is_passing(error),
        )

    async def receive(self, call: Call) -> Accepted | Reply:
        """The stored event, or the answer to a call that only tries the link. Raises UnknownCall for every call that is not
        genuine, whatever the reason; for genuine ones TooManyCalls, LimitExceeded, Invalid.
        """
        endpoint = await self._endpoints.of_link(call.token)
        claimed = self._proved(endpoint, call)
        if claimed is None:
            known, endpoint = endpoint, await self._endpoints.of_link_now(call.token)
            if endpoint is not known:
                claimed = self._proved(endpoint, call)
        if endpoint is None or claimed is None:
            raise self._refusal(endpoint)
        trigger = endpoint.trigger
        if wait_us := endpoint.pace.admit(int(self._monotonic() * 1_000_000)):
            raise TooManyCalls(wait_us / 1_000_000)
        if len(call.body) > trigger.max_bytes:
            raise LimitExceeded(
                f"The body has {len(call.body):,} bytes; the trigger takes at most {trigger.max_bytes:,}.",
                path=("body",),
                hint="Raise `maxBytes` of the trigger.",
            )
        return await self._accept(endpoint, claimed, call)

    def _proved(self, endpoint: Endpoint | None, call: Call) -> Claim | None:
        """What a genuine call claims. The same work where there is nobody whom it could be for."""
        if endpoint is None:
            is_genuine(NO_CLAIM, (), call.body, 0.0, 0)
            return None
        now, claimed = self._services.clock(), endpoint.scheme.claim(call.headers)
        tolerance = endpoint.trigger.tolerance_seconds
        return claimed if is_genuine(claimed, endpoint.keys(now), call.body, now.timestamp(), tolerance) else None

    async def _accept(self, endpoint: Endpoint, claimed: Claim, call: Call) -> Accepted | Reply:
        scheme, trigger = endpoint.scheme, endpoint.trigger
        body = body_of(call.headers, call.body)
        payload = {
            "body": body,
            "headers": headers_of(call.headers, scheme.passed_on),
            "query": query_of(call.query),
        }
        if (reply := scheme.handshake(call.headers, body)) is not None:
            return reply
        key = _external_key(scheme, call, body, claimed)
        received = ReceivedCall(new_id(), trigger.workspace_id, trigger.id, key, dumps(payload))
        event_id = await self._storing.put(received)
        if event_id is None:
            raise self._refusal(endpoint)
        if event_id == received.id:
            self._wakeups.wake()
        return Accepted(event_id, scheme.accepted(call.headers, body))

    async def _store(self, calls: Sequence[ReceivedCall]) -> Sequence[UUID | None]:
        async with self._services.database.reading() as connection:
            return await store_calls(connection, calls)

    def _refusal(self, endpoint: Endpoint | None) -> UnknownCall:
        """The log says of each some seconds one thing: which trigger it was for last, and how many were refused since then."""
        self._refused += 1
        if self._refusals_told.due():
            trigger_id = None if endpoint is None else str(endpoint.trigger.id)
            log.warning("Calls of inbound webhooks were refused", count=self._refused, last_for=trigger_id)
            self._refused = 0
        return UnknownCall()


def _external_key(scheme: Scheme, call: Call, body: object, claimed: Claim) -> str:
    hashed = hash_of(claimed, call.body)
    given = scheme.id_of(call.headers, body, hashed)
    if len(given) <= LONGEST_KEY and is_storable_text(given):
        return given
    return hashlib.sha256(given.encode(errors="surrogatepass")).hexdigest()
