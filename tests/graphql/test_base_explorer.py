"""GraphiQL in a real browser: it loads from this server alone, takes a key, and runs what it is asked to."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from browser import QUERY, TOOL, Explorer, browsing, needs_browser
from playwright.async_api import WebSocketRoute, expect
from workers import working

from weft.graphql.nodes import encode_id
from weft.operations.services import Services

pytestmark = [pytest.mark.acceptance, needs_browser]

WHO = "{ viewer { role } }"
KEPT = "() => JSON.stringify([{...localStorage}, {...sessionStorage}])"


@pytest.fixture
async def explorer() -> AsyncIterator[Explorer]:
    async with browsing() as explorer:
        yield explorer


async def test_the_examples_lead_from_an_empty_workspace_to_the_results_of_a_run(
    api: Any, services: Services, explorer: Explorer
) -> None:
    await explorer.open(f"{api.url}#key={api.key.text}")
    assert await explorer.page.title() == "Weft · GraphiQL"
    await expect(explorer.page.locator("#who")).to_have_text("ADMIN of tests")
    answers: dict[str, Any] = {}
    async with working(services):
        for example in (
            "List workflows",
            "Create an entity type",
            "Create entities",
            "Create a workflow",
            "Start a run",
            "Watch its progress live",
            "Follow what happens in it",
            "Go on behind a cursor",
            "See what came out",
        ):
            answers[example] = await tried(explorer, example)
    for example in ("Start a run", "Cancel a run"):
        answers[example] = await tried(explorer, example)

    assert answers["List workflows"]["workflows"] == {"totalCount": 0, "nodes": []}
    assert answers["Create entities"]["createEntities"]["created"] == 3
    assert answers["Watch its progress live"]["runProgress"]["status"] == "COMPLETED_WITH_FAILURES"
    assert answers["Follow what happens in it"]["runEvents"]["status"] == "COMPLETED_WITH_FAILURES"
    assert answers["See what came out"]["run"]["failures"][0]["message"] == "-7.0 is no total of a purchase."
    assert answers["Cancel a run"]["cancelRun"]["run"]["status"] == "CANCELLED"
    assert len(answers["See what came out"]["run"]["items"]["nodes"]) == 3

    await explorer.pane("Documentation Explorer")
    await explorer.page.get_by_role("link", name="Subscription", exact=True).click()
    await explorer.page.get_by_role("link", name="runProgress", exact=True).click()
    await expect(explorer.page.locator(".graphiql-doc-explorer-content")).to_contain_text("The run's progress now")

    assert explorer.complaints == []
    assert [url for url in explorer.asked if not url.startswith((api.origin, api.origin.replace("http", "ws")))] == []


async def tried(explorer: Explorer, example: str) -> Any:
    """What an example answers, or sends last."""
    await explorer.load(example)
    await explorer.press()
    await expect(explorer.page.locator("[aria-label='Execute query (Ctrl-Enter)']")).to_be_visible()
    async with asyncio.timeout(60):
        while "}" not in (text := await explorer.read()):
            await asyncio.sleep(0.05)
    answer = json.loads(text)
    assert "errors" not in answer, answer
    assert all(not (field or {}).get("errors") for field in answer["data"].values()), answer
    return answer["data"]


async def test_a_running_subscription_shows_each_push_until_the_run_is_over(
    api: Any, services: Services, explorer: Explorer
) -> None:
    run = await waiting_run(api)
    await explorer.open(f"{api.url}#key={api.key.text}")
    await explorer.pane("Messages")
    await explorer.write(json.dumps({"run": run}), TOOL)
    await explorer.write("subscription ($run: ID!) { runProgress(runId: $run) { status completed } }")
    await explorer.press()
    await explorer.stands("Live · 1 message")
    for number, mutation in enumerate(("pauseRun", "resumeRun"), 2):
        await api.post(
            f"mutation ($run: ID!) {{ {mutation}(input: {{runId: $run}}) {{ run {{ id }} }} }}", {"run": run}
        )
        await explorer.stands(f"Live · {number} messages")
    async with working(services):
        await expect(explorer.page.locator("#live")).to_have_attribute("data-phase", "over", timeout=60_000)

    entries = explorer.page.get_by_role("region", name="Messages").locator("pre")
    told = [json.loads(text)["runProgress"] for text in reversed(await entries.all_inner_texts())]
    assert [state["status"] for state in told[:3]] == ["PENDING", "PAUSED", "PENDING"]
    assert told[-1] == {"status": "COMPLETED", "completed": 100}
    assert json.loads(await explorer.read())["data"]["runProgress"] == told[-1]
    assert explorer.complaints == []


async def test_a_stream_that_was_cut_goes_on_behind_its_last_event(
    api: Any, services: Services, explorer: Explorer
) -> None:
    run = await waiting_run(api)
    sockets: list[WebSocketRoute] = []
    subscribed: list[Any] = []

    def between(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def pass_on(message: str | bytes) -> None:
            sent = json.loads(message)
            if sent["type"] == "subscribe":
                subscribed.append(sent["payload"]["variables"])
            server.send(message)

        socket.on_message(pass_on)
        sockets.append(socket)

    await explorer.page.route_web_socket("**/graphql", between)
    await explorer.open(f"{api.url}#key={api.key.text}")
    await explorer.write(json.dumps({"run": run}), TOOL)
    await explorer.write(
        "subscription ($run: ID!, $from: String) { told: runEvents(runId: $run, after: $from) { __typename cursor } }"
    )
    await explorer.press()
    await explorer.stands("Live · 1 message")
    last = json.loads(await explorer.read())["data"]["told"]["cursor"]
    await sockets[0].close(code=1012)
    async with working(services):
        await explorer.stands("Ended · 103 messages")  # PENDING; RUNNING, the items, COMPLETED
    assert subscribed == [{"run": run}, {"run": run, "from": last}]


async def test_whoever_stops_while_the_connection_is_lost_may_begin_anew(api: Any, explorer: Explorer) -> None:
    lost = asyncio.Event()

    async def between(socket: WebSocketRoute) -> None:
        if lost.is_set():
            await socket.close(code=1013)
        else:
            socket.connect_to_server()
            sockets.append(socket)

    sockets: list[WebSocketRoute] = []
    await explorer.page.route_web_socket("**/graphql", between)
    await explorer.open(f"{api.url}#key={api.key.text}")
    await explorer.write("subscription { runs { kind } }")
    await explorer.press()
    await explorer.stands("Live · 0 messages")
    lost.set()
    await sockets[0].close(code=1013)
    await explorer.stands(re.compile(r"Connection lost, attempt \d of 5 · 0 messages"))
    await explorer.press()
    await explorer.stands("Ended · 0 messages")
    lost.clear()
    await explorer.press()
    await explorer.stands("Live · 0 messages")


async def waiting_run(api: Any) -> str:
    """The id of a run over a hundred entities that no worker has begun."""
    made = await api.post(
        'mutation { createEntityType(input: {name: "N", schema: {type: "object"}}) { entityType { id } } }'
    )
    entity_type = made["data"]["createEntityType"]["entityType"]["id"]
    made = await api.post(
        "mutation ($type: ID!, $rows: [NewEntityInput!]!, $steps: JSON!) { "
        "createEntities(input: {entityTypeId: $type, entities: $rows}) { created } "
        'createWorkflow(input: {name: "W", entityTypeId: $type, definition: $steps}) { workflow { id } } }',
        {
            "type": entity_type,
            "rows": [{"data": {"n": n}} for n in range(100)],
            "steps": {"steps": [{"id": "a", "type": "echo"}]},
        },
    )
    workflow = made["data"]["createWorkflow"]["workflow"]["id"]
    started = await api.post(
        "mutation ($id: ID!) { runWorkflow(input: {workflowId: $id, entities: {all: true}}) { run { id } } }",
        {"id": workflow},
    )
    return started["data"]["runWorkflow"]["run"]["id"]


async def test_a_key_is_used_for_everything_and_forgotten_when_told_so(api: Any, explorer: Explorer) -> None:
    who = explorer.page.locator("#who")
    await explorer.open(api.url)
    await expect(who).to_contain_text("make up prints one")
    assert (await explorer.run(WHO))["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    await explorer.give("weft_wrong")
    await expect(who).to_have_class("weft-refused")
    missing = encode_id("Run", api.key.api_key.id)
    watch = f'subscription {{ runProgress(runId: "{missing}") {{ total }} }}'
    assert "4403" in json.dumps(await explorer.run(watch))
    await explorer.stands("Broken off · 0 messages")

    await explorer.give(api.key.text)
    await expect(who).to_have_text("ADMIN of tests")
    assert (await explorer.run(WHO))["data"] == {"viewer": {"role": "ADMIN"}}
    assert "NOT_FOUND" in json.dumps(await explorer.run(watch))
    await explorer.write("subscription { runs { kind } }")
    await explorer.press()
    await explorer.stands("Live · 0 messages")

    await explorer.page.get_by_role("button", name="Forget").click()
    await explorer.stands("Ended · 0 messages")
    await expect(who).to_contain_text("make up prints one")
    assert (await explorer.run(WHO))["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert api.key.text not in await explorer.page.evaluate(KEPT)
    assert api.key.text not in " ".join(explorer.asked)


async def test_headers_that_somebody_writes_are_sent_and_never_kept(api: Any, explorer: Explorer) -> None:
    await explorer.open(api.url)
    await explorer.page.get_by_role("button", name="Headers").click()
    await explorer.write(json.dumps({"authorization": f"Bearer {api.key.text}"}), TOOL)
    assert (await explorer.run(WHO))["data"] == {"viewer": {"role": "ADMIN"}}
    await explorer.write("query Named { viewer { workspace } }")
    await kept(explorer, "query Named")
    assert (await explorer.run())["data"] == {"viewer": {"workspace": "tests"}}
    await explorer.pane("History")
    await expect(explorer.page.get_by_role("region", name="History")).to_contain_text("Named")
    assert api.key.text not in await explorer.page.evaluate(KEPT)
    await explorer.page.reload()
    await explorer.page.wait_for_selector(f"{QUERY} .CodeMirror")
    assert "Named" in await explorer.read(QUERY)


async def kept(explorer: Explorer, text: str) -> None:
    """The browser has stored this."""
    async with asyncio.timeout(60):
        while text not in await explorer.page.evaluate(KEPT):
            await asyncio.sleep(0.05)


async def test_below_a_path_the_page_finds_its_files_and_the_api(api: Any, explorer: Explorer) -> None:
    async def strip(route: Any) -> None:
        await route.continue_(url=route.request.url.replace("/below/a/path", ""))

    await explorer.page.route("**/below/a/path/**", strip)
    await explorer.open(f"{api.origin}/below/a/path/graphql#key={api.key.text}")
    assert (await explorer.run(WHO))["data"] == {"viewer": {"role": "ADMIN"}}
    assert [url for url in explorer.asked if "/below/a/path/" not in url] == []
    assert explorer.complaints == []
