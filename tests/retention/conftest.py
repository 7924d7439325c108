import pytest
from retention.keeping import Keeping

from weft.domain.access import Viewer
from weft.operations.services import Services


@pytest.fixture
def keeping(services: Services, viewer: Viewer) -> Keeping:
    return Keeping(services, viewer)
