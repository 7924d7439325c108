import pytest
from triggers.routing import Routing
from triggers.scheduling import Scheduling, SetClock

from weft.domain.access import Viewer
from weft.operations.services import Services


@pytest.fixture
def routing(services: Services, viewer: Viewer) -> Routing:
    return Routing(services, viewer)


@pytest.fixture
def scheduling(services: Services, viewer: Viewer) -> Scheduling:
    return Scheduling(services, viewer, SetClock())
