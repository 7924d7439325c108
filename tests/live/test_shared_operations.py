"""Subscriptions of web pages: what is shared, what is not, and that nothing of it can be told from outside."""

import asyncio
import random
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest
from live.conftest import QUERY, Endpoint, Page
from progress import states
from progress.stored_runs import store

from weft.domain.access import Role, Viewer
from weft.domain.progress import Progress
from weft.graphql.connections import ConnectionLimits, Connections
from weft.graphql.context import Context
from weft.graphql.live.registry import Asked
from weft.graphql.nodes import encode_id
from weft.operations.keys import create_first_key, revoke_api_key
from weft.operations.services import Services


async def test_all_who_watch_a_run_in_the_same_words_share_one_execution(
    endpoint: Endpoint, key: str, viewer: Viewer, run: Progress
) -> None:
    other = (await endpoint.key(viewer)).text
    async with endpoint.page(key) as page, endpoint.page(other) as second:
        for watching, operation_id in ((page, "a"), (page, "b"), (second, '"\u00fc"')):
            await watching.subscribe(operation_id, run)
            assert await watching.revision() == (operation_id, 1)
        assert (endpoint.view.shared.executions, endpoint.view.shared.watchers) == (1, 3)
        assert endpoint.services.progress.watchers == 1
        await endpoint.tell(states.later(run, 2))
        assert {await page.revision(), await page.revision()} == {("a", 2), ("b", 2)}
        assert await second.revision() == ('"\u00fc"', 2)
        await endpoint.tell(states.ended(run))
        for watching, ids in ((page, ("a", "b")), (second, ('"\u00fc"',))):
            messages = [await watching.next() for _ in range(2 * len(ids))]
            for operation_id in ids:
                of_it = [message["type"] for message in messages if message["id"] == operation_id]
                assert of_it == ["next", "complete"]
        await page.subscribe("a", run)  # an id may be used again after its end
        assert await page.revision() == ("a", 1_000)
        assert (await page.next())["type"] == "complete"
    await endpoint.nothing_left()


@pytest.mark.parametrize(
    "other",
    [
        "subscription ($runId: ID!) { runProgress(runId: $runId) { revision } }",
        "subscription ($runId: ID!) {  runProgress(runId: $runId) { status revision } }",
        "subscription Named($runId: ID!) { runProgress(runId: $runId) { status revision } }",
    ],
)
async def test_other_words_are_another_execution(endpoint: Endpoint, key: str, run: Progress, other: str) -> None:
    async with endpoint.page(key) as page:
        await page.subscribe("a", run)
        await page.subscribe("b", run, other)
        assert {await page.revision(), await page.revision()} == {("a", 1), ("b", 1)}
        assert endpoint.view.shared.executions == 2


async def test_another_role_and_another_workspace_share_nothing(
    endpoint: Endpoint, key: str, viewer: Viewer, run: Progress
) -> None:
    admin = (await endpoint.key(viewer, Role.ADMIN)).text
    stranger = await create_first_key(
        endpoint.services.database,
        endpoint.services.secret_key,
        workspace="elsewhere",
        name="stranger",
        role=Role.VIEWER,
        actor="tests",
    )
    async with endpoint.page(key) as page, endpoint.page(admin) as other, endpoint.page(stranger.text) as elsewhere:
        await page.subscribe("a", run)
        await other.subscribe("a", run)
        assert (await page.revision(), await other.revision()) == (("a", 1), ("a", 1))
        assert endpoint.view.shared.executions == 2
        await elsewhere.subscribe("a", run)  # the same words and variables, while others watch the run
        refused = await elsewhere.next()
        assert "There is no run" in str(refused), refused
        await endpoint.tell(states.later(run, 2))
        assert (await page.revision(), await other.revision()) == (("a", 2), ("a", 2))


async def test_a_key_that_is_revoked_takes_its_own_watchers_along_and_nobody_elses(
    endpoint: Endpoint, key: str, viewer: Viewer, run: Progress
) -> None:
    revoked = await endpoint.key(viewer)
    async with endpoint.page(key) as page, endpoint.page(revoked.text) as closing:
        for watching in (page, closing):
            await watching.subscribe("a", run)
            assert await watching.revision() == ("a", 1)
        assert endpoint.view.shared.watchers == 2
        await revoke_api_key(endpoint.services, viewer, revoked.api_key.id)
        assert (await closing.next())["type"] == "error"
        closed = await closing.socket.receive(timeout=20)
        assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, 4403)
        assert endpoint.view.shared.watchers == 1
        await endpoint.tell(states.later(run, 2))
        assert await page.revision() == ("a", 2)


