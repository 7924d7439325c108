"""A watcher of a run's events."""

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator
from contextlib import aclosing
from operator import attrgetter

from weft.domain.access import Role, Viewer
from weft.domain.errors import NotFound
from weft.domain.ids import UUID
from weft.kit.backoff import Backoff
from weft.kit.slices import Slices
from weft.operations.items import load_graphs
from weft.operations.run_events.asking import Asked, check
from weft.operations.run_events.events import RunEvent
from weft.operations.run_events.pages import EventPage, Source, deleted
from weft.operations.run_events.places import Place, beginning, place_in
from weft.operations.runs import get_run
from weft.operations.services import Services
from weft.storage.outage import note_outage, outage

PATIENCE_SECONDS = 30.0
"""How long a watcher who has to read waits for a database that is away."""


async def watch_events(
    services: Services, viewer: Viewer, run_id: UUID, after: str | None, asked: Asked | None = None
) -> AsyncGenerator[RunEvent]:
    """Behind the place `after`, or from the beginning; ends when the run is over and all is told. Close it when it is left
    early.

    It raises NotFound when the run is deleted meanwhile, and what the database raises when that is away for long: who
    comes back with the place of the last event goes on behind it.
    """
    viewer.need(Role.VIEWER)
    asked = asked or Asked()
    run = await get_run(services, viewer, run_id)
    (graph,) = await load_graphs(services, viewer, [run_id])
    if run is None or graph is None:
        raise NotFound(f"There is no run {run_id} in this workspace.", path=("runId",))
    check(asked, graph.graph)
    told = beginning(run_id) if after is None else place_in(after, run)
    return _Watcher(services, viewer, Source(run, graph, asked), told).events()


class _Watcher:
    def __init__(self, services: Services, viewer: Viewer, source: Source, told: Place) -> None:
        self._services = services
        self._viewer = viewer
        self._source = source
        self._told = told

    async def events(self) -> AsyncGenerator[RunEvent]:
        run, is_over, slices = self._source.run, False, Slices()
        with self._services.tails.joined((run.workspace_id, run.id, self._source.asked)) as tail:
            async with aclosing(self._services.progress.watch(run.progress)) as states:
                async for newest in states:
                    while self._told.complete < newest.revision:
                        page = await tail.behind(self._told, self._page)
                        for event in page.events[bisect_right(page.events, self._told, key=attrgetter("place")) :]:
                            yield event
                            await slices.breathe()
                        if page.end <= self._told:
                            break  # Postgres is behind what was published: it came back without its last commits
                        self._told = page.end
                    is_over = newest.status.is_terminal
        if not is_over and await get_run(self._services, self._viewer, run.id) is None:
            raise deleted()

    async def _page(self, begin: Place) -> EventPage:
        backoff, give_up_at = Backoff(first=0.1, longest=2.0), asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while True:
            try:
                async with self._services.database.snapshot() as connection:
                    return await self._source.page(connection, begin)
            except Exception as error:
                if outage(error) is None or asyncio.get_running_loop().time() > give_up_at:
                    raise
                note_outage(error)
            await asyncio.sleep(backoff.next())
