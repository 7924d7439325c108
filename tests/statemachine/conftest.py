"""Real runs in an event loop of their own: Hypothesis is synchronous, and the loop runs while a rule waits for it."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from engine.step_types import TEST_TYPES
from sqlalchemy import insert
from statemachine.postgres import PostgresRuns
from statemachine.way import STEPS

from weft.domain.access import Viewer
from weft.domain.catalogue import Catalogue
from weft.domain.ids import UUID, new_id
from weft.domain.workflow import Workflow
from weft.engine import recorder
from weft.engine.plans import PlanCache
from weft.operations.services import Services
from weft.operations.workflows import NewWorkflow, create_workflow
from weft.progress.channel import ProgressChannel
from weft.steps import discover
from weft.storage import tables
from weft.storage.database import Database

DEFINITION = {"steps": [{"id": step, "type": "test_counting", "dependsOn": list(of)} for step, of in STEPS.items()]}
"""Steps that wait, so that what they answered is worth a checkpoint."""


@pytest.fixture
def postgres(
    services: Services, viewer: Viewer, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PostgresRuns]:
    # A flush begins when a rule asks for it.
    monkeypatch.setattr(recorder, "FLUSH_INTERVAL", timedelta())
    catalogue = Catalogue([*discover(), *TEST_TYPES])
    with asyncio.Runner() as runner:
        mine = replace(
            services,
            database=Database.connect(database_url),
            catalogue=catalogue,
            plans=PlanCache(catalogue),
            channel=ProgressChannel(redis_url),
        )
        workflows = [runner.run(_workflow(mine, viewer, over_entities=over)) for over in (True, False)]
        yield PostgresRuns(runner, mine, viewer, *workflows)
        runner.run(mine.channel.close())
        runner.run(mine.database.close())


async def _workflow(services: Services, viewer: Viewer, *, over_entities: bool) -> Workflow:
    entity_type = await _entity_type(services, viewer) if over_entities else None
    return await create_workflow(services, viewer, NewWorkflow("test", DEFINITION, entity_type_id=entity_type))


async def _entity_type(services: Services, viewer: Viewer) -> UUID:
    type_id, anything = new_id(), dict[str, Any](type="object")
    async with services.database.transaction() as connection:
        await connection.execute(
            insert(tables.entity_type).values(
                id=type_id, workspace_id=viewer.workspace_id, name="thing", schema=anything
            )
        )
    return type_id
