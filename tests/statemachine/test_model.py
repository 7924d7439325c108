"""The rules of runs on the model alone: what the design promises is possible, and holds in many histories."""

from collections import Counter

import pytest
from statemachine.profiles import MINUTES, SITUATIONS, explore
from statemachine.rules import RunsMachine

pytestmark = pytest.mark.timeout(MINUTES * 60)


def test_the_model_keeps_its_promises_whatever_happens() -> None:
    met = Counter[str]()
    explore(lambda: RunsMachine(met), rounds=12, rules=40)
    assert set(+met) == SITUATIONS
