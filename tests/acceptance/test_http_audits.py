"""What the makers of "GraphQL over HTTP" check a server with, against a running one."""

import json
import sys

import pytest
from acceptance.system import System
from node import needs_node, run_node

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(400), needs_node]


async def test_every_must_and_should_of_graphql_over_http_holds(system: System) -> None:
    results = json.loads(await run_node("audits.js", system.url))

    assert len(results) >= 60
    failed = [result for result in results if result["status"] != "ok"]
    for result in failed:
        sys.stdout.write(f"{result['id']} {result['name']}: {result.get('reason')}\n")
    assert [result["name"] for result in failed if not result["name"].startswith("MAY")] == []
