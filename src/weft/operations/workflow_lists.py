"""Lists of workflows, of the workspace and of all that are public, and what is counted of each."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.access import Role, Viewer
from weft.domain.entity import JsonSchema
from weft.domain.errors import Invalid
from weft.domain.ids import UUID
from weft.domain.page import Page, PageRequest
from weft.domain.sharing import NO_STATS, CategoryCount, WorkflowStats
from weft.domain.workflow import Workflow
from weft.operations.services import Services
from weft.storage import public_workflows, workflow_lists, workflow_stats
from weft.storage.workflow_lists import Sorting, WorkflowFilter

T = TypeVar("T")

MOST_CATEGORIES = 100


async def list_workflows(
    services: Services, viewer: Viewer, wanted: WorkflowFilter, page: PageRequest, sorting: Sorting
) -> Page[Workflow]:
    viewer.need(Role.VIEWER)
    _check(wanted)
    async with services.database.reading() as connection:
        found = await workflow_lists.page(connection, viewer.workspace_id, wanted, page, sorting)
    return Page(
        tuple(one.seen_from(viewer.workspace_id) for one in found.rows), found.keys, found.has_next, found.total
    )


async def list_categories(services: Services, viewer: Viewer, wanted: WorkflowFilter, most: int) -> list[CategoryCount]:
    """Of the workflows that `list_workflows` finds."""
    viewer.need(Role.VIEWER)
    _check(wanted)
    async with services.database.reading() as connection:
        return await workflow_lists.categories(connection, viewer.workspace_id, wanted, most)


async def load_entity_schemas(services: Services, viewer: Viewer, ids: Sequence[UUID]) -> list[JsonSchema | None]:
    """What these workflows work on, titled with its name."""
    return await _load(services, viewer, public_workflows.entity_schemas, ids)


async def load_stats(services: Services, viewer: Viewer, ids: Sequence[UUID]) -> list[WorkflowStats]:
    found = await _load(services, viewer, workflow_stats.of_workflows, ids)
    return [one or NO_STATS for one in found]


async def load_own_ratings(services: Services, viewer: Viewer, ids: Sequence[UUID]) -> list[int | None]:
    """What the viewer's key gave these workflows."""
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        found = await workflow_stats.ratings_by(connection, viewer.workspace_id, viewer.key_id, ids)
    return [found.get(workflow_id) for workflow_id in ids]


async def _load(
    services: Services,
    viewer: Viewer,
    query: Callable[[AsyncConnection, UUID, Sequence[UUID]], Awaitable[dict[UUID, T]]],
    ids: Sequence[UUID],
) -> list[T | None]:
    """In the order of the ids."""
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        found = await query(connection, viewer.workspace_id, ids)
    return [found.get(one) for one in ids]


def _check(wanted: WorkflowFilter) -> None:
    if "\0" in f"{wanted.search}{wanted.category}":
        raise Invalid("A filter holds the character NUL.", path=("filter",))
