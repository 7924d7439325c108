"""The logs of runs."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from weft.domain.access import Role, Viewer
from weft.domain.ids import UUID
from weft.domain.page import Page, PageRequest
from weft.domain.run import LogLevel, LogLine
from weft.operations.services import Services
from weft.storage import logs


@dataclass(frozen=True, slots=True)
class LogFilter:
    level: LogLevel = LogLevel.DEBUG
    """This one and those above it."""
    step_id: str | None = None


@dataclass(frozen=True, slots=True)
class LogList:
    """A page of the log of a run."""

    run_id: UUID
    wanted: LogFilter
    request: PageRequest


async def load_log_pages(services: Services, viewer: Viewer, lists: Sequence[LogList]) -> list[Page[LogLine]]:
    """In the order of what is asked. One statement for all runs whose logs are asked for in the same way."""
    viewer.need(Role.VIEWER)
    alike: dict[tuple[LogFilter, PageRequest], list[UUID]] = defaultdict(list)
    for one in lists:
        alike[one.wanted, one.request].append(one.run_id)
    pages: dict[LogList, Page[LogLine]] = {}
    async with services.database.reading() as connection:
        for (wanted, request), run_ids in alike.items():
            levels = list(LogLevel)[list(LogLevel).index(wanted.level) :]
            found = await logs.pages(connection, viewer.workspace_id, run_ids, levels, wanted.step_id, request)
            for run_id, page in found.items():
                pages[LogList(run_id, wanted, request)] = page
    return [pages[one] for one in lists]
