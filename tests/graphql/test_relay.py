"""Relay: its compiler takes the schema, and its runtime pages, refetches, mutates and watches.

The operations are those of an application (`tests/javascript/relay`); the compiler and the runtime are Relay's own.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from node import FOLDER, install_packages, needs_node, run_node

from weft.graphql.schema import WeftSchema

pytestmark = needs_node
COMPILER = ("node_modules/relay-compiler/cli.js", "relay.config.json")
ECHO = {"steps": [{"id": "say", "type": "echo"}]}
CREATE = """mutation ($input: CreateWorkflowInput!) { createWorkflow(input: $input) {
  workflow { id } errors { message } } }"""


@pytest.fixture
async def application(tmp_path: Path) -> Path:
    """The application, with the schema as it is written and everything compiled by Relay."""
    folder = tmp_path / "relay"
    shutil.copytree(FOLDER / "relay", folder)
    (folder / "schema.graphql").write_text(WeftSchema().as_str(), encoding="utf-8")
    (folder / "src" / "artifacts").mkdir()
    install_packages()
    (folder / "node_modules").symlink_to(FOLDER / "node_modules")
    await run_node(*COMPILER, folder=folder)
    return folder


async def test_relays_compiler_takes_the_schema_and_the_operations_of_an_application(application: Path) -> None:
    compiled = {path.name.removesuffix(".graphql.ts") for path in (application / "src" / "artifacts").iterdir()}
    assert {"workflowsPageQuery", "workflowsRunsQuery", "runsItemsQuery", "runs_event", "runsStartMutation"} <= compiled
    await run_node(*COMPILER, "--validate", folder=application)


async def test_an_application_with_relay_pages_mends_its_store_and_watches(api: Any, application: Path) -> None:
    made = [await api.post(CREATE, {"input": {"name": f"number {number}", "definition": ECHO}}) for number in range(5)]
    workflow_id = made[0]["data"]["createWorkflow"]["workflow"]["id"]
    await run_node("node_modules/typescript/bin/tsc", folder=application, seconds=180)
    seen = json.loads(await run_node("out/main.js", api.url, api.key.text, workflow_id, folder=application))
    assert seen == {
        "role": "ADMIN",
        "pages": [2, 4, 5],
        "afterCreation": [*(f"number {number}" for number in range(4, -1, -1)), "made by Relay"],
        "afterRemoval": 5,
        "items": 1,
        "events": ["RunStatusChanged PENDING", "RunStatusChanged CANCELLED"],
        "status": "CANCELLED",
    }
