"""GraphiQL on a server that keeps its schema to itself, or shows it to some."""

from pathlib import Path
from typing import Any

import pytest
from browser import browsing, needs_browser
from playwright.async_api import expect

from weft.domain.access import Role
from weft.settings import Settings

OPERATION = Path(__file__).parent.parent.parent / "web/explorer/operations/01-workflows.graphql"

pytestmark = [pytest.mark.acceptance, needs_browser]


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    return settings.model_copy(update=request.param)


@pytest.mark.parametrize("settings", [{"introspection": False}], indirect=True)
async def test_the_page_says_why_there_is_no_documentation_and_runs_operations_all_the_same(api: Any) -> None:
    async with browsing() as explorer:
        await explorer.open(f"{api.url}#key={api.key.text}")
        notice = explorer.page.get_by_role("alert")
        await expect(notice).to_contain_text("did not give its schema. GraphQL introspection has been disabled")
        await explorer.pane("Documentation Explorer")
        await expect(explorer.page.get_by_role("region", name="Documentation")).to_contain_text("introspection")
        assert (await explorer.run("{ viewer { role } }"))["data"] == {"viewer": {"role": "ADMIN"}}


@pytest.mark.parametrize("settings", [{"trusted_documents": OPERATION, "other_documents": "admin"}], indirect=True)
async def test_the_documentation_comes_with_a_key_that_may_see_it(api: Any) -> None:
    runner = await api.make_key(Role.RUNNER)
    async with browsing() as explorer:
        await explorer.open(f"{api.url}#key={runner.text}")
        who, notice = explorer.page.locator("#who"), explorer.page.get_by_role("alert")
        await expect(notice).to_contain_text("Only operations that were registered with this server")
        await expect(who).to_contain_text("Only operations that were registered with this server")
        await explorer.load("List workflows")
        assert "workflows" in (await explorer.run())["data"]
        await explorer.give(api.key.text)
        await expect(who).to_have_text("ADMIN of tests")
        await expect(notice).to_be_hidden()
