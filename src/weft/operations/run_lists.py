"""The runs of many workflows at once."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from weft.domain.access import Role, Viewer
from weft.domain.ids import UUID
from weft.domain.page import Page, PageRequest
from weft.domain.run import Run
from weft.domain.usage import NO_USAGE, Usage
from weft.operations.services import Services
from weft.storage import run_lists
from weft.storage.run_lists import RunFilter


@dataclass(frozen=True, slots=True)
class RunList:
    """A page of the runs of a workflow."""

    workflow_id: UUID
    wanted: RunFilter
    request: PageRequest


async def load_run_pages(services: Services, viewer: Viewer, lists: Sequence[RunList]) -> list[Page[Run]]:
    """In the order of what is asked. One statement for all workflows whose runs are asked for in the same way."""
    viewer.need(Role.VIEWER)
    alike: dict[tuple[RunFilter, PageRequest], list[UUID]] = defaultdict(list)
    for one in lists:
        alike[one.wanted, one.request].append(one.workflow_id)
    pages: dict[RunList, Page[Run]] = {}
    async with services.database.reading() as connection:
        for (wanted, request), workflow_ids in alike.items():
            found = await run_lists.pages_of_workflows(connection, viewer.workspace_id, workflow_ids, wanted, request)
            for workflow_id, page in found.items():
                pages[RunList(workflow_id, wanted, request)] = page
    return [pages[one] for one in lists]


async def load_usages(services: Services, viewer: Viewer, workflow_ids: Sequence[UUID]) -> list[Usage]:
    """What the runs of each workflow took."""
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        found = await run_lists.usages_of_workflows(connection, viewer.workspace_id, workflow_ids)
    return [found.get(workflow_id, NO_USAGE) for workflow_id in workflow_ids]
