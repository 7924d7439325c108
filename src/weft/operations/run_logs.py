"""The logs of runs: as lists, and followed line by line.

A line keeps its place for ever, and lines become visible in the order of their places (`weft.storage.log_lines`). So a cursor
is a place, the same for the list and for who follows, and both go on behind it without a gap and without a repeat. Who
follows reads a page at a time, at its own pace; live progress (`weft.progress`) only says that there may be more to read.

Lines are deleted by their age, sooner than their run. Where lines behind a place are gone, who follows is told so by a line of
our own in their stead. A line that a worker says when its run is over already stands behind those that came with the end:
who follows has been let go then, and finds it with the cursor that it has.
"""

from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from operator import attrgetter

from weft.domain.access import Role, Viewer
from weft.domain.errors import Invalid, NotFound
from weft.domain.ids import LAST_ID, UUID
from weft.domain.page import Page, PageRequest
from weft.domain.run import BEFORE_THE_LOG, LogLevel, LogLine, LogPlace, Run
from weft.operations.runs import get_run
from weft.operations.services import Services
from weft.storage import log_gaps, logs

PAGE = 100
"""Lines that are read at once for who follows."""
LARGEST_NUMBER = 2**31 - 1


@dataclass(frozen=True, slots=True)
class LogFilter:
    level: LogLevel = LogLevel.DEBUG
    """This one and those above it."""
    step_id: str | None = None

    @property
    def levels(self) -> list[LogLevel]:
        return list(LogLevel)[list(LogLevel).index(self.level) :]


@dataclass(frozen=True, slots=True)
class LogList:
    """A page of the log of a run."""

    run_id: UUID
    wanted: LogFilter
    request: PageRequest


async def load_log_pages(services: Services, viewer: Viewer, lists: Sequence[LogList]) -> list[Page[LogLine]]:
    """In the order of what is asked. One statement for all runs whose logs are asked for in the same way."""
    viewer.need(Role.VIEWER)
    alike: dict[tuple[LogFilter, int, LogPlace], list[UUID]] = defaultdict(list)
    places = [_place(one.request.after, one.run_id) for one in lists]
    for one, place in zip(lists, places, strict=True):
        alike[one.wanted, one.request.first, place].append(one.run_id)
    found: dict[tuple[LogFilter, int, LogPlace, UUID], Sequence[LogLine]] = {}
    async with services.database.reading() as connection:
        for (wanted, first, place), run_ids in alike.items():
            lines = await logs.first_lines(
                connection, viewer.workspace_id, run_ids, place, wanted.levels, wanted.step_id, first + 1
            )
            for run_id in run_ids:
                found[wanted, first, place, run_id] = lines[run_id]
    return [
        Page[LogLine].of(
            list(found[one.wanted, one.request.first, place, one.run_id]), one.request.first, attrgetter("place")
        )
        for one, place in zip(lists, places, strict=True)
    ]


async def follow_log(
    services: Services, viewer: Viewer, run_id: UUID, after: str | None, wanted: LogFilter
) -> AsyncGenerator[LogLine]:
    """Behind the place `after`, or from the first line; ends when the run is over and all is told. Close it when it is left early."""
    viewer.need(Role.VIEWER)
    run = await get_run(services, viewer, run_id)
    if run is None:
        raise NotFound(f"There is no run {run_id} in this workspace.", path=("runId",))
    place = _place(after, run_id)
    if place.revision > run.progress.revision:
        raise Invalid("This cursor is ahead of the run: no line of it has come so far.", path=("after",))
    return _Following(services, viewer, run, place, wanted).lines()


def _place(after: str | None, run_id: UUID) -> LogPlace:
    if after is None:
        return BEFORE_THE_LOG
    of_run, _, written = after.partition(":")
    place = logs.place_in(written)
    if place is None:
        raise Invalid(
            "This is not a cursor of the log of a run.",
            path=("after",),
            hint="Pass the `cursor` of the last line that you have.",
        )
    if of_run != str(run_id):
        raise Invalid("This is a cursor of another run.", path=("after",))
    return place


class _Following:
    """By one watcher."""

    def __init__(self, services: Services, viewer: Viewer, run: Run, told: LogPlace, wanted: LogFilter) -> None:
        self._services = services
        self._viewer = viewer
        self._run = run
        self._told = told
        """All up to it is told, or not wanted."""
        self._wanted = wanted

    async def lines(self) -> AsyncGenerator[LogLine]:
        if (notice := await self._notice_of_what_is_gone()) is not None:
            self._told = notice.in_log
            yield notice
        async with aclosing(self._services.progress.watch(self._run.progress)) as states:
            async for newest in states:
                while page := await self._page(newest.revision):
                    for line in page:
                        self._told = line.in_log
                        yield line
                    if len(page) < PAGE:
                        break
                self._told = max(self._told, LogPlace(newest.revision, LARGEST_NUMBER))

    async def _page(self, up_to_revision: int) -> Sequence[LogLine]:
        told, wanted = self._told, self._wanted
        if told >= (up_to_revision, LARGEST_NUMBER):
            return ()
        async with self._services.database.reading() as connection:
            return await logs.behind(
                connection,
                self._viewer.workspace_id,
                self._run.id,
                told.revision,
                told.number,
                up_to_revision,
                wanted.levels,
                wanted.step_id,
                PAGE,
                last_id=told.id,
            )

    async def _notice_of_what_is_gone(self) -> LogLine | None:
        async with self._services.database.reading() as connection:
            gap = await log_gaps.behind(connection, self._viewer.workspace_id, self._run.id, self._told)
        if gap is None:
            return None
        return LogLine(
            id=LAST_ID,
            run_id=self._run.id,
            ordinal=None,
            step_id=None,
            level=LogLevel.WARNING,
            message="Lines are missing here: they are older than lines are kept.",
            fields={},
            at=gap.at,
            revision=gap.end.revision,
            number=gap.end.number,
        )
