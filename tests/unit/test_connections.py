"""How connections are counted: by address, by key, in all, and how fast they may be opened."""

from contextlib import ExitStack
from uuid import uuid4

import pytest

from weft.domain.errors import RateLimited
from weft.graphql.connections import MOST_NETWORKS, ConnectionLimits, Connections, Floods

NOBODY = ConnectionLimits()


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_an_address_has_as_many_as_it_may_and_others_have_their_own() -> None:
    connections = Connections(ConnectionLimits(per_address=2))
    with connections.open("192.0.2.1"), connections.open("192.0.2.1") as second:
        with pytest.raises(RateLimited, match="This address has 2 connections"):
            connections.open("192.0.2.1")
        with connections.open("192.0.2.2"), connections.open(None), connections.open(None), connections.open(None):
            assert len(connections) == 6
        second.__exit__(None, None, None)
        with connections.open("192.0.2.1"):
            pass


def test_the_addresses_of_one_ipv6_network_count_as_one() -> None:
    connections = Connections(ConnectionLimits(per_address=1))
    with connections.open("2001:db8:1:2::1"), connections.open("2001:db8:1:3::1"), pytest.raises(RateLimited):
        connections.open("2001:db8:1:2:ffff::9")


def test_a_key_has_as_many_as_it_may_whenever_it_is_known() -> None:
    connections, key, other = Connections(ConnectionLimits(per_key=2)), uuid4(), uuid4()
    with connections.open("192.0.2.1", key), connections.open("192.0.2.2") as second:
        second.belongs_to(key)
        second.belongs_to(key)  # said again, it counts once
        with pytest.raises(RateLimited, match="This API key has 2 connections"):
            connections.open("192.0.2.3", key)
        with connections.open("192.0.2.3") as third, pytest.raises(RateLimited):
            third.belongs_to(key)
        with connections.open("192.0.2.3", other):
            pass
    with connections.open("192.0.2.3", key), connections.open("192.0.2.3", key):
        pass


def test_a_process_has_as_many_as_it_can_hold() -> None:
    connections = Connections(ConnectionLimits(in_all=2))
    first, second = connections.open("192.0.2.1"), connections.open("192.0.2.2")
    with first, second, pytest.raises(RateLimited, match="This process has as many"):
        connections.open("192.0.2.3")


def test_without_limits_everybody_is_let_in() -> None:
    connections, key = Connections(NOBODY), uuid4()
    with ExitStack() as stack:
        for _ in range(5_000):
            stack.enter_context(connections.open("192.0.2.1", key))
        assert len(connections) == 5_000
    assert len(connections) == 0


def test_all_of_an_address_come_back_at_once_and_a_flood_is_told_apart() -> None:
    clock = Clock()
    connections = Connections(ConnectionLimits(per_address=100), clock)
    for _ in range(220):
        with connections.open("192.0.2.1"):
            pass
    with pytest.raises(Floods) as flood:
        connections.open("192.0.2.1")
    with connections.open("192.0.2.2"):
        pass
    clock.now += flood.value.retry_after_seconds
    with connections.open("192.0.2.1"):
        pass
    with pytest.raises(Floods):
        connections.open("192.0.2.1")


def test_what_is_refused_because_of_its_number_is_part_of_a_flood() -> None:
    """Else who has all that he may would have each further handshake completed for him."""
    connections, refusals = Connections(ConnectionLimits(per_address=10), Clock()), list[type[Exception]]()
    with ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(connections.open("192.0.2.1"))
        for _ in range(100):
            with pytest.raises(RateLimited) as refused:
                connections.open("192.0.2.1")
            refusals.append(refused.type)
    assert refusals == [RateLimited] * 30 + [Floods] * 70


def test_nothing_is_kept_of_those_who_left() -> None:
    connections = Connections(ConnectionLimits(in_all=9, per_address=9, per_key=9))
    for number in range(2 * MOST_NETWORKS):
        with connections.open(f"192.0.{number >> 8}.{number & 255}", uuid4()):
            pass
    kept = vars(connections)
    assert len(connections) == 0
    assert not kept["_of_network"]
    assert not kept["_of_key"]
    assert len(kept["_till"]) == MOST_NETWORKS


def test_when_the_process_stops_all_are_told_and_nobody_is_let_in() -> None:
    connections, told = Connections(NOBODY), list[str]()
    with (
        connections.open("192.0.2.1") as first,
        connections.open("192.0.2.2") as second,
        connections.open(None) as late,
    ):
        first.on_restart(lambda: told.append("first"))
        second.on_restart(lambda: told.append("second"))
        connections.restart()
        assert sorted(told) == ["first", "second"]
        late.on_restart(lambda: told.append("late"))  # it was just being opened
        assert told[2:] == ["late"]
        with pytest.raises(RateLimited, match="This process is stopping"):
            connections.open("192.0.2.3")
