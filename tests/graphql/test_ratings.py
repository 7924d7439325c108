"""What the users of workflows think of them, how often they use them, and lists that are sorted by it."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from asking import ask, ask_anything
from sharing import COPY, LIST, change, copy, make, names, rate
from sqlalchemy import text
from workers import working

from weft.domain.access import Role, Viewer
from weft.domain.ids import UUID, new_id
from weft.domain.sharing import WorkflowStats
from weft.graphql.nodes import decode_id
from weft.operations import keys
from weft.operations.run_starts import StartRun, start_run
from weft.operations.services import Services
from weft.operations.sharing import rate_workflow

ORDERS = ("CREATED_AT", "NAME", "USAGE_COUNT", "RATING", "LAST_RUN_AT")


def with_other_keys(viewer: Viewer, count: int) -> list[Viewer]:
    return [replace(viewer, key_id=new_id(), role=Role.VIEWER) for _ in range(count)]


async def test_a_rating_is_the_average_of_one_from_each_key_and_is_changed_at_will(
    services: Services, viewer: Viewer, stranger: Viewer
) -> None:
    workflow_id = await make(services, viewer)
    given = await rate(services, viewer, workflow_id, 5)
    assert given["workflow"] == {"rating": 5.0, "ratingCount": 1, "myRating": 5}
    given = await rate(services, stranger, workflow_id, 2)
    assert given["workflow"] == {"rating": 3.5, "ratingCount": 2, "myRating": 2}
    given = await rate(services, stranger, workflow_id, 4)
    assert given["workflow"] == {"rating": 4.5, "ratingCount": 2, "myRating": 4}
    given = await rate(services, viewer, workflow_id, None)
    assert given["workflow"] == {"rating": 4.0, "ratingCount": 1, "myRating": None}
    assert await rate(services, viewer, workflow_id, None) == given
    given = await rate(services, stranger, workflow_id, None)
    assert given["workflow"] == {"rating": None, "ratingCount": 0, "myRating": None}


@pytest.mark.parametrize(
    ("ratings", "shown"), [([4, 4, 4, 5], 4.3), ([1, 1, 2], 1.3), ([5, 5, 4], 4.7), ([3], 3.0), ([1] * 19 + [2], 1.1)]
)
def test_the_average_is_rounded_from_the_exact_sum(ratings: Sequence[int], shown: float) -> None:
    assert WorkflowStats(ratings=len(ratings), stars=sum(ratings)).rating == shown


async def test_what_cannot_be_rated_is_told(services: Services, viewer: Viewer, stranger: Viewer) -> None:
    public, private = await make(services, viewer), await make(services, viewer, public=False)
    for rating in (0, 6):
        assert (await rate(services, viewer, public, rating))["errors"] == [
            {"code": "INVALID", "path": ["input", "rating"]}
        ]
    unsaid = "mutation ($id: ID!) { rateWorkflow(input: {id: $id}) { errors { code path } } }"
    assert (await ask(services, viewer, unsaid, id=public))["rateWorkflow"]["errors"] == [
        {"code": "INVALID", "path": ["input", "rating"]}
    ]
    assert (await rate(services, viewer, private, 5))["errors"] == []
    assert (await rate(services, stranger, private, 5))["errors"] == [{"code": "NOT_FOUND", "path": ["input", "id"]}]
    await change(services, viewer, public, public=False)
    assert (await rate(services, stranger, public, 5))["errors"] == [{"code": "NOT_FOUND", "path": ["input", "id"]}]


async def test_viewers_rate_and_only_editors_copy(services: Services, viewer: Viewer) -> None:
    workflow_id = await make(services, viewer)
    assert (await rate(services, replace(viewer, role=Role.VIEWER), workflow_id, 3))["errors"] == []
    runner = replace(viewer, role=Role.RUNNER)
    _, errors = await ask_anything(services, runner, COPY, input={"id": workflow_id})
    assert errors[0]["extensions"]["code"] == "FORBIDDEN"


async def test_what_a_key_gave_stays_when_it_is_revoked(services: Services, viewer: Viewer) -> None:
    workflow_id = await make(services, viewer)
    made = await keys.create_api_key(services, viewer, name="for a while", role=Role.VIEWER)
    rater = replace(viewer, key_id=made.api_key.id, role=Role.VIEWER)
    await rate(services, rater, workflow_id, 2)
    await keys.revoke_api_key(services, viewer, made.api_key.id)
    assert (await rate(services, viewer, workflow_id, 5))["workflow"]["rating"] == 3.5


async def test_ratings_of_many_at_once_add_up(services: Services, viewer: Viewer, stranger: Viewer) -> None:
    workflow_id = UUID(decode_id(await make(services, viewer))[1])
    chance = random.Random(7)
    raters = [*with_other_keys(viewer, 4), *with_other_keys(stranger, 4)]

    async def change_mind(rater: Viewer) -> None:
        for _ in range(15):
            await rate_workflow(services, rater, workflow_id, chance.choice([None, 1, 2, 3, 4, 5]))

    # Each of them from two places.
    await asyncio.gather(*(change_mind(rater) for rater in raters * 2))
    async with services.database.reading() as connection:
        counted = (await connection.execute(text("SELECT sum(ratings), sum(stars) FROM workflow_stats"))).one()
        given = (await connection.execute(text("SELECT count(*), coalesce(sum(rating), 0) FROM workflow_rating"))).one()
    assert tuple(counted) == tuple(given)


async def test_a_workflow_is_used_when_it_is_run_and_when_it_is_copied(
    services: Services, viewer: Viewer, stranger: Viewer
) -> None:
    workflow_id = await make(services, viewer)
    for number in range(3):
        await run(services, viewer, workflow_id, {"number": number})
    copied = (await copy(services, stranger, workflow_id))["workflow"]["id"]
    await copy(services, viewer, workflow_id)
    await run(services, stranger, copied, {})
    document = "query ($id: ID!) { workflow(id: $id) { usageCount stats { runsTotal averageDurationMs } } }"
    for caller in (viewer, stranger):
        used = (await ask(services, caller, document, id=workflow_id))["workflow"]
        assert used == {"usageCount": 5, "stats": {"runsTotal": 3, "averageDurationMs": None}}
    assert (await ask(services, stranger, document, id=copied))["workflow"]["usageCount"] == 1


async def run(services: Services, viewer: Viewer, workflow_id: str, given: Any) -> None:
    await start_run(services, viewer, StartRun(UUID(decode_id(workflow_id)[1]), input=given))


async def test_lists_are_sorted_by_each_order_and_paged_in_both_directions(
    services: Services, viewer: Viewer, stranger: Viewer
) -> None:
    made = {name: await make(services, viewer, name) for name in ("pear", "Apple", "cherry", "banana", "apple")}
    for name, runs in {"cherry": 2, "apple": 1}.items():
        for _ in range(runs):
            await run(services, viewer, made[name], {})
    for name, ratings in {"pear": [5, 4], "banana": [4, 5], "Apple": [1]}.items():
        for rater, rating in zip(with_other_keys(viewer, 2), ratings, strict=False):
            await rate(services, rater, made[name], rating)
    for order in ORDERS:
        for public in (True, None):
            up = await names(services, viewer, filter={"public": public}, orderBy={"field": order, "direction": "ASC"})
            assert sorted(up) == sorted(made)
            down = await by_pages(
                services, viewer, filter={"public": public}, orderBy={"field": order, "direction": "DESC"}
            )
            assert down == up[::-1], order

    async def top(field: str) -> list[str]:
        return await names(services, viewer, orderBy={"field": field})

    assert await top("CREATED_AT") == ["apple", "banana", "cherry", "Apple", "pear"] == await names(services, viewer)
    assert await top("NAME") == ["Apple", "apple", "banana", "cherry", "pear"]
    assert (await top("USAGE_COUNT"))[:3] == ["cherry", "apple", "banana"]
    assert (await top("RATING"))[:3] == ["banana", "pear", "Apple"]
    assert (await top("LAST_RUN_AT"))[:3] == ["apple", "cherry", "banana"]
    # When others run theirs is their own affair.
    unknown = {"filter": {"public": True}, "orderBy": {"field": "LAST_RUN_AT"}}
    assert await names(services, stranger, **unknown) == await names(services, stranger, filter={"public": True})


async def by_pages(services: Services, viewer: Viewer, **variables: Any) -> list[str]:
    found: list[str] = []
    page: dict[str, Any] = {"pageInfo": {"hasNextPage": True, "endCursor": None}}
    while page["pageInfo"]["hasNextPage"]:
        after = page["pageInfo"]["endCursor"]
        page = (await ask(services, viewer, LIST, first=2, after=after, **variables))["workflows"]
        assert page["totalCount"] == 5
        found += [node["name"] for node in page["nodes"]]
    return found


async def test_a_cursor_of_a_list_that_is_sorted_otherwise_is_refused(services: Services, viewer: Viewer) -> None:
    for number in range(2):
        await make(services, viewer, f"{number}")
    for order in ORDERS:
        page = (await ask(services, viewer, LIST, first=1, orderBy={"field": order}))["workflows"]
        for other in set(ORDERS) - {order}:
            after = page["pageInfo"]["endCursor"]
            _, errors = await ask_anything(services, viewer, LIST, after=after, orderBy={"field": other})
            assert (errors[0]["extensions"]["code"], errors[0]["message"]) == (
                "INVALID",
                "This is not a cursor of this list.",
            )


async def test_categories_are_counted_as_the_list_shows_them(
    services: Services, viewer: Viewer, stranger: Viewer
) -> None:
    for category, public in [("billing", True), ("billing", False), ("mail", True), (None, True)]:
        await make(services, viewer, category=category, public=public)
    await make(services, stranger, category="mail")
    await make(services, stranger, category="film", status="DRAFT")

    async def counts(caller: Viewer, **variables: Any) -> dict[str, int]:
        document = """query ($first: Int! = 100, $filter: WorkflowFilterInput) {
            workflowCategories(first: $first, filter: $filter) { name count } }"""
        found = (await ask(services, caller, document, **variables))["workflowCategories"]
        return {one["name"]: one["count"] for one in found}

    assert await counts(viewer) == {"billing": 2, "mail": 1}
    assert await counts(viewer, filter={"public": True}) == {"mail": 2, "billing": 1}
    assert await counts(viewer, filter={"public": True}, first=1) == {"mail": 2}
    assert await counts(stranger, filter={"status": "DRAFT"}) == {"film": 1}


async def test_statistics_are_shown_with_the_workflow(services: Services, viewer: Viewer) -> None:
    workflow_id = await make(services, viewer)
    uuid = UUID(decode_id(workflow_id)[1])
    async with working(services) as served:
        for _ in range(2):
            await start_run(served, viewer, StartRun(uuid, input={}, wait=timedelta(seconds=20)))
    document = """query ($id: ID!) { workflow(id: $id) { runs { nodes { durationMs } }
        stats { runsTotal runsSuccessful runsFailed runsCancelled averageDurationMs } } }"""
    shown = (await ask(services, viewer, document, id=workflow_id))["workflow"]
    durations = [one["durationMs"] for one in shown["runs"]["nodes"]]
    assert shown["stats"].pop("averageDurationMs") == pytest.approx(sum(durations) / 2, abs=0.001)
    assert shown["stats"] == {"runsTotal": 2, "runsSuccessful": 2, "runsFailed": 0, "runsCancelled": 0}
