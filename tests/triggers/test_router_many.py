"""Events that are for many workflows, triggers that take long: rounds stay small, and nothing is lost or done twice."""

import asyncio
import time
from datetime import timedelta

import pytest
from triggers.routing import Routing
from triggers.test_router import entities

from weft.domain.trigger import Trigger
from weft.kit.slices import Slices
from weft.storage.connections import StatementLimits
from weft.storage.database import Database
from weft.storage.listeners import listeners_of
from weft.triggers.events import choosing, router
from weft.triggers.events.choosing import Start, choose
from weft.triggers.events.matchers import MatcherCache
from weft.triggers.events.matching import Matcher
from weft.triggers.events.router import EventRouter

PAID = {"event": "order.paid"}


async def test_an_event_for_many_workflows_takes_several_rounds(
    routing: Routing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(router, "MOST_CHOICES", 3)
    for number in range(8):
        await routing.workflow(PAID, name=f"w{number}")
    await routing.emit("order.paid")
    await routing.emit("order.paid")
    one = routing.router()
    rounds = [await one.one_round() for _ in range(6)]
    assert [(done.handled, done.started) for done in rounds] == [(0, 3), (0, 3), (1, 5), (0, 3), (1, 2), (0, 0)]
    assert len({(run["event_id"], run["workflow_id"]) for run in await routing.runs()}) == 16


@pytest.mark.parametrize("limit", ["MOST_CHOICES", "MOST_WORKFLOWS", "MOST_STORED_BYTES", "ROUND_SECONDS"])
async def test_routers_that_know_nothing_of_each_other_start_each_of_many_workflows_once(
    routing: Routing, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(router, limit, 2 if limit.startswith("MOST") else 0.0)
    for number in range(7):
        await routing.workflow(PAID, name=f"w{number}")
    await routing.emit("order.paid")
    one, other = routing.router(), routing.router()
    rounds = [await turn.one_round() for turn in [one, other] * 8]
    assert sum(done.handled for done in rounds) == 1
    assert max(done.started for done in rounds) <= 2
    runs = await routing.runs()
    assert (len(runs), len({run["workflow_id"] for run in runs})) == (7, 7)
    assert len(await routing.firings()) == 7


async def test_an_event_that_none_of_many_workflows_wants_is_done(
    routing: Routing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(router, "MOST_WORKFLOWS", 2)
    for number in range(5):
        await routing.workflow({**PAID, "filter": {"kind": "book"}}, name=f"w{number}")
    await routing.emit("order.paid", kind="pen")
    assert (await routing.route(), await routing.runs(), await routing.firings()) == (1, [], [])


async def test_events_that_others_listen_for_wait_for_the_next_round(
    routing: Routing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(router, "MOST_WORKFLOWS", 3)
    for number in range(3):
        for name in ("order.paid", "order.sent"):
            await routing.workflow({"event": name}, name=f"{name} {number}")
    for name in ("order.paid", "order.lost", "order.sent", "order.paid"):
        await routing.emit(name)
    assert await routing.route() == 3
    assert len({(run["event_id"], run["workflow_id"]) for run in await routing.runs()}) == 9
    assert await routing.rows("SELECT 1 FROM event WHERE handled_at IS NULL") == []


async def test_entities_of_other_types_are_not_for_a_workflow_and_leave_no_firings(routing: Routing) -> None:
    type_id, _ = await entities(routing)
    workflow = await routing.workflow({"event": "entity.created"}, entity_type_id=type_id)
    await routing.workflow(
        {"event": "entity.created", "input": {"entityId": "payload.entityId"}}, entity_type_id=type_id
    )
    await entities(routing, 1, name="other")
    assert await routing.route() == 1
    (refused,) = await routing.firings()
    assert (refused["outcome"], refused["workflow_id"] == workflow.id) == ("REFUSED", False)


class Busy(Slices):
    """Others take a while, whenever they have their turn."""

    async def breathe(self) -> None:
        until = time.thread_time() + 0.05
        while time.thread_time() < until:
            await asyncio.sleep(0)


async def test_what_others_do_meanwhile_is_not_counted_as_time_of_the_triggers(
    routing: Routing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "LONGEST_SECONDS", 0.1)
    never = {**PAID, "filter": {"kind": "pen"}}
    await routing.workflow(*(never | {"name": f"never {number}"} for number in range(9)), PAID)
    event = await routing.emit("order.paid", kind="book")
    async with routing.services.database.transaction() as connection:
        found = (await listeners_of(connection, [event], {}, 100)).of(event)
    assert found is not None
    chosen = await choose(event, found.workflows[0], MatcherCache(), Busy())
    assert chosen is not None
    assert isinstance(chosen.comes_to, Start)


class SlowMatchers(MatcherCache):
    def get(self, trigger: Trigger) -> Matcher:
        time.sleep(0.05)
        return super().get(trigger)


async def test_a_round_that_computes_for_long_keeps_its_transaction(
    routing: Routing, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(router, "SILENT_SECONDS", 0.1)
    never = {**PAID, "filter": {"kind": "pen"}}
    await routing.workflow(*(never | {"name": f"never {number}"} for number in range(19)), PAID)
    await routing.emit("order.paid", kind="book")
    limits = StatementLimits(timedelta(seconds=30), standing_still=timedelta(seconds=0.6))
    database = Database.connect(database_url, limits=limits)
    try:
        one = EventRouter(database, routing.services.plans, lambda: None, _matchers=SlowMatchers())
        assert await one.run_once() == 1
    finally:
        await database.close()
    assert len(await routing.runs()) == 1
