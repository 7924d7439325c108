"""Watching how far imports are: the newest states, looked up for all watchers of a workspace together.

Redis tells nothing of imports: they have few watchers, and change twice a second at most.
"""

from collections.abc import AsyncGenerator

from weft.domain.access import Viewer
from weft.domain.errors import NotFound
from weft.domain.ids import UUID
from weft.domain.imports import Import
from weft.kit.conflate import Latest
from weft.operations.imports import find_import
from weft.operations.looks import Looks
from weft.operations.services import Services
from weft.storage import imports

WATCH_SECONDS = 0.2
"""Between two looks at the watched imports."""


async def watch_import(services: Services, viewer: Viewer, import_id: UUID) -> AsyncGenerator[Import]:
    """The import now, then its newest state as it changes, the terminal one last. It ends early only when the import is
    deleted.
    """
    state = await find_import(services, viewer, import_id)
    if state is None:
        raise NotFound("There is no such import in this workspace.", path=("importId",))
    return _states(services, state)


async def _states(services: Services, state: Import) -> AsyncGenerator[Import]:
    yield state
    if state.status.is_terminal:
        return
    key = ("imports", state.workspace_id)
    with services.sources.joined(key, lambda: _ImportSource(services, state.workspace_id)) as source:
        watcher = source.join(state.id)
        try:
            async for newest in watcher:
                # The status of an upload that fell silent is not written by anybody.
                if newest.revision < state.revision or (newest.revision, newest.status) == (
                    state.revision,
                    state.status,
                ):
                    continue
                state = newest
                yield state
                if state.status.is_terminal:
                    return
            source.raise_failure()
        finally:
            source.leave(state.id, watcher)


class _ImportSource:
    """Of the imports of a workspace that somebody watches: one statement for all of them."""

    def __init__(self, services: Services, workspace_id: UUID) -> None:
        self._services = services
        self._workspace_id = workspace_id
        self._looks = Looks(self._look, self._fail, WATCH_SECONDS)
        self._watchers: dict[UUID, set[Latest[Import]]] = {}
        self._failure: Exception | None = None

    def begin(self) -> None:
        self._looks.begin()

    def end(self) -> None:
        self._looks.end()

    def join(self, import_id: UUID) -> Latest[Import]:
        watcher = Latest[Import]()
        self._watchers.setdefault(import_id, set()).add(watcher)
        if self._failure is not None:
            watcher.close()
        return watcher

    def leave(self, import_id: UUID, watcher: Latest[Import]) -> None:
        self._watchers[import_id].discard(watcher)
        if not self._watchers[import_id]:
            del self._watchers[import_id]

    def raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    async def _look(self) -> bool:
        asked = {import_id: set(watchers) for import_id, watchers in self._watchers.items()}
        async with self._services.database.reading() as connection:
            found = await imports.imports_by_id(connection, self._workspace_id, list(asked))
        for import_id, watchers in asked.items():
            state = found.get(import_id)
            for watcher in watchers:
                if state is None:  # deleted, with its entity type
                    watcher.close()
                else:
                    watcher.put(state)
        return bool(found)

    def _fail(self, error: Exception) -> None:
        self._failure = error
        for watchers in self._watchers.values():
            for watcher in watchers:
                watcher.close()
