"""From the key that a caller shows to the viewer it is."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TypeVar

from weft.auth.guesses import Guesses
from weft.auth.keys import digest, looks_like_key, why_no_key
from weft.domain.access import ApiKey, Viewer
from weft.domain.errors import Unauthenticated
from weft.operations.services import Services
from weft.storage import keys

REMEMBERED_SECONDS = 1.0
"""How long a key counts as good without asking again: the longest that a revoked key still works."""
REFUSED_SECONDS = 60.0
"""How long a wrong key counts as wrong. None that is unknown or revoked ever becomes good."""
REMEMBERED_KEYS = 10_000
NOTE_USE_EVERY = timedelta(minutes=1)

V = TypeVar("V")


class Authenticator:
    """One per process. Keys are remembered for a moment, so that a busy caller costs one query a second, also when all of
    its clients come at once, after a restart.

    Wrong keys are counted by address, each once in a while: a program that goes on with a revoked key locks nobody out
    behind the same address, and one that tries many is refused. Keys that were good here are still looked up then.
    """

    def __init__(self, services: Services, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._services = services
        self._monotonic = monotonic
        self._remembered: OrderedDict[bytes, tuple[float, ApiKey]] = OrderedDict()
        self._refused: OrderedDict[bytes, tuple[float, str]] = OrderedDict()
        self._guesses = Guesses(monotonic)
        self._asking: dict[bytes, asyncio.Task[ApiKey]] = {}

    async def authenticate(self, text: str | None, address: str | None = None) -> Viewer:
        """The viewer with this key. Raises Unauthenticated, saying why, or RateLimited."""
        if text is None:
            raise Unauthenticated
        if not looks_like_key(text):
            raise Unauthenticated(why_no_key(text))
        key = await self._key(digest(text, self._services.secret_key), address)
        if key.expires_at is not None and key.expires_at <= self._services.clock():
            raise has_expired(key)
        return Viewer(key.workspace_id, key.id, key.name, key.role, address, key.rate_limit)

    async def _key(self, key_digest: bytes, address: str | None) -> ApiKey:
        now = self._monotonic()
        good_until, key = self._remembered.get(key_digest, (0.0, None))
        if key is not None and now < good_until:
            return key
        wrong_until, why = self._refused.get(key_digest, (0.0, ""))
        if now < wrong_until:
            raise Unauthenticated(why)
        asking = self._asking.get(key_digest)
        if asking is None:
            asking = asyncio.create_task(self._find(key_digest, None if key is not None else address))
            self._asking[key_digest] = asking
            asking.add_done_callback(partial(self._answered, key_digest))
        return await asyncio.shield(asking)

    def _answered(self, key_digest: bytes, asking: "asyncio.Task[ApiKey]") -> None:
        del self._asking[key_digest]
        if not asking.cancelled():
            asking.exception()  # whoever asked may have left

    async def _find(self, key_digest: bytes, guessed: str | None) -> ApiKey:
        """`guessed`: the address that a key comes from which was never good here."""
        now = self._monotonic()
        if guessed is not None:
            self._guesses.charge(guessed)
        wrong = False
        try:
            key = await self._ask(key_digest)
        except Unauthenticated as refused:
            wrong = True
            self._remembered.pop(key_digest, None)
            _remember(self._refused, key_digest, (now + REFUSED_SECONDS, refused.message))
            raise
        finally:  # also where the database is away: nobody said that it is wrong
            if guessed is not None and not wrong:
                self._guesses.refund(guessed)
        _remember(self._remembered, key_digest, (now + REMEMBERED_SECONDS, key))
        return key

    async def _ask(self, key_digest: bytes) -> ApiKey:
        now = self._services.clock()
        async with self._services.database.reading() as connection:
            key = await keys.key_by_digest(connection, key_digest)
            if key is None:
                raise Unauthenticated("This API key is not known.")
            if key.revoked_at is not None:
                raise was_revoked(key)
            if key.last_used_at is None or key.last_used_at <= now - NOTE_USE_EVERY:
                await keys.note_use(connection, key.id, now, NOTE_USE_EVERY)
        return key


def was_revoked(key: ApiKey) -> Unauthenticated:
    return Unauthenticated(f"The API key {key.name!r} was revoked.")


def has_expired(key: ApiKey) -> Unauthenticated:
    return Unauthenticated(f"The API key {key.name!r} has expired.")


def _remember(memory: OrderedDict[bytes, V], key_digest: bytes, value: V) -> None:
    memory[key_digest] = value
    memory.move_to_end(key_digest)
    if len(memory) > REMEMBERED_KEYS:
        memory.popitem(last=False)
