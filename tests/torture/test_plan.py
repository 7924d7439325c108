"""The plan of faults: the same for the same seed, and long enough to hold them all."""

from collections import Counter

from torture.faults import Kind, Scale, plan

SCALE = Scale()


def test_a_seed_gives_the_same_plan_again() -> None:
    assert plan(123, SCALE) == plan(123, SCALE)


def test_another_seed_gives_another_plan() -> None:
    assert plan(123, SCALE) != plan(124, SCALE)


def test_a_plan_of_two_minutes_does_everything_at_least_twice() -> None:
    for seed in range(100):
        counted = Counter(fault.kind for fault in plan(seed, SCALE))
        assert set(counted) == set(Kind)
        assert min(counted.values()) >= 2


def test_every_fault_comes_in_order_and_within_the_time() -> None:
    for seed in range(100):
        times = [fault.at for fault in plan(seed, SCALE)]
        assert times == sorted(times)
        assert times[-1] < SCALE.seconds


def test_a_worker_is_stopped_for_longer_than_its_lease() -> None:
    stops = [fault.seconds for seed in range(100) for fault in plan(seed, SCALE) if fault.kind is Kind.STOP_WORKER]
    assert min(stops) > SCALE.lease_seconds
