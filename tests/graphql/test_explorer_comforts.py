"""What the explorer does beyond GraphiQL, for whoever follows the examples on a small screen."""

from typing import Any

import pytest
from browser import QUERY, browsing, needs_browser
from playwright.async_api import expect

pytestmark = [pytest.mark.acceptance, needs_browser]


async def test_an_example_ends_the_subscription_of_the_one_before_and_runs_at_once(api: Any) -> None:
    async with browsing() as explorer:
        await explorer.open(f"{api.url}#key={api.key.text}")
        await explorer.load("Watch all runs of the workspace")
        await explorer.press()
        await explorer.stands("Live · 0 messages")
        await explorer.load("List workflows")
        await explorer.stands("Ended · 0 messages")
        assert (await explorer.run())["data"] == {"workflows": {"totalCount": 0, "nodes": []}}


async def test_the_active_tab_is_in_sight_and_long_lines_wrap(api: Any) -> None:
    async with browsing() as explorer:
        await explorer.page.set_viewport_size({"width": 1280, "height": 720})
        await explorer.open(api.url)
        for example in ("Create an entity type", "Create entities", "Create a workflow", "Start a run") * 2:
            await explorer.load(example)
        tabs = explorer.page.get_by_role("tab")
        await expect(tabs.last).to_contain_text("StartRun")
        await expect(tabs.first).not_to_be_in_viewport()
        await expect(tabs.last).to_be_in_viewport(ratio=0.9)
        scroller = explorer.page.locator(f"{QUERY} .CodeMirror-scroll")
        assert await scroller.evaluate("pane => pane.scrollWidth <= pane.clientWidth")


async def test_ctrl_k_goes_to_the_search_of_the_documentation(api: Any) -> None:
    async with browsing() as explorer:
        await explorer.open(f"{api.url}#key={api.key.text}")
        await explorer.page.keyboard.press("Control+k")  # no such box yet
        await explorer.pane("Documentation Explorer")
        box = explorer.page.get_by_placeholder("Ctrl K")
        await expect(box).to_be_visible()
        await explorer.page.keyboard.press("Control+k")
        await expect(box).to_be_focused()
        assert explorer.complaints == []
