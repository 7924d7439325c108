"""Items of runs: listed, found, and seen together with the graph that they went through. Each answers for many runs at once."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.access import Role, Viewer
from weft.domain.errors import Invalid
from weft.domain.ids import UUID
from weft.domain.page import Page, PageRequest
from weft.domain.run import FailureGroup, Item, ItemStatus, Run
from weft.engine.step_graph import StepGraph
from weft.operations.services import Services
from weft.storage import failures, items, runs, workflow_versions
from weft.storage.items import Span

FINISHED = frozenset({ItemStatus.COMPLETED, ItemStatus.FAILED, ItemStatus.SKIPPED})
UNFINISHED = frozenset(ItemStatus) - FINISHED
LARGEST_ORDINAL = 2**31 - 1_000


@dataclass(frozen=True, slots=True)
class ItemFilter:
    statuses: frozenset[ItemStatus] | None = None
    entity_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ItemList:
    """A page of the items of a run."""

    run_id: UUID
    wanted: ItemFilter
    request: PageRequest


@dataclass(frozen=True, slots=True)
class ItemPlace:
    run_id: UUID
    ordinal: int


@dataclass(frozen=True, slots=True)
class FailureList:
    """The `first` most frequent causes of failures of a run."""

    run_id: UUID
    first: int


@dataclass(frozen=True, slots=True)
class RunGraph:
    """What tells the steps of an item, their inputs and its output."""

    graph: StepGraph
    input: Any
    """Of the run; what a root step gets where there are no entities."""


async def load_item_pages(services: Services, viewer: Viewer, lists: Sequence[ItemList]) -> list[Page[Item]]:
    """In the order of what is asked. As many statements as there are different filters and pages, however many runs."""
    viewer.need(Role.VIEWER)
    alike: dict[tuple[ItemFilter, PageRequest], list[UUID]] = defaultdict(list)
    for wanted in lists:
        alike[wanted.wanted, wanted.request].append(wanted.run_id)
    pages: dict[ItemList, Page[Item]] = {}
    async with services.database.reading() as connection:
        for (wanted, request), run_ids in alike.items():
            for run_id, page in (await _pages(connection, viewer.workspace_id, run_ids, wanted, request)).items():
                pages[ItemList(run_id, wanted, request)] = page
    return [pages[one] for one in lists]


async def load_items(services: Services, viewer: Viewer, places: Sequence[ItemPlace]) -> list[Item | None]:
    viewer.need(Role.VIEWER)
    spans = [Span(place.run_id, place.ordinal, place.ordinal) for place in places]
    async with services.database.reading() as connection:
        rows = await items.in_spans(connection, viewer.workspace_id, spans)
    found = {ItemPlace(item.run_id, item.ordinal): item for item in rows}
    return [found.get(place) for place in places]


async def load_failures(
    services: Services, viewer: Viewer, lists: Sequence[FailureList]
) -> list[Sequence[FailureGroup]]:
    viewer.need(Role.VIEWER)
    alike: dict[int, list[UUID]] = defaultdict(list)
    for wanted in lists:
        alike[wanted.first].append(wanted.run_id)
    found: dict[FailureList, Sequence[FailureGroup]] = {}
    async with services.database.reading() as connection:
        for first, run_ids in alike.items():
            for run_id, groups in (await failures.groups_of(connection, viewer.workspace_id, run_ids, first)).items():
                found[FailureList(run_id, first)] = groups
    return [found[one] for one in lists]


async def load_graphs(services: Services, viewer: Viewer, run_ids: Sequence[UUID]) -> list[RunGraph | None]:
    """In the order of the runs; None where there is none in the workspace."""
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        found = await runs.get_many(connection, viewer.workspace_id, run_ids)
        version_ids = {run.version_id for run in found.values()}
        graphs = services.graphs.known(version_ids)
        if missing := list(version_ids - graphs.keys()):
            versions = await workflow_versions.get_many(connection, viewer.workspace_id, missing)
            graphs |= {
                version.id: services.graphs.keep(version.id, version.definition) for version in versions.values()
            }
    return [
        RunGraph(graphs[run.version_id], run.input) if (run := found.get(run_id)) is not None else None
        for run_id in run_ids
    ]


async def _pages(
    connection: AsyncConnection, workspace_id: UUID, run_ids: list[UUID], wanted: ItemFilter, request: PageRequest
) -> dict[UUID, Page[Item]]:
    low, most = _behind(request), request.first + 1
    statuses = frozenset(ItemStatus) if wanted.statuses is None else wanted.statuses
    counted = {} if wanted.entity_id else await runs.get_many(connection, workspace_id, run_ids)
    rows: list[Item]
    if wanted.entity_id is not None:
        places = await items.places_of(connection, workspace_id, run_ids, wanted.entity_id)
        rows = await items.in_spans(connection, workspace_id, [span for span in places if span.low >= low])
        rows = [item for item in rows if item.status in statuses]
    elif statuses == frozenset(ItemStatus):
        spans = [Span(run_id, low, low + most - 1) for run_id in run_ids]
        rows = await items.in_spans(connection, workspace_id, spans)
    else:
        rows = await _filtered(connection, workspace_id, run_ids, statuses, low, most)
    of_run: dict[UUID, list[Item]] = {run_id: [] for run_id in run_ids}
    for item in rows:
        of_run[item.run_id].append(item)
    return {
        run_id: Page[Item].of(
            found, request.first, lambda item: str(item.ordinal), _total(counted.get(run_id), statuses)
        )
        for run_id, found in of_run.items()
    }


async def _filtered(
    connection: AsyncConnection,
    workspace_id: UUID,
    run_ids: list[UUID],
    statuses: frozenset[ItemStatus],
    low: int,
    most: int,
) -> list[Item]:
    """Unfinished ones are read first: an item that is finished in between is then seen twice, but never missed."""
    found: dict[tuple[int, UUID], Item] = {}
    for kind, read in ((UNFINISHED, items.unfinished), (FINISHED, items.finished)):
        if some := sorted(statuses & kind):
            rows = await read(connection, workspace_id, run_ids, some, low, most)
            found |= {(item.ordinal, item.run_id): item for item in rows}
    return [found[place] for place in sorted(found)]


def _total(run: Run | None, statuses: frozenset[ItemStatus]) -> int | None:
    """How many items have one of the statuses, as far as the counters tell: they do not tell waiting items from those
    under way.
    """
    if run is None:
        return None
    counted = run.progress
    known = {
        ItemStatus.COMPLETED: counted.completed,
        ItemStatus.FAILED: counted.failed,
        ItemStatus.SKIPPED: counted.skipped,
        ItemStatus.CANCELLED: counted.cancelled,
    }
    total = sum(count for status, count in known.items() if status in statuses)
    open_statuses = statuses - known.keys()
    if not open_statuses or counted.pending == 0:
        return total
    return total + counted.pending if len(open_statuses) == len(ItemStatus) - len(known) else None


def _behind(request: PageRequest) -> int:
    """The first ordinal of the page."""
    if request.after is None:
        return 0
    if not request.after.isdecimal() or int(request.after[:11]) > LARGEST_ORDINAL:
        raise Invalid("This is not a cursor of this list.", path=("after",))
    return int(request.after) + 1
