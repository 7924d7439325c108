"""Subscriptions over HTTP as the endpoint answers them: whose they are, how many there may be, and web pages that ask."""

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from progress import states
from progress.stored_runs import store

from weft.domain.access import Viewer
from weft.graphql.nodes import encode_id
from weft.settings import Settings

STREAM = "text/event-stream"
PARTS = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json"
MOST = 2


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    return Settings.model_validate(
        {
            "database_url": database_url,
            "redis_url": redis_url,
            "secret_key": "a secret only for tests, 32 bytes",
            "data_dir": tmp_path,
            "allowed_origins": ("https://page.example",),
            "max_connections_per_key": MOST,
        }
    )


async def watched_run(api: Any) -> dict[str, Any]:
    key, state = api.key.api_key, states.started()
    await store(api.database, Viewer(key.workspace_id, key.id, key.name, key.role), state)
    run = encode_id("Run", state.run_id)
    return {"query": "subscription ($run: ID!) { runProgress(runId: $run) { revision } }", "variables": {"run": run}}


async def test_a_key_has_as_many_streams_open_as_it_may_and_each_that_ends_makes_room(api: Any) -> None:
    watch = await watched_run(api)
    headers = {"Authorization": f"Bearer {api.key.text}"}
    async with asyncio.timeout(30):
        async with AsyncExitStack() as streams:
            for accept in (STREAM, PARTS):
                request = api.session.post(api.url, json=watch, headers=headers | {"Accept": accept})
                stream = await streams.enter_async_context(request)
                await stream.content.readuntil(b'"revision"')
            async with api.session.post(api.url, json=watch, headers=headers | {"Accept": STREAM}) as refused:
                assert refused.status == 429
                assert int(refused.headers["Retry-After"]) > 0
                assert b"as many as it may" in await refused.read()
        status = 429
        while status == 429:
            async with api.session.post(api.url, json=watch, headers=headers | {"Accept": STREAM}) as stream:
                status = stream.status
        assert status == 200


async def test_a_stream_without_a_key_says_so_and_is_over(api: Any) -> None:
    watch = await watched_run(api)
    for accept, end in ((STREAM, b"event: complete\ndata:\n\n"), (PARTS, b"--graphql--\r\n")):
        async with asyncio.timeout(15), api.session.post(api.url, json=watch, headers={"Accept": accept}) as stream:
            assert stream.status == 200
            body = await stream.read()
        assert b'"UNAUTHENTICATED"' in body
        assert body.endswith(end)


async def test_a_subscription_by_get_is_a_stream_too_and_its_key_comes_in_a_header(api: Any) -> None:
    watch = await watched_run(api)
    query = {"query": watch["query"], "variables": json.dumps(watch["variables"])}
    headers = {"Authorization": f"Bearer {api.key.text}", "Accept": STREAM}
    async with asyncio.timeout(15), api.session.get(api.url, params=query, headers=headers) as stream:
        assert await stream.content.readuntil(b'data: {"data":{"runProgress":{"revision":')


async def test_pages_elsewhere_may_say_where_they_go_on(api: Any) -> None:
    headers = {
        "Origin": "https://page.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,last-event-id",
    }
    async with api.session.options(api.url, headers=headers) as preflight:
        assert preflight.status == 200
        assert "last-event-id" in preflight.headers["Access-Control-Allow-Headers"].lower()
