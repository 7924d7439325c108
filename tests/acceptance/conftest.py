"""One whole system for all tests that harm no process: starting it takes longer than most of them."""

from collections.abc import AsyncIterator

import pytest
from acceptance.bad_input import Caller
from acceptance.system import System, running_system


@pytest.fixture(scope="session")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    async with running_system(tmp_path_factory.mktemp("system"), workers=1) as system:
        yield system


@pytest.fixture
def caller(system: System) -> Caller:
    """An ADMIN of the first workspace."""
    return Caller(system, system.key)
