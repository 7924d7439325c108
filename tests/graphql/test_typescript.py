"""TypeScript of the schema, as `graphql-codegen` makes it with the config of `tests/javascript/codegen`, which users copy."""

import shutil
from pathlib import Path

import pytest
from node import FOLDER, install_packages, needs_node, run_node

from weft.graphql.schema import WeftSchema

pytestmark = needs_node


@pytest.fixture
async def generated(tmp_path: Path) -> Path:
    folder = tmp_path / "codegen"
    shutil.copytree(FOLDER / "codegen", folder)
    (folder / "schema.graphql").write_text(WeftSchema().as_str(), encoding="utf-8")
    install_packages()
    (folder / "node_modules").symlink_to(FOLDER / "node_modules")
    await run_node("node_modules/@graphql-codegen/cli/esm/bin.js", "--config", "codegen.ts", folder=folder, seconds=180)
    return folder


async def test_a_strict_program_uses_the_generated_types_and_what_is_wrong_is_refused(generated: Path) -> None:
    """`program.ts` marks what the compiler has to refuse, so that types which allow everything would not pass."""
    await run_node("node_modules/typescript/bin/tsc", folder=generated, seconds=180)
    types = (generated / "src" / "schema.ts").read_text(encoding="utf-8")
    assert "/** Items in the run. */" in types, "descriptions come along"
