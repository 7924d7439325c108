"""The rules of runs on Postgres, with the model beside it: after every rule both show the same."""

from collections import Counter

import pytest
from statemachine.callers import ENTITIES, FINISHER, WORKERS
from statemachine.postgres import PostgresRuns
from statemachine.profiles import MINUTES, explore
from statemachine.rules import RunsMachine

pytestmark = pytest.mark.timeout(MINUTES * 60)


def test_postgres_does_what_the_model_does_whatever_happens(postgres: PostgresRuns) -> None:
    met = Counter[str]()

    def machine() -> RunsMachine:
        postgres.empty(ENTITIES, (*WORKERS, FINISHER))
        return RunsMachine(met, postgres)

    explore(machine, rounds=4, rules=30)
    assert met["write behind a takeover"] > 0
