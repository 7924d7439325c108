"""Watching through the operations, with Postgres as the truth."""

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta

import pytest
from progress.stored_runs import another, commit, remove, store

from weft.domain.access import Role, Viewer
from weft.domain.errors import NotFound
from weft.domain.ids import new_id
from weft.domain.progress import Progress, RunStatus, StepProgress
from weft.operations.progress import run_progress, wait_for_end, watch_run
from weft.operations.services import Services
from weft.storage import progress as stored
from weft.storage.database import Database

Later = Callable[[int], Progress]


async def watched(services: Services) -> None:
    while not services.progress.watchers:
        await asyncio.sleep(0)


async def test_progress_is_read_as_it_was_stored(services: Services, viewer: Viewer, started: Progress) -> None:
    state = replace(
        started,
        completed=3,
        failed=2,
        skipped=1,
        steps=(
            StepProgress("check", 3, 2, 1, 4, timedelta(seconds=1, microseconds=1)),
            StepProgress("notify", 0, 0, 6, 0, timedelta(0)),
        ),
    )
    waiting = replace(another(started), status=RunStatus.PENDING, started_at=None, steps=())
    await store(services.database, viewer, state, waiting)
    assert await run_progress(services, viewer, state.run_id) == state
    assert await run_progress(services, viewer, waiting.run_id) == waiting


async def test_one_query_finds_the_newer_states_and_the_runs_that_are_gone(
    database: Database, viewer: Viewer, started: Progress, later: Later
) -> None:
    same, newer, gone = started, another(later(5)), new_id()
    await store(database, viewer, same, newer)
    async with database.reading() as connection:
        found = await stored.newer(connection, {same.run_id: same.revision, newer.run_id: 4, gone: 0})
    assert found == {newer.run_id: newer, gone: None}


async def test_a_viewer_is_enough_to_watch(
    services: Services, viewer: Viewer, started: Progress, later: Later, ended: Progress
) -> None:
    await store(services.database, viewer, started)
    async with asyncio.timeout(10):
        states = await watch_run(services, replace(viewer, role=Role.VIEWER), started.run_id)
        async with aclosing(states):
            assert await anext(states) == started
            for state in (later(2), ended):
                await commit(services.database, state)
                await services.channel.publish(state)
                assert await anext(states) == state
            assert [state async for state in states] == []


@pytest.mark.parametrize("watch", [run_progress, watch_run])
async def test_a_run_of_another_workspace_is_not_found(
    services: Services, viewer: Viewer, stranger: Viewer, started: Progress, watch: Callable[..., object]
) -> None:
    await store(services.database, viewer, started)
    for asked in (started.run_id, new_id()):
        with pytest.raises(NotFound, match=str(asked)):
            await watch(services, stranger, asked)  # pyright: ignore[reportGeneralTypeIssues] - either is awaitable
        with pytest.raises(NotFound, match=str(asked)):
            await wait_for_end(services, stranger, asked, 1)
    assert services.progress.watchers == 0


async def test_waiting_for_the_end_returns_as_soon_as_it_is_published(
    services: Services, viewer: Viewer, started: Progress
) -> None:
    runs = [another(started) for _ in range(10)]
    await store(services.database, viewer, *runs)
    delays: list[float] = []
    for run in runs:
        waiting = asyncio.create_task(wait_for_end(services, viewer, run.run_id, 10))
        await watched(services)
        end = replace(run, status=RunStatus.COMPLETED_WITH_FAILURES, revision=2, failed=1)
        await commit(services.database, end)
        await services.channel.publish(end)
        published = time.monotonic()
        assert await waiting == end
        delays.append(time.monotonic() - published)
    assert sorted(delays)[3] < 0.02, "it should take a millisecond or two"


async def test_an_end_that_was_committed_but_never_published_is_found_within_seconds(
    services: Services, viewer: Viewer, started: Progress, ended: Progress
) -> None:
    await store(services.database, viewer, started)
    waiting = asyncio.create_task(wait_for_end(services, viewer, started.run_id, 10))
    await watched(services)
    await commit(services.database, ended)
    assert await waiting == ended


async def test_waiting_no_longer_returns_the_newest_state(
    services: Services, viewer: Viewer, started: Progress
) -> None:
    await store(services.database, viewer, started)
    assert await wait_for_end(services, viewer, started.run_id, 0.05) == started
    assert services.progress.watchers == 0


async def test_the_watchers_of_a_run_that_is_deleted_are_let_go(
    services: Services, viewer: Viewer, started: Progress
) -> None:
    await store(services.database, viewer, started)
    async with asyncio.timeout(10):
        states = await watch_run(services, viewer, started.run_id)
        assert await anext(states) == started
        await remove(services.database, started.run_id)
        assert [state async for state in states] == []
