"""GraphiQL in a headless Chromium, as a person uses it. What the page asks for and complains of is noted all the while."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from shutil import which
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright, expect

CHROMIUM = which("chromium") or which("chromium-browser") or which("google-chrome")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium on this machine")

SECONDS = 60
QUERY, RESULT = ".graphiql-query-editor", ".result-window"
TOOL = ".graphiql-editor-tool .graphiql-editor:not(.hidden)"
"""Of variables and headers the editor that is shown; at first that is the one of variables."""
SET = "([text, editor]) => document.querySelector(`${editor} .CodeMirror`).CodeMirror.setValue(text)"
GET = "editor => document.querySelector(`${editor} .CodeMirror`).CodeMirror.getValue()"


@dataclass
class Explorer:
    page: Page
    asked: list[str] = field(default_factory=list[str])
    """The address of every request and every websocket."""
    complaints: list[str] = field(default_factory=list[str])

    async def open(self, url: str) -> None:
        await self.page.goto(url)
        await self.page.wait_for_selector(f"{QUERY} .CodeMirror")

    async def give(self, key: str) -> None:
        await self.page.fill("#key", key)
        await self.page.press("#key", "Enter")

    async def pane(self, title: str) -> None:
        await self.page.get_by_role("button", name=f"Show {title}").click()

    async def load(self, example: str) -> None:
        await self.page.get_by_role("region", name="Examples").get_by_role("button", name=example, exact=True).click()

    async def write(self, text: str, editor: str = QUERY) -> None:
        await self.page.evaluate(SET, [text, editor])

    async def read(self, editor: str = RESULT) -> str:
        return await self.page.evaluate(GET, editor)

    async def press(self) -> None:
        """The button that runs what stands in the editor, or stops what runs."""
        await self.page.click(".graphiql-execute-button")

    async def run(self, query: str | None = None) -> Any:
        """Run this, or what is there, and give what the result pane holds then."""
        if query is not None:
            await self.write(query)
        await self.write("", RESULT)
        await self.press()
        async with asyncio.timeout(SECONDS):
            while "}" not in (text := await self.read()):
                await asyncio.sleep(0.05)
        return json.loads(text)

    async def stands(self, words: str | re.Pattern[str]) -> None:
        """The status of the subscription becomes this."""
        await expect(self.page.locator("#live")).to_have_text(words, timeout=SECONDS * 1_000)


@asynccontextmanager
async def browsing() -> AsyncGenerator[Explorer]:
    """A page in a browser of its own that keeps nothing."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page()
        page.set_default_timeout(SECONDS * 1_000)
        explorer = Explorer(page)
        page.on("request", lambda request: explorer.asked.append(request.url))
        page.on("websocket", lambda socket: explorer.asked.append(socket.url))
        page.on("pageerror", lambda error: explorer.complaints.append(str(error)))
        page.on("console", lambda message: explorer.complaints.append(f"{message.type}: {message.text}"))
        yield explorer
        await browser.close()
