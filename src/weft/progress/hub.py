"""Who watches which run, and the newest progress of each."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field

import structlog

from weft.domain.ids import UUID
from weft.domain.progress import Progress
from weft.kit.conflate import Latest
from weft.kit.rarely import Rarely
from weft.kit.together import together
from weft.progress.codec import channel_of, decode
from weft.progress.listener import ChannelListener

logger = structlog.stdlib.get_logger(__name__)

Watcher = Latest[Progress]
ReadNewer = Callable[[Mapping[UUID, int]], Awaitable[Mapping[UUID, Progress | None]]]
"""For runs and their known revisions: those with a newer state, and None for those that do not exist any more."""

Heard = Callable[[bytes], None]

UPDATES_PER_SECOND = 20
SAFETY_NET_SECONDS = 1.0
_READ_TIMEOUT_SECONDS = 10.0


@dataclass(slots=True, eq=False)
class WatchedRun:
    run_id: UUID
    newest: Progress
    watchers: set[Watcher] = field(default_factory=set[Watcher])
    told_at: float = 0.0
    timer: asyncio.TimerHandle | None = None

    def stop_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class ProgressHub:
    """Lives in one event loop. Joining, leaving and handing out are plain calls: nothing can come in between."""

    def __init__(self, redis_url: str, read_newer: ReadNewer) -> None:
        self._listener = ChannelListener(redis_url, self._on_message, self._on_live, "progress is read from Postgres")
        self._read_newer = read_newer
        self._runs: dict[UUID, WatchedRun] = {}
        self._by_channel: dict[bytes, WatchedRun] = {}
        self._hearing: dict[bytes, list[Heard]] = {}
        self._unread: set[UUID] = set()  # subscribed since they were last read from Postgres
        self._look = asyncio.Event()
        self._complaint = Rarely(60)

    @property
    def watched(self) -> Mapping[UUID, WatchedRun]:
        return self._runs

    def join(self, state: Progress) -> Watcher:
        """A watcher of the run, with the newest state waiting in it: the given one, or a newer one that is known here."""
        run = self._runs.get(state.run_id) or self._begin(state)
        self._offer(run, state)
        watcher = Watcher()
        watcher.put(run.newest)
        run.watchers.add(watcher)
        return watcher

    def leave(self, run_id: UUID, watcher: Watcher) -> None:
        run = self._runs.get(run_id)
        if run is None:
            return
        run.watchers.discard(watcher)
        if not run.watchers:
            self._forget(run)

    def hear(self, channel: bytes, heard: Heard) -> Callable[[], None]:
        """Of a channel that is no run's; until what is returned is called."""
        self._hearing.setdefault(channel, []).append(heard)
        self._listener.want(channel)

        def stop() -> None:
            self._hearing[channel].remove(heard)
            if not self._hearing[channel]:
                del self._hearing[channel]
                self._listener.drop(channel)

        return stop

    def _begin(self, state: Progress) -> WatchedRun:
        run = WatchedRun(state.run_id, state)
        channel = channel_of(run.run_id)
        self._runs[run.run_id] = self._by_channel[channel] = run
        self._listener.want(channel)
        self._look.set()
        return run

    def _forget(self, run: WatchedRun) -> None:
        run.stop_timer()
        channel = channel_of(run.run_id)
        del self._runs[run.run_id], self._by_channel[channel]
        self._unread.discard(run.run_id)
        self._listener.drop(channel)

    def _offer(self, run: WatchedRun, state: Progress) -> None:
        """Take note of a state, if it is new, and hand it out: now, or when the run's next update is due."""
        if state.revision <= run.newest.revision:
            return
        run.newest = state
        if state.status.is_terminal:
            run.stop_timer()
            self._tell(run)
        elif run.timer is None:
            loop = asyncio.get_running_loop()
            due = run.told_at + 1 / UPDATES_PER_SECOND
            if due <= loop.time():
                self._tell(run)
            else:
                run.timer = loop.call_at(due, self._tell, run)

    @staticmethod
    def _tell(run: WatchedRun) -> None:
        run.timer = None
        run.told_at = asyncio.get_running_loop().time()
        for watcher in run.watchers:
            watcher.put(run.newest)

    def _on_message(self, channel: bytes, data: bytes) -> None:
        run = self._by_channel.get(channel)
        if run is None:  # another channel, or its last watcher has just left
            for heard in list(self._hearing.get(channel, ())):
                heard(data)
            return
        try:
            self._offer(run, decode(data))
        except ValueError as error:
            if self._complaint.due():
                logger.warning("A progress message cannot be read; the state is read from Postgres.", error=str(error))

    def _on_live(self, channels: Collection[bytes]) -> None:
        self._unread.update(run.run_id for channel in channels if (run := self._by_channel.get(channel)))
        self._look.set()

    async def run(self) -> None:
        """Listens, and looks after what listening misses, until it is cancelled; then all watchers are let go."""
        try:
            await together(self._listener.run(), self._safety_net())
        finally:
            for run in self._runs.values():
                run.stop_timer()
                for watcher in run.watchers:
                    watcher.close()

    async def _safety_net(self) -> None:
        loop = asyncio.get_running_loop()
        read_all_at = 0.0
        while True:
            if self._runs:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(read_all_at):
                        await self._look.wait()
            else:
                await self._look.wait()
                read_all_at = loop.time() + SAFETY_NET_SECONDS
            self._look.clear()
            if loop.time() >= read_all_at:
                self._unread.update(self._runs)
                read_all_at = loop.time() + SAFETY_NET_SECONDS
            await self._read_unread()

    async def _read_unread(self) -> None:
        runs = [self._runs[run_id] for run_id in self._unread if run_id in self._runs]
        self._unread.clear()
        known = {run.run_id: run.newest.revision for run in runs if not run.newest.status.is_terminal}
        if not known:
            return
        try:
            async with asyncio.timeout(_READ_TIMEOUT_SECONDS):
                newer = await self._read_newer(known)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the database, the next second asks it again
            if self._complaint.due():
                logger.warning("Progress cannot be read from Postgres for now.", error=repr(error))
            return
        for run_id, state in newer.items():
            self._take(run_id, state)

    def _take(self, run_id: UUID, state: Progress | None) -> None:
        run = self._runs.get(run_id)
        if run is None:
            return
        if state is not None:
            self._offer(run, state)
            return
        for watcher in run.watchers:  # the run was deleted: nothing will ever come
            watcher.close()
