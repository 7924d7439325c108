"""Firings: what triggers and schedules started, or why they did not."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from weft.domain.access import Role, Viewer
from weft.domain.ids import UUID
from weft.domain.page import Page, PageRequest
from weft.domain.trigger import Firing
from weft.operations.services import Services
from weft.storage import firings
from weft.storage.firings import FiringFilter


@dataclass(frozen=True, slots=True)
class FiringList:
    """A page of the firings of a workflow, a trigger or an event."""

    owner: str
    """`workflow_id`, `trigger_id` or `event_id`."""
    owner_id: UUID
    wanted: FiringFilter
    request: PageRequest


@dataclass(frozen=True, slots=True)
class StartedBy:
    """What started a run of this workflow."""

    workflow_id: UUID
    event_id: UUID


async def load_firings(services: Services, viewer: Viewer, ids: Sequence[UUID]) -> list[Firing | None]:
    """In the order of the ids."""
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        found = await firings.by_ids(connection, viewer.workspace_id, ids)
    return [found.get(one) for one in ids]


async def load_firings_behind(services: Services, viewer: Viewer, runs: Sequence[StartedBy]) -> list[Firing | None]:
    """Of each of these runs, in their order."""
    viewer.need(Role.VIEWER)
    pairs = [(one.workflow_id, one.event_id) for one in runs]
    async with services.database.reading() as connection:
        found = await firings.of_workflows_and_events(connection, viewer.workspace_id, pairs)
    return [found.get(pair) for pair in pairs]


async def list_firings(services: Services, viewer: Viewer, wanted: FiringFilter, page: PageRequest) -> Page[Firing]:
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        return await firings.page(connection, viewer.workspace_id, wanted, page)


async def load_firing_pages(services: Services, viewer: Viewer, lists: Sequence[FiringList]) -> list[Page[Firing]]:
    """In the order of what is asked. One statement for all owners whose firings are asked for in the same way."""
    viewer.need(Role.VIEWER)
    alike: dict[tuple[str, FiringFilter, PageRequest], list[UUID]] = defaultdict(list)
    for one in lists:
        alike[one.owner, one.wanted, one.request].append(one.owner_id)
    pages: dict[FiringList, Page[Firing]] = {}
    async with services.database.reading() as connection:
        for (owner, wanted, request), ids in alike.items():
            found = await firings.pages_of(connection, viewer.workspace_id, owner, ids, wanted, request)
            for owner_id, page in found.items():
                pages[FiringList(owner, owner_id, wanted, request)] = page
    return [pages[one] for one in lists]
