"""GraphiQL in a real browser: it loads from this server alone, takes a key, and runs what is typed."""

import asyncio
import json
from collections.abc import AsyncIterator
from shutil import which
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright, expect

from weft.graphql.nodes import encode_id

CHROMIUM = which("chromium") or which("chromium-browser") or which("google-chrome")
RESULT = ".result-window"
SET = "([text, editor]) => document.querySelector(`${editor} .CodeMirror`).CodeMirror.setValue(text)"
GET = "editor => document.querySelector(`${editor} .CodeMirror`).CodeMirror.getValue()"

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium on this machine"),
]


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page()
        page.set_default_timeout(20_000)
        yield page
        await browser.close()


async def run(page: Page, query: str) -> Any:
    """Put a query into the editor, press the button, and give what the result pane then holds."""
    await page.evaluate(SET, ["", RESULT])
    await page.evaluate(SET, [query, ".graphiql-query-editor"])
    await page.click(".graphiql-execute-button")
    async with asyncio.timeout(20):
        while "}" not in (text := await page.evaluate(GET, RESULT)):
            await asyncio.sleep(0.05)
    return json.loads(text)


async def test_the_explorer_runs_queries_and_subscriptions_with_the_key_it_was_given(api: Any, page: Page) -> None:
    asked: list[str] = []
    broken: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda message: broken.append(message.text) if "Content Security" in message.text else None)
    await page.goto(f"{api.url}#key={api.key.text}")
    await page.wait_for_selector(".graphiql-query-editor .CodeMirror")
    assert api.key.text not in page.url
    await expect(page.locator("#who")).to_have_text("ADMIN of tests")

    assert await run(page, "{ viewer { role } }") == {"data": {"viewer": {"role": "ADMIN"}}}
    missing = encode_id("Run", api.key.api_key.id)
    refused = await run(page, f'subscription {{ runProgress(runId: "{missing}") {{ total }} }}')
    assert "NOT_FOUND" in json.dumps(refused)

    await page.fill("#key", "weft_wrong")
    await page.press("#key", "Tab")
    await expect(page.locator("#who")).to_have_class("refused")
    assert (await run(page, "{ viewer { role } } # again"))["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"

    assert broken == []
    assert all(url.startswith((api.origin, "data:")) for url in asked)