async def test_an_event_stream_shares_with_websockets(endpoint: Endpoint, key: str, run: Progress) -> None:
    headers = {"Authorization": f"Bearer {key}", "Accept": "text/event-stream"}
    body = {"query": QUERY, "variables": {"runId": encode_id("Run", run.run_id)}}
    async with endpoint.page(key) as page:
        await page.subscribe("a", run)
        assert await page.revision() == ("a", 1)
        async with endpoint.session.post(endpoint.url, json=body, headers=headers) as response:
            async with asyncio.timeout(20):
                while endpoint.view.shared.watchers < 2:
                    await asyncio.sleep(0.01)
            assert endpoint.view.shared.executions == 1
            await endpoint.tell(states.ended(run))
            text = await response.text()
        assert '"revision":1000' in text.replace(" ", "")
        assert "event: complete" in text
    await endpoint.nothing_left()


async def test_an_event_stream_that_is_refused_or_left_before_it_begins_leaves_nothing_behind(
    endpoint: Endpoint, viewer: Viewer, key: str, run: Progress
) -> None:
    endpoint.view.connections = Connections(ConnectionLimits(per_key=1))
    headers = {"Authorization": f"Bearer {key}", "Accept": "text/event-stream"}
    variables = {"runId": encode_id("Run", run.run_id)}
    body = {"query": QUERY, "variables": variables}
    async with endpoint.page(key), endpoint.session.post(endpoint.url, json=body, headers=headers) as refused:
        assert refused.status == 429
    asked = Asked(QUERY, variables, None)
    context = Context(endpoint.services, "", viewer)
    unbegun = endpoint.view.shared.watch(asked, context)
    assert unbegun is not None
    assert endpoint.view.shared.executions == 0


async def test_an_event_stream_may_begin_after_those_who_watched_the_same_have_left(
    endpoint: Endpoint, viewer: Viewer, key: str, run: Progress
) -> None:
    async with endpoint.page(key) as page:
        await page.subscribe("a", run)
        assert await page.revision() == ("a", 1)
        asked = Asked(QUERY, {"runId": encode_id("Run", run.run_id)}, None)
        payloads = endpoint.view.shared.watch(asked, Context(endpoint.services, "", viewer))
        assert payloads is not None
        await page.complete("a")
        await endpoint.nothing_left()
    assert b'"revision":1' in await anext(payloads)
    assert endpoint.view.shared.watchers == 1
    await payloads.aclose()
    await endpoint.nothing_left()
    assert endpoint.services.progress.watchers == 0


async def test_pages_that_come_and_go_in_the_middle_of_anything_leave_nothing_behind(
    endpoint: Endpoint, services: Services, viewer: Viewer, key: str
) -> None:
    runs = [states.started() for _ in range(3)]
    await store(services.database, viewer, *runs)
    chance = random.Random(6)
    before = len(asyncio.all_tasks())

    async def move() -> None:
        for revision in range(2, 1_000):
            for run in runs:
                await endpoint.tell(states.later(run, revision))
            await asyncio.sleep(0.005)

    moving = asyncio.create_task(move())
    try:
        async with asyncio.timeout(60):
            await asyncio.gather(*(_come_and_go(endpoint, key, runs, chance) for _ in range(8)))
    finally:
        moving.cancel()
    await endpoint.nothing_left()
    async with asyncio.timeout(20):
        while len(asyncio.all_tasks()) > before:
            await asyncio.sleep(0.01)


async def _come_and_go(endpoint: Endpoint, key: str, runs: list[Progress], chance: random.Random) -> None:
    for _ in range(25):
        async with endpoint.page(key) as page:
            for operation in range(chance.randrange(4)):
                await page.subscribe(str(operation), chance.choice(runs))
                if chance.random() < 0.5:
                    await page.next()
                if chance.random() < 0.3:
                    await page.complete(str(operation))
            if chance.random() < 0.3:
                _abort(page)


def _abort(page: Page) -> None:
    """As a network that breaks: without a word."""
    writer: Any = page.socket._writer
    writer.transport.abort()


async def test_one_connection_may_watch_many_runs(
    endpoint: Endpoint, services: Services, viewer: Viewer, key: str
) -> None:
    runs = [states.started() for _ in range(50)]
    await store(services.database, viewer, *runs)
    async with AsyncExitStack() as stack:
        page = await stack.enter_async_context(endpoint.page(key))
        for number, run in enumerate(runs):
            await page.subscribe(str(number), run)
        assert {await page.revision() for _ in runs} == {(str(number), 1) for number in range(50)}
        for run in runs:
            await endpoint.tell(states.later(run, 2))
        assert {await page.revision() for _ in runs} == {(str(number), 2) for number in range(50)}
