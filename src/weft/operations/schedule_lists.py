"""Schedules as they are read: lists, their runs, and when they are due next."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from weft.domain.access import Role, Viewer
from weft.domain.errors import Invalid, LimitExceeded, Problem
from weft.domain.ids import UUID
from weft.domain.page import Page, PageRequest
from weft.domain.run import Run
from weft.domain.schedule import Schedule
from weft.operations.schedule_checks import read_timing
from weft.operations.services import Services
from weft.storage import run_lists, schedules
from weft.storage.schedules import ScheduleFilter
from weft.triggers.schedules.slots import slots

MOST_TIMES = 100
"""Of one schedule."""
MOST_TIMES_TOGETHER = 2_000
"""Of all schedules in one request: computing them takes 0.1 s, and up to a second where they lie years apart."""


@dataclass(frozen=True, slots=True)
class OwnedList:
    """A page of what belongs to a workflow (schedules), or to a schedule (runs)."""

    owner_id: UUID
    request: PageRequest


@dataclass(frozen=True, slots=True)
class Times:
    """The next `count` times of an expression in a zone."""

    cron_expression: str
    timezone: str
    count: int


async def load_schedules(services: Services, viewer: Viewer, ids: Sequence[UUID]) -> list[Schedule | None]:
    """In the order of the ids."""
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        found = await schedules.get_many(connection, viewer.workspace_id, ids)
    return [found.get(one) for one in ids]


async def list_schedules(
    services: Services, viewer: Viewer, wanted: ScheduleFilter, page: PageRequest
) -> Page[Schedule]:
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        return await schedules.page(connection, viewer.workspace_id, wanted, page)


async def load_schedule_pages(services: Services, viewer: Viewer, lists: Sequence[OwnedList]) -> list[Page[Schedule]]:
    """Of workflows. One statement for all whose schedules are asked for in the same way."""
    viewer.need(Role.VIEWER)
    pages: dict[OwnedList, Page[Schedule]] = {}
    async with services.database.reading() as connection:
        for request, ids in _alike(lists).items():
            found = await schedules.pages_of_workflows(connection, viewer.workspace_id, ids, request)
            pages |= {OwnedList(owner_id, request): page for owner_id, page in found.items()}
    return [pages[one] for one in lists]


async def load_run_pages(services: Services, viewer: Viewer, lists: Sequence[OwnedList]) -> list[Page[Run]]:
    """Of schedules. One statement for all whose runs are asked for in the same way."""
    viewer.need(Role.VIEWER)
    pages: dict[OwnedList, Page[Run]] = {}
    async with services.database.reading() as connection:
        for request, ids in _alike(lists).items():
            found = await run_lists.pages_of_triggers(connection, viewer.workspace_id, ids, request)
            pages |= {OwnedList(owner_id, request): page for owner_id, page in found.items()}
    return [pages[one] for one in lists]


def _alike(lists: Sequence[OwnedList]) -> dict[PageRequest, list[UUID]]:
    found: dict[PageRequest, list[UUID]] = defaultdict(list)
    for one in lists:
        found[one.request].append(one.owner_id)
    return found


async def load_times(services: Services, viewer: Viewer, asked: Sequence[Times]) -> list[list[datetime] | Invalid]:
    """When each is due next, in order. An expression that cannot be read costs only itself."""
    viewer.need(Role.VIEWER)
    for one in asked:
        if not 1 <= one.count <= MOST_TIMES:
            raise Invalid(f"`count` is {one.count}; it is 1 to {MOST_TIMES}.", path=("count",))
    if sum(one.count for one in asked) > MOST_TIMES_TOGETHER:
        raise LimitExceeded(
            f"More than {MOST_TIMES_TOGETHER:,} times are asked for in one request.",
            path=("count",),
            hint="Ask for fewer times of each schedule, or for fewer schedules.",
        )
    now = services.clock()
    # Not in the event loop: some of them have to be looked for over decades.
    return await asyncio.to_thread(lambda: [_times(one, now) for one in asked])


def _times(asked: Times, now: datetime) -> list[datetime] | Invalid:
    problems: list[Problem] = []
    timing = read_timing(asked.cron_expression, asked.timezone, problems)
    return Invalid(problems=problems) if timing is None else list(islice(slots(*timing, now), asked.count))
