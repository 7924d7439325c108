"""Rounds of the router: whole or not at all, shared between routers and between workspaces, bounded."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import text
from triggers.routing import Routing

from weft.domain.access import Viewer
from weft.domain.ids import new_id
from weft.triggers.events import choosing, router

PAID = {"event": "order.paid"}


async def test_many_routers_at_once_start_each_match_exactly_once(routing: Routing) -> None:
    for number in range(3):
        await routing.workflow({**PAID, "filter": {"third": number}}, name=f"third {number}")
        await routing.workflow(PAID, name=f"all {number}")
    for number in range(300):
        await routing.emit("order.paid", third=number % 3)
    counts = await asyncio.gather(*(routing.route() for _ in range(4)))
    assert sum(counts) == 300
    assert len(await routing.runs()) == len(await routing.firings()) == 300 * 4


async def test_a_round_that_is_broken_off_has_done_nothing(routing: Routing) -> None:
    await routing.workflow(PAID)
    for _ in range(150):
        await routing.emit("order.paid")
    patience = 0.002
    async with asyncio.timeout(60):
        while await routing.rows("SELECT 1 FROM event WHERE handled_at IS NULL LIMIT 1"):
            try:
                async with asyncio.timeout(patience):
                    await routing.route()
            except TimeoutError:
                patience *= 1.1
    assert patience > 0.002
    started = await routing.rows("SELECT event_id, count(*) FROM run GROUP BY event_id")
    assert [row["count"] for row in started] == [1] * 150
    assert len(await routing.firings()) == 150


async def test_an_event_that_is_committed_late_is_not_passed_over(routing: Routing) -> None:
    await routing.workflow(PAID)
    late = new_id()
    async with routing.services.database.transaction() as connection:
        await connection.execute(
            text("INSERT INTO event (id, workspace_id, name, payload) VALUES (:id, :workspace_id, 'order.paid', '{}')"),
            {"id": late, "workspace_id": routing.viewer.workspace_id},
        )
        await routing.emit("order.paid")
        assert await routing.route() == 1
    assert await routing.route() == 1
    assert {run["event_id"] for run in await routing.runs()} >= {late}


async def test_a_flood_of_one_workspace_does_not_hold_up_another(routing: Routing, stranger: Viewer) -> None:
    elsewhere = replace(routing, viewer=stranger)
    for one in (routing, elsewhere):
        await one.workflow(PAID)
    await routing.do(
        "INSERT INTO event (workspace_id, name, payload) SELECT :workspace_id, 'order.paid', "
        "json_build_object('text', repeat('x', 200000)) FROM generate_series(1, 400)",
        workspace_id=routing.viewer.workspace_id,
    )
    await elsewhere.emit("order.paid")
    round_of_both = await routing.router().one_round()
    assert 0 < round_of_both.handled <= router.MOST_BYTES // 200_000 + 2
    runs = await routing.rows("SELECT workspace_id FROM run")
    assert {run["workspace_id"] for run in runs} == {routing.viewer.workspace_id, stranger.workspace_id}


@pytest.mark.parametrize("limit", ["ROUND_SECONDS", "MOST_CHOICES", "MOST_STORED_BYTES", "MOST_BYTES"])
async def test_events_that_each_take_a_whole_round_hold_up_no_other_workspace(
    routing: Routing, stranger: Viewer, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(router, limit, 1)
    monkeypatch.setattr(router, "ROUND_SECONDS", 0.0 if limit == "ROUND_SECONDS" else 60.0)
    elsewhere = replace(routing, viewer=stranger)
    for one in (routing, elsewhere):
        await one.workflow(PAID)
    for one in (routing, elsewhere, routing, elsewhere):
        for _ in range(5):
            await one.emit("order.paid")
    of_both = routing.router()
    for number in range(1, 11):
        assert (await of_both.one_round()).handled == 1
        handled = await routing.rows(
            "SELECT workspace_id, count(*) FROM event WHERE handled_at IS NOT NULL GROUP BY 1 ORDER BY 2"
        )
        counts = [row["count"] for row in handled]
        assert sum(counts) == number
        assert counts[-1] - (counts[0] if len(counts) > 1 else 0) <= 1


async def test_a_round_ends_when_it_has_started_enough(routing: Routing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(router, "MOST_CHOICES", 10)
    for number in range(4):
        await routing.workflow(PAID, name=f"w{number}")
    for _ in range(5):
        await routing.emit("order.paid")
    rounds = [await routing.router().one_round() for _ in range(3)]
    assert [(one.handled, one.started) for one in rounds] == [(3, 12), (2, 8), (0, 0)]


async def test_triggers_that_take_too_long_for_an_event_are_refused_and_the_event_is_done(
    routing: Routing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "LONGEST_SECONDS", -1.0)
    await routing.workflow(PAID)
    await routing.emit("order.paid")
    assert (await routing.route(), await routing.route()) == (1, 0)
    (firing,) = await routing.firings()
    assert (firing["outcome"], "had no turn" in firing["reason"]) == ("REFUSED", True)
