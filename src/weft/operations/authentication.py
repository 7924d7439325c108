"""From the key that a caller shows to the viewer it is."""

import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta

from weft.auth.keys import digest, looks_like_key
from weft.domain.access import ApiKey, Viewer
from weft.domain.errors import Unauthenticated
from weft.operations.services import Services
from weft.storage import keys

REMEMBERED_SECONDS = 1.0
"""How long a key counts as good without asking again: the longest that a revoked key still works."""
REMEMBERED_KEYS = 10_000
NOTE_USE_EVERY = timedelta(minutes=1)


class Authenticator:
    """One per process. Good keys are remembered for a moment, so that a busy caller costs one query a second."""

    def __init__(self, services: Services, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._services = services
        self._monotonic = monotonic
        self._remembered: OrderedDict[bytes, tuple[float, ApiKey]] = OrderedDict()

    async def authenticate(self, text: str | None, address: str | None = None) -> Viewer:
        """The viewer with this key. Raises Unauthenticated, saying why."""
        if text is None:
            raise Unauthenticated
        if not looks_like_key(text):
            raise Unauthenticated("This is not an API key of this server: they begin with `weft_`.")
        key = await self._key(digest(text, self._services.secret_key))
        if key.expires_at is not None and key.expires_at <= self._services.clock():
            raise Unauthenticated(f"The API key {key.name!r} has expired.")
        return Viewer(key.workspace_id, key.id, key.name, key.role, address)

    async def _key(self, key_digest: bytes) -> ApiKey:
        now = self._monotonic()
        good_until, key = self._remembered.get(key_digest, (0.0, None))
        if key is not None and now < good_until:
            return key
        self._remembered.pop(key_digest, None)
        key = await self._ask(key_digest)
        self._remembered[key_digest] = (now + REMEMBERED_SECONDS, key)
        if len(self._remembered) > REMEMBERED_KEYS:
            self._remembered.popitem(last=False)
        return key

    async def _ask(self, key_digest: bytes) -> ApiKey:
        now = self._services.clock()
        async with self._services.database.reading() as connection:
            key = await keys.key_by_digest(connection, key_digest)
            if key is None:
                raise Unauthenticated("This API key is not known.")
            if key.revoked_at is not None:
                raise Unauthenticated(f"The API key {key.name!r} was revoked.")
            if key.last_used_at is None or key.last_used_at <= now - NOTE_USE_EVERY:
                await keys.note_use(connection, key.id, now, NOTE_USE_EVERY)
        return key
