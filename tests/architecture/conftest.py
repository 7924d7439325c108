"""The workspace that every field of the schema is tried on."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from architecture.belongings import Belongings

from weft.domain.access import Viewer
from weft.engine.outside import World
from weft.operations.services import Services

MARK = "of the first workspace"


@pytest.fixture
async def services(services: Services, tmp_path: Path) -> AsyncIterator[Services]:
    """With a folder for SQLite files, so that there is a datastore that can be reached."""
    options = replace(services.world._options, sqlite_folder=tmp_path / "sqlite")
    async with World(services.database, options) as world:
        yield replace(services, world=world)


@pytest.fixture
def first(services: Services, viewer: Viewer) -> Belongings:
    return Belongings(services, viewer, MARK)
