"""The runs of one scope, looked at once for all who watch them.

Each look is one statement: which runs are new (`weft.storage.new_runs`), and which of those that are under way have changed. What it
names is read once and told to every watcher. Kept are the ids and revisions of the runs that are under way, and the runs that were
read last; what a watcher has not been told yet are ids, so one that is slow, or has just come where many runs wait, holds next to
nothing, and reads what it is told late, together with those who are where it is.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Protocol

from weft.domain.ids import UUID
from weft.domain.run import Run
from weft.engine.wakeups import BELL
from weft.operations.looks import Looks
from weft.operations.services import Services
from weft.progress.codec import ENDED
from weft.storage import new_runs, runs
from weft.storage.new_runs import RunScope

AT_ONCE = 100
"""Runs that are read in one statement."""
KEPT = 1_000
"""Runs that were read last: of those that are told now."""
RUN_ID_BYTES = 16


class Watcher(Protocol):
    """None of its methods waits."""

    def news(self, run_id: UUID, *, is_new: bool) -> None:
        """The run has changed; `is_new`: nobody was told of it before."""
        ...

    def begin(self, run_ids: Sequence[UUID]) -> None:
        """These are under way. Called once; what comes from then on is news."""
        ...

    def fail(self, error: Exception) -> None:
        """Nothing more comes."""
        ...


class RunSource:
    def __init__(self, services: Services, scope: RunScope, every_seconds: float) -> None:
        self._services = services
        self._scope = scope
        self._looks = Looks(self._look, self._fail, every_seconds)
        self._stop_hearing = list[Callable[[], None]]()
        self._seen: new_runs.Look | None = None
        self._under_way: dict[UUID, int] = {}
        """With the revision that was told last."""
        self._untold = set[UUID]()
        """New ones that are not read yet."""
        self._read_last: OrderedDict[UUID, Run | None] = OrderedDict()
        self._reading: dict[tuple[UUID, ...], asyncio.Task[None]] = {}
        self._watchers = set[Watcher]()
        self._arrivals = set[Watcher]()
        self._failure: Exception | None = None

    def begin(self) -> None:
        hear = self._services.progress.hear
        self._stop_hearing = [hear(BELL, lambda _: self._looks.soon()), hear(ENDED, self._hear_end)]
        self._looks.begin()

    def end(self) -> None:
        self._looks.end()
        for stop in self._stop_hearing:
            stop()
        for reading in self._reading.values():
            reading.cancel()

    def _hear_end(self, run_id: bytes) -> None:
        if len(run_id) == RUN_ID_BYTES and UUID(bytes=run_id) in self._under_way:
            self._looks.now()
        else:  # of a run elsewhere, or of one that nobody has seen yet
            self._looks.soon()

    # Watchers

    def join(self, watcher: Watcher) -> None:
        """It begins after the next look, so that it misses nothing that was there when it came."""
        if self._failure is not None:
            watcher.fail(self._failure)
            return
        self._arrivals.add(watcher)
        self._looks.now()

    def leave(self, watcher: Watcher) -> None:
        self._arrivals.discard(watcher)
        self._watchers.discard(watcher)

    @property
    def watchers(self) -> int:
        """Those who are told what happens; not those who wait for it to begin."""
        return len(self._watchers)

    def has_read(self, run_id: UUID) -> bool:
        return run_id in self._read_last

    def newest(self, run_id: UUID) -> Run | None:
        """Of a run that was read; None for one that is no more."""
        return self._read_last[run_id]

    async def read(self, run_ids: Sequence[UUID]) -> None:
        """At most `AT_ONCE`. Those who want the same ones at the same time are served by one statement."""
        wanted = tuple(run_ids)
        reading = self._reading.get(wanted)
        if reading is None:
            reading = self._reading[wanted] = asyncio.create_task(self._read(wanted))
            reading.add_done_callback(lambda _: self._reading.pop(wanted, None))
        await asyncio.shield(reading)

    # Looking

    async def _look(self) -> bool:
        arrivals = set(self._arrivals)
        async with self._services.database.reading() as connection:
            if self._seen is None:
                seen = await new_runs.look(connection, self._scope)
                self._under_way = await new_runs.under_way(connection, self._scope)
                self._seen = seen
            now = await new_runs.look(connection, self._scope, self._seen.horizon, self._under_way)
        fresh = now.runs - self._seen.runs - self._under_way.keys()
        self._seen = now
        self._untold |= fresh
        self._under_way |= dict.fromkeys(sorted(fresh), -1)
        for watcher in arrivals & self._arrivals:
            watcher.begin(list(self._under_way))
        self._watchers |= arrivals & self._arrivals
        self._arrivals -= arrivals
        wanted = sorted(fresh | now.changed)
        for first in range(0, len(wanted), AT_ONCE):
            await self.read(wanted[first : first + AT_ONCE])
        return bool(wanted)

    async def _read(self, run_ids: Sequence[UUID]) -> None:
        async with self._services.database.reading() as connection:
            found = await runs.get_many(connection, self._scope.workspace_id, run_ids)
        for run_id in run_ids:
            self._take(run_id, found.get(run_id))

    def _take(self, run_id: UUID, run: Run | None) -> None:
        """What was read, whoever asked for it. Each revision is told once, and none after a newer one."""
        before = self._read_last.get(run_id)
        if run is not None and before is not None and before.progress.revision > run.progress.revision:
            return
        self._read_last[run_id] = run
        self._read_last.move_to_end(run_id)
        if len(self._read_last) > KEPT:
            self._read_last.popitem(last=False)
        told = self._under_way.get(run_id)
        if told is None:  # it is over, and read again for one who is late
            return
        if run is None:
            self._forget(run_id)
        elif run.progress.revision > told:
            is_new = run_id in self._untold
            self._untold.discard(run_id)
            self._under_way[run_id] = run.progress.revision
            if run.status.is_terminal:
                self._forget(run_id)
            for watcher in self._watchers:
                watcher.news(run_id, is_new=is_new)

    def _forget(self, run_id: UUID) -> None:
        del self._under_way[run_id]
        self._untold.discard(run_id)

    def _fail(self, error: Exception) -> None:
        self._failure = error
        for watcher in (*self._watchers, *self._arrivals):
            watcher.fail(error)
