"""How far imports are, watched by many."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace

import pytest
from counting import counting
from door import door

from weft.domain.access import Viewer
from weft.domain.ids import UUID
from weft.domain.imports import Import, ImportFormat, ImportStatus
from weft.operations import import_watching, imports
from weft.operations.entity_types import create_entity_type, delete_entity_type
from weft.operations.import_watching import watch_import
from weft.operations.imports import CreatedImport, NewImport
from weft.operations.services import Services
from weft.storage.database import Database

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
async def type_id(services: Services, viewer: Viewer) -> UUID:
    made = await create_entity_type(services, viewer, name="thing", description="", schema={"type": "object"})
    return made.id


@pytest.fixture
async def made(services: Services, viewer: Viewer, type_id: UUID) -> list[CreatedImport]:
    wanted = NewImport(type_id, ImportFormat.JSONL)
    return [await imports.create_import(services, viewer, wanted) for _ in range(2)]


async def send(services: Services, of: CreatedImport) -> None:
    async def stream() -> AsyncGenerator[bytes]:
        yield b'{"n":1}\n'

    await imports.receive_file(services, of.made.id, of.upload_url.rsplit("/", 1)[1], stream())


async def to_the_end(states: AsyncGenerator[Import]) -> list[ImportStatus]:
    async with asyncio.timeout(30):
        return [state.status async for state in states]


async def test_all_watched_imports_of_a_workspace_cost_one_statement_at_a_time(
    services: Services, viewer: Viewer, made: list[CreatedImport], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_watching, "WATCH_SECONDS", 0.02)
    async with AsyncExitStack() as watching:
        watched = [await watch_import(services, viewer, made[number % 2].made.id) for number in range(20)]
        for states in watched:
            await watching.enter_async_context(aclosing(states))
            assert (await anext(states)).status is ImportStatus.PENDING
        waiting = [asyncio.create_task(to_the_end(states)) for states in watched]
        statements: list[str] = []
        with counting(statements):
            loop = asyncio.get_running_loop()
            began = loop.time()
            await asyncio.sleep(0.5)
            looks = (loop.time() - began) / 0.02
        assert 1 <= len(statements) <= looks + 2
        for one in made:
            await send(services, one)
        assert {tuple(await ended)[-1] for ended in waiting} == {ImportStatus.COMPLETED}
    assert len(services.sources) == 0


async def test_a_watched_import_goes_on_after_an_outage(
    services: Services, viewer: Viewer, made: list[CreatedImport], database_url: str
) -> None:
    async with door(database_url) as postgres:
        behind = replace(services, database=Database.connect(postgres.url))
        ended = asyncio.create_task(to_the_end(await watch_import(behind, viewer, made[0].made.id)))
        await asyncio.sleep(0.3)
        await postgres.shut()
        await send(services, made[0])
        await asyncio.sleep(0.5)
        assert not ended.done()
        await postgres.open()
        assert (await ended)[-1] is ImportStatus.COMPLETED
        await behind.database.close()


async def test_a_watched_import_that_is_deleted_ends(
    services: Services, viewer: Viewer, made: list[CreatedImport], type_id: UUID
) -> None:
    ended = asyncio.create_task(to_the_end(await watch_import(services, viewer, made[0].made.id)))
    await asyncio.sleep(0)
    await delete_entity_type(services, viewer, type_id)
    assert await ended == [ImportStatus.PENDING]
    assert len(services.sources) == 0
