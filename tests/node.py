"""Node and the packages of `tests/javascript`, for tests that try Weft with clients and compilers from npm.

They are skipped where there is no Node; where there is one, the packages are installed once, from the lock file.
"""

import asyncio
import fcntl
import os
import shutil
import subprocess
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "javascript"
NODE = shutil.which("node")
NPM = shutil.which("npm")
INSTALL_SECONDS = 300

needs_node = pytest.mark.skipif(NODE is None or NPM is None, reason="There is no Node here.")


def install_packages(folder: Path = FOLDER) -> None:
    """What the lock file of `folder` names is in its `node_modules` afterwards: a moment's work where it is already."""
    assert NPM is not None
    locked = (folder / "package-lock.json").read_bytes()
    digest = sha256(locked).hexdigest()
    stamp = folder / "node_modules" / ".installed"
    # Test processes run side by side, and npm must not meet itself.
    with (folder / ".gitignore").open("rb") as door:
        fcntl.flock(door, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != digest:
            command = [NPM, "ci", "--no-progress", "--loglevel=error"]
            done = subprocess.run(
                command, cwd=folder, timeout=INSTALL_SECONDS, check=False, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr
            stamp.write_text(digest, encoding="utf-8")


async def run_node(
    *arguments: str, folder: Path = FOLDER, seconds: float = 60, environment: Mapping[str, str] | None = None
) -> str:
    """What Node prints when it is run with these arguments in `folder`. Fails with all it said when it fails."""
    await asyncio.to_thread(install_packages)
    assert NODE is not None
    process = await asyncio.create_subprocess_exec(
        NODE,
        *arguments,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(seconds):
            printed, complained = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    assert process.returncode == 0, f"{printed.decode()}\n{complained.decode()}"
    return printed.decode()
