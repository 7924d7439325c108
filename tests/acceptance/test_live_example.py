"""The client in `web/examples`, as a page would use it: it outlives the server that it watches."""

import asyncio
import json
from itertools import chain, repeat
from pathlib import Path
from shutil import copy
from statistics import mean

import pytest
from acceptance.proxy import proxy_to
from acceptance.runs import begin_run, end_of
from acceptance.system import System
from node import FOLDER, needs_node, run_node

from weft.cli.demonstration.client import Api
from weft.cli.up import free_port

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120), needs_node]

EXAMPLE = Path(__file__).parents[2] / "web" / "examples" / "live.js"
ITEMS = 300
CREATE_KEY = "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key errors { message } } }"


@pytest.fixture
def example(tmp_path: Path) -> str:
    """Where it finds its packages beside it."""
    copy(EXAMPLE, tmp_path / "live.mjs")
    (tmp_path / "node_modules").symlink_to(FOLDER / "node_modules")
    return str(tmp_path / "live.mjs")


async def test_the_example_goes_on_behind_the_last_event_after_the_api_was_killed_and_when_it_asked_too_fast(
    system: System, example: str
) -> None:
    async with Api.connected(f"http://127.0.0.1:{system.port}", system.key) as api:
        run = await begin_run(api, items=ITEMS)
        await end_of(api, run)
    slow_key = await system.ask(CREATE_KEY, input={"name": "slow", "role": "VIEWER", "rateLimitPerMinute": 120})
    port = free_port("127.0.0.1", 0)

    async def start() -> None:
        await system.start("watched-api", "api", WEFT_PORT=str(port))

    async def killed() -> None:
        await system.kill("watched-api")
        await asyncio.sleep(0.5)  # clients come back meanwhile, and find nobody
        await start()

    await start()
    try:
        async with proxy_to(port, chain([20_000], repeat(1_000_000_000)), killed) as (_, url):
            printed = await run_node(
                "clients/live-example.mjs",
                seconds=90,
                environment={
                    "LIVE_EXAMPLE": example,
                    "WEFT_URL": url,
                    "WEFT_KEY": system.key,
                    "WEFT_RUN": run,
                    "SLOW_URL": system.url.replace("http", "ws"),
                    "SLOW_KEY": slow_key["createApiKey"]["key"],
                },
            )
    finally:
        await system.kill("watched-api")
    seen = json.loads(printed)
    expected = [*(f"ItemFinished {number}" for number in range(ITEMS)), *["RunStatusChanged"] * 3]
    assert sorted(seen["events"]) == sorted(expected)
    assert seen["connections"] == 2
    assert seen["refused"] > 0
    assert seen["ends"] == ["COMPLETED"] * 15
    assert seen["fatal"] == {"code": 4403, "reason": "Forbidden"}
    for pauses, longest in zip(seen["pauses"], (4_000, 8_000, 60_000), strict=True):
        assert 0 <= min(pauses) < longest * 0.05
        assert longest * 0.95 < max(pauses) <= longest
        assert longest * 0.4 < mean(pauses) < longest * 0.6
