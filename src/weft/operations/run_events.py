"""What happens in a run, event by event: told from its beginning or from any event on, without a gap and without a repeat.

What is told is read from Postgres, a page at a time and only when the watcher has taken the page before, so a run of a million
items streams in constant memory to whoever reads it, at the reader's pace. Live progress (`weft.progress`) only says that there
is more to read.

A change of the run's state (`weft.storage.run_changes`) has the items that were finished by it, in the order of their ordinals,
and after them its new status. Where a revision is missing, because the run is older than these notes, the watcher is told so
by a `SnapshotReset`, and goes on behind the gap.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from weft.domain.access import Role, Viewer
from weft.domain.errors import Invalid, NotFound
from weft.domain.ids import UUID
from weft.domain.progress import Progress, RunStatus
from weft.domain.run import Item, Run
from weft.operations.items import LARGEST_ORDINAL, RunGraph, load_graphs
from weft.operations.runs import get_run
from weft.operations.services import Services
from weft.storage import items, run_changes
from weft.storage.items import Span
from weft.storage.run_changes import StateChange, stretches

PAGE = 100
"""Items, and changes, that are read at once."""
LARGEST_REVISION = 2**62


@dataclass(frozen=True, slots=True)
class Place:
    """Of an event in its run: up to this one, all is told."""

    run_id: UUID
    revision: int
    ordinal: int | None = None
    """Of the item that was told last; None where all of the revision is told."""

    def __str__(self) -> str:
        return f"{self.run_id}:{self.revision}" + ("" if self.ordinal is None else f":{self.ordinal}")


@dataclass(frozen=True, slots=True)
class RunEvent:
    place: Place
    at: datetime


@dataclass(frozen=True, slots=True)
class RunStatusChanged(RunEvent):
    status: RunStatus


@dataclass(frozen=True, slots=True)
class ItemFinished(RunEvent):
    item: Item
    graph: RunGraph | None
    """Of the run, so that nobody has to read it again for each of its items."""


@dataclass(frozen=True, slots=True)
class SnapshotReset(RunEvent):
    progress: Progress


async def watch_events(services: Services, viewer: Viewer, run_id: UUID, after: str | None) -> AsyncGenerator[RunEvent]:
    """Behind the place `after`, or from the beginning; ends when the run is over and all is told. Close it when it is left
    early.
    """
    viewer.need(Role.VIEWER)
    run = await get_run(services, viewer, run_id)
    if run is None:
        raise NotFound(f"There is no run {run_id} in this workspace.", path=("runId",))
    told = None if after is None else _place_in(after, run)
    return _Telling(services, viewer, run, told).events()


def _place_in(after: str, run: Run) -> Place:
    run_id, _, numbers = after.partition(":")
    revision, _, ordinal = numbers.partition(":")
    if run_id != str(run.id) and len(run_id) == len(str(run.id)):
        raise Invalid("This is a cursor of another run.", path=("after",))
    place = Place(run.id, _number(revision, LARGEST_REVISION), _number(ordinal, LARGEST_ORDINAL) if ordinal else None)
    if str(place) != after:
        raise _no_cursor()
    if place.revision > run.progress.revision:
        raise Invalid("This cursor is ahead of the run: no event of it has come so far.", path=("after",))
    return place


def _number(text: str, largest: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 20) or int(text) > largest:  # noqa: PLR2004 - more digits than the largest has
        raise _no_cursor()
    return int(text)


def _no_cursor() -> Invalid:
    return Invalid(
        "This is not a cursor of runEvents.", path=("after",), hint="Pass the `cursor` of the last event that you have."
    )


class _Telling:
    """To one watcher."""

    def __init__(self, services: Services, viewer: Viewer, run: Run, told: Place | None) -> None:
        self._services = services
        self._viewer = viewer
        self._run = run
        self._told = told
        """None: nothing so far."""
        self._graph: RunGraph | None = None

    async def events(self) -> AsyncGenerator[RunEvent]:
        (self._graph,) = await load_graphs(self._services, self._viewer, [self._run.id])
        if self._told is None:
            yield RunStatusChanged(self._note(0), self._run.created_at, _first_status(self._run))
        async with aclosing(self._services.progress.watch(self._run.progress)) as states:
            async for newest in states:
                async with aclosing(self._up_to(newest)) as events:
                    async for event in events:
                        yield event

    def _note(self, revision: int, ordinal: int | None = None) -> Place:
        self._told = Place(self._run.id, revision, ordinal)
        return self._told

    @property
    def _next(self) -> int:
        """The revision of which something is to be told next."""
        if self._told is None:
            return 0
        return self._told.revision + (self._told.ordinal is None)

    async def _up_to(self, newest: Progress) -> AsyncGenerator[RunEvent]:
        while self._next <= newest.revision:
            changes = await self._changes()
            for change in changes:
                if change.revision > self._next:
                    yield SnapshotReset(self._note(change.revision - 1), newest.updated_at, newest)
                async with aclosing(self._within(change)) as events:
                    async for event in events:
                        yield event
                self._note(change.revision)
            if not changes:
                if await get_run(self._services, self._viewer, self._run.id) is None:
                    return  # deleted meanwhile
                yield SnapshotReset(self._note(newest.revision), newest.updated_at, newest)

    async def _changes(self) -> Sequence[StateChange]:
        async with self._services.database.reading() as connection:
            return await run_changes.from_revision(
                connection, self._viewer.workspace_id, self._run.id, self._next, PAGE
            )

    async def _within(self, change: StateChange) -> AsyncGenerator[RunEvent]:
        """What the change brought, behind what is told of it already."""
        begun = self._told is not None and self._told.revision == change.revision
        last = self._told.ordinal if begun and self._told is not None else None
        ordinals = change.ordinals_behind(-1 if last is None else last)
        while page := list(islice(ordinals, PAGE)):
            for item in await self._items(page):
                yield ItemFinished(self._note(change.revision, item.ordinal), change.at, item, self._graph)
        if change.status is not None:
            yield RunStatusChanged(self._note(change.revision), change.at, change.status)

    async def _items(self, ordinals: Sequence[int]) -> Sequence[Item]:
        ends = stretches(ordinals)
        spans = [Span(self._run.id, low, high) for low, high in zip(ends[::2], ends[1::2], strict=True)]
        async with self._services.database.reading() as connection:
            return await items.in_spans(connection, self._viewer.workspace_id, spans)


def _first_status(run: Run) -> RunStatus:
    """A run over nothing is over when it is made; every other one waits first."""
    return RunStatus.PENDING if run.progress.total else RunStatus.COMPLETED
