"""Two things at the same moment, many times over: Postgres lets them come out as one after the other."""

import random
from collections import Counter

import pytest
from statemachine.callers import ENTITIES, FINISHER, WORKERS
from statemachine.postgres import PostgresRuns
from statemachine.profiles import MINUTES, THOROUGH
from statemachine.races import Change, Claim, Flush, Happening, race
from statemachine.records import LEASE, Ended
from statemachine.rules import RunsMachine
from statemachine.way import Deed

pytestmark = pytest.mark.timeout(MINUTES * 60)

HISTORIES = 500 if THOROUGH else 4
RACES = 12
DELAYS = [step * 0.0005 for step in range(12)] * (10 if THOROUGH else 1)
"""Seconds that the second comes later: over the length of a flush, so that it meets each of its statements."""
DEEDS = [Deed.COMPLETE_ALL, Deed.COMPLETE_ALL, Deed.COMPLETE, Deed.FAIL, Deed.SKIP_ALL, Deed.PUBLISH, Deed.STOP_RUN]


def _prepare(machine: RunsMachine, chance: random.Random) -> None:
    """Something to race for: a run, held batches with answers, leases that have run out."""
    if all(run.is_over for run in machine.model.runs):
        machine._start_over(ENTITIES, chance.choice([None, 10, 3, 1]), 0)
    for run in machine.model.runs:
        if run.status == "PAUSED" and chance.random() < 0.5:
            machine.change(run.index, "resume")
    for worker in WORKERS:
        held = list(machine.model.workers[worker].values()) or [machine._claim(worker, 0)]
        for one in held:
            if one is not None:
                machine._work(worker, one, chance.choices(DEEDS, k=chance.randrange(4)))
    if chance.random() < 0.4:
        machine._jump(LEASE + 1)


def _happening(machine: RunsMachine, chance: random.Random) -> Happening:
    worker, runs = chance.choice(WORKERS), machine.model.runs
    mine = list(machine.model.workers[worker].values())
    if mine and chance.random() < 0.6:
        held = chance.choice(mine)
        return Flush(worker, held.run, Ended(held.lease, 0) if chance.random() < 0.4 else None)
    if chance.random() < 0.5:
        return Claim(worker)
    return Change(runs[-1].index, chance.choice(["pause", "resume", "cancel"]))


def _machine(postgres: PostgresRuns) -> RunsMachine:
    postgres.empty(ENTITIES, (*WORKERS, FINISHER))
    return RunsMachine(Counter(), postgres)


def test_two_workers_that_store_the_last_items_at_once_end_the_run(postgres: PostgresRuns) -> None:
    for _ in DELAYS:
        machine = _machine(postgres)
        run = machine._start_over(ENTITIES, None, 0)
        flushes: list[Flush] = []
        for worker in WORKERS[:2]:
            held = machine._claim(worker, 0)
            assert held is not None
            machine._work(worker, held, [Deed.COMPLETE_ALL] * len(held.ways))
            flushes.append(Flush(worker, run, Ended(held.lease, 0)))
        assert race(machine.model, postgres, flushes[0], flushes[1], 0).runs[run].status == "COMPLETED"


def test_two_workers_that_claim_at_once_keep_to_the_limit(postgres: PostgresRuns) -> None:
    for _ in DELAYS:
        machine = _machine(postgres)
        run = machine._start_over(ENTITIES, 1, 0)
        after = race(machine.model, postgres, Claim(WORKERS[0]), Claim(WORKERS[1]), 0)
        assert sum(batch.holder is not None for batch in after.runs[run].batches) == 1


def test_a_run_that_is_cancelled_while_items_are_stored_counts_them_or_leaves_them_out(postgres: PostgresRuns) -> None:
    for delay in DELAYS:
        machine = _machine(postgres)
        run = machine._start_over(ENTITIES, None, 0)
        held = machine._claim(WORKERS[0], 0)
        assert held is not None
        machine._work(WORKERS[0], held, [Deed.COMPLETE_ALL, Deed.PUBLISH, Deed.COMPLETE_ALL])
        after = race(machine.model, postgres, Flush(WORKERS[0], run, None), Change(run, "cancel"), delay)
        assert after.runs[run].status == "CANCELLED"


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_two_things_at_once_come_out_as_one_after_the_other(postgres: PostgresRuns, seed: int) -> None:
    chance = random.Random(seed)
    machine = _machine(postgres)
    for _ in range(RACES):
        _prepare(machine, chance)
        first = _happening(machine, chance)
        second = _happening(machine, chance)
        if (
            isinstance(first, Flush)
            and isinstance(second, Flush)
            and (first.worker, first.run) == (second.worker, second.run)
        ):
            continue  # a worker never has two flushes of a run under way
        machine.model = race(machine.model, postgres, first, second, chance.choice(DELAYS))
        machine.promises.check(machine.model)
    machine.teardown()
