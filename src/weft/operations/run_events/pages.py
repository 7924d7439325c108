"""A page of a run's events: what comes behind a place, as far as it goes at once. Read in one snapshot of Postgres.

    changes   the revisions behind the place, up to the first that is not kept
    items     those that these revisions finished, where they are asked for
    lines     of the log, the same

Each of them may reach less far than the one before, since a page is bounded in number and bytes; the page ends where the
shortest of them does. What is not asked for is not read, but passed over: a page may hold no event and still lead on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from operator import attrgetter

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.errors import NotFound
from weft.domain.progress import RunStatus
from weft.domain.run import ItemStatus, LogPlace, Run
from weft.operations.items import LARGEST_ORDINAL, RunGraph
from weft.operations.run_events.asking import Asked, RunEventKind
from weft.operations.run_events.events import RunEvent, RunStatusChanged, SnapshotReset
from weft.operations.run_events.places import WHOLE, Part, Place, at_end, at_item, at_line
from weft.operations.run_events.telling import item_told, line_told
from weft.storage import finished_items, log_gaps, logs, progress, run_changes
from weft.storage.finished_items import FinishedItem, Stretch
from weft.storage.run_changes import StateChange

PAGE = 100
"""Items, or lines, at most."""
PAGE_BYTES = 256 * 1024
"""Of items, as they are stored, unless a single one is larger."""
CHANGES = 25
"""That are read where their items fill a page soon; there are more where these are few, and yet more where there are none."""
CHANGES_OF_FEW = 250
CHANGES_ALONE = 1_000
LOOKED_THROUGH = 2_000
"""Items that a page passes at most, of which it tells the few that failed or were skipped."""
EVENT_WEIGHT = 1_500
"""Bytes that an event with its item takes in memory, beside the values in it."""
VALUE_WEIGHT = 4
"""Bytes in memory per byte of JSON."""


@dataclass(frozen=True, slots=True)
class EventPage:
    begin: Place
    end: Place
    """All up to here is told."""
    events: Sequence[RunEvent]
    weight: int
    """Bytes that it takes in memory, roughly."""


@dataclass(frozen=True, slots=True)
class Source:
    """The events of a run that are asked for: the same for everyone in the workspace who asks so."""

    run: Run
    graph: RunGraph
    asked: Asked

    async def page(self, connection: AsyncConnection, begin: Place) -> EventPage:
        """Raises NotFound when the run is deleted. `connection` sees one snapshot."""
        return await _Reading(self, connection, begin).page()


class _Reading:
    """Of one page. `_end` comes nearer as less is found than there was room for."""

    def __init__(self, source: Source, connection: AsyncConnection, begin: Place) -> None:
        self._source = source
        self._asked = source.asked
        self._run = source.run
        self._connection = connection
        self._begin = begin
        self._end = begin
        self._events: list[RunEvent] = []
        self._bytes = 0

    async def page(self) -> EventPage:
        changes = await self._changes()
        if RunEventKind.STATUS in self._asked.kinds:
            self._events += self._statuses(changes)
        if self._asked.reads_items:
            await self._tell_items(changes)
        if RunEventKind.LOGS in self._asked.kinds:
            await self._tell_lines(changes)
        told = [event for event in self._events if self._begin < event.place <= self._end]
        told.sort(key=attrgetter("place"))
        return EventPage(self._begin, self._end, told, EVENT_WEIGHT * (len(told) + 1) + VALUE_WEIGHT * self._bytes)

    async def _changes(self) -> list[StateChange]:
        """An unbroken row of them, behind the place or behind the gap that is there."""
        following = self._begin.complete + 1
        standing = await run_changes.from_revision(
            self._connection,
            self._run.workspace_id,
            self._run.id,
            following,
            self._most_changes,
            with_items=self._asked.reads_items,
        )
        if standing is None:
            raise deleted()
        changes = [_start(self._run), *standing.changes] if following == 0 else list(standing.changes)
        first = changes[0].revision if changes else standing.revision + 1
        if first > following:
            self._end = at_end(self._run.id, first - 1)
            await self._reset(self._end)
        changes = [change for _, change in takewhile(lambda one: one[0] == one[1].revision, enumerate(changes, first))]
        if changes:
            self._end = at_end(self._run.id, changes[-1].revision)
        return changes

    @property
    def _most_changes(self) -> int:
        if self._asked.reads_items and ItemStatus.COMPLETED in self._asked.statuses:
            return CHANGES
        return CHANGES_ALONE if self._asked.kinds == frozenset({RunEventKind.STATUS}) else CHANGES_OF_FEW

    async def _reset(self, place: Place) -> None:
        newest = await progress.of_run(self._connection, self._run.workspace_id, self._run.id)
        if newest is None:
            raise deleted()
        self._events.append(SnapshotReset(place, newest.updated_at, newest))

    def _statuses(self, changes: Sequence[StateChange]) -> Iterator[RunEvent]:
        for change in changes:
            if change.status is not None:
                yield RunStatusChanged(at_end(self._run.id, change.revision), change.at, change.status)

    async def _tell_items(self, changes: Sequence[StateChange]) -> None:
        stretches = self._stretches(changes)
        if not stretches:
            return
        read = await finished_items.in_stretches(
            self._connection,
            self._run.workspace_id,
            self._run.id,
            stretches,
            self._asked.statuses,
            PAGE,
            PAGE_BYTES,
        )
        times = {change.revision: change.at for change in changes}
        for one in read.found:
            self._events += item_told(self._asked, self._source.graph, one, times[one.revision])
            self._bytes += one.bytes
        if read.cut:
            self._end_at(_place_of(read.found[-1]))

    def _stretches(self, changes: Sequence[StateChange]) -> list[Stretch]:
        """Of items that the page goes through."""
        left = PAGE if ItemStatus.COMPLETED in self._asked.statuses else LOOKED_THROUGH
        stretches: list[Stretch] = []
        for change in changes:
            for low, high in zip(change.finished[::2], change.finished[1::2], strict=True):
                first = max(low, self._first_in(change.revision))
                last = min(high, first + left - 1)
                if first > last:
                    continue
                stretches.append(Stretch(change.revision, first, last))
                left -= last - first + 1
                if left == 0:
                    self._end_at(at_item(self._run.id, change.revision, last))
                    return stretches
        return stretches

    def _first_in(self, revision: int) -> int:
        """The first ordinal that is not told of it."""
        begin = self._begin
        if begin.revision != revision:
            return 0
        if begin.part != Part.ITEMS:
            return LARGEST_ORDINAL + 1
        return begin.number + (begin.step == WHOLE)

    async def _tell_lines(self, changes: Sequence[StateChange]) -> None:
        changes = [change for change in changes if change.logs and change.revision <= self._end.complete]
        if not changes:
            return
        begin = self._begin
        # Those of revision 0 are older than places.
        at_first = (begin.revision, begin.number) if begin.part == Part.LOGS else (max(1, begin.complete + 1), -1)
        behind = LogPlace(*at_first)
        lines = await logs.behind(
            self._connection,
            self._run.workspace_id,
            self._run.id,
            behind.revision,
            behind.number,
            changes[-1].revision,
            self._asked.levels,
            self._asked.step_id,
            PAGE,
        )
        came = {change.revision: change for change in changes}
        for line in lines:
            self._events += line_told(line, came.get(line.revision))
            self._bytes += len(line.message)
        if len(lines) == PAGE:
            self._end_at(at_line(self._run.id, lines[-1].revision, lines[-1].number))
        gap = await log_gaps.behind(self._connection, self._run.workspace_id, self._run.id, behind)
        if gap is not None:
            await self._reset(at_line(self._run.id, gap.end.revision, gap.end.number))

    def _end_at(self, place: Place) -> None:
        self._end = min(self._end, place)


def deleted() -> NotFound:
    return NotFound("This run was deleted: nothing more comes of it.", path=("runId",))


def _start(run: Run) -> StateChange:
    """There is none in Postgres: with revision 0 a run is made. One over nothing is over at once; every other waits first."""
    status = RunStatus.PENDING if run.progress.total else RunStatus.COMPLETED
    return StateChange(0, run.created_at, status, ())


def _place_of(found: FinishedItem) -> Place:
    return at_item(found.item.run_id, found.revision, found.item.ordinal)
