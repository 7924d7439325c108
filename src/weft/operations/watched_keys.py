"""Keys behind what stays open: websockets and event streams end when their key is revoked or expires.

One statement a second asks for all of them together, however many clients watch, and none while nothing is open. It answers
only with keys that are at their end, which are hardly ever any. Expiry is known ahead and comes on time.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from weft.domain.access import ApiKey, Viewer
from weft.domain.ids import UUID
from weft.kit.rarely import Rarely
from weft.operations.authentication import has_expired, was_revoked
from weft.operations.services import Services
from weft.storage import keys

logger = structlog.stdlib.get_logger(__name__)

LOOK_SECONDS = 1.0
AHEAD = timedelta(seconds=5)
"""Keys that expire by then are known before they do, however long a look takes."""
PATIENCE_SECONDS = 10.0
UNCHECKED_SECONDS = 30.0
"""How long what is open stays open while nobody can say whether its key is still good."""

End = Callable[[Exception], None]
"""Told once, with why: Unauthenticated, or the database's error where the key could not be checked for long."""


@dataclass(slots=True)
class _Watched:
    workspace_id: UUID
    ends: dict[object, End] = field(default_factory=dict[object, End])
    timer: asyncio.TimerHandle | None = None

    def stop_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class WatchedKeys:
    """One per process. Joining and leaving are plain calls."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._keys: dict[UUID, _Watched] = {}
        self._looking: asyncio.Task[None] | None = None
        self._complaint = Rarely(60)

    def join(self, viewer: Viewer, end: End) -> Callable[[], None]:
        """`end` is called when the viewer's key ends, unless what is returned was called before."""
        watched = self._keys.setdefault(viewer.key_id, _Watched(viewer.workspace_id))
        ticket = object()
        watched.ends[ticket] = end
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_on())

        def leave() -> None:
            watched.ends.pop(ticket, None)
            if not watched.ends and self._keys.get(viewer.key_id) is watched:
                self._forget(viewer.key_id)

        return leave

    def _forget(self, key_id: UUID) -> None:
        self._keys.pop(key_id).stop_timer()
        if not self._keys and self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def _end(self, key_id: UUID, why: Exception) -> None:
        if (watched := self._keys.pop(key_id, None)) is None:
            return
        watched.stop_timer()
        for end in watched.ends.values():
            end(why)

    async def _look_on(self) -> None:
        loop = asyncio.get_running_loop()
        checked = loop.time()
        while self._keys:
            await asyncio.sleep(LOOK_SECONDS)
            asked = list(self._keys)
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._look()
                checked = loop.time()
            except Exception as error:  # noqa: BLE001 - whatever is wrong with the database, the next second asks it again
                if self._complaint.due():
                    logger.warning("API keys of open subscriptions cannot be checked for now.", error=repr(error))
                if loop.time() - checked > UNCHECKED_SECONDS:
                    for key_id in asked:
                        self._end(key_id, error)

    async def _look(self) -> None:
        now = self._services.clock()
        async with self._services.database.reading() as connection:
            ending = await keys.ending_keys(connection, self._workspaces(), now + AHEAD)
        for key_id, watched in list(self._keys.items()):
            watched.stop_timer()
            if (key := ending.get(key_id)) is not None:
                self._end_in_time(key, watched, self._services.clock())

    def _workspaces(self) -> dict[UUID, UUID]:
        return {key_id: watched.workspace_id for key_id, watched in self._keys.items()}

    def _end_in_time(self, key: ApiKey, watched: _Watched, now: datetime) -> None:
        if key.revoked_at is not None:
            self._end(key.id, was_revoked(key))
        elif key.expires_at is not None:
            left = max(0.0, (key.expires_at - now).total_seconds())
            watched.timer = asyncio.get_running_loop().call_later(left, self._end, key.id, has_expired(key))
