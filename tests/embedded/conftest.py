"""A data folder for each test, and a separate process that runs the services in it."""

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from weft.embedded import remove_data_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not pytest's own: with a long user name its path is too long for sockets, and they would lie elsewhere."""
    parent = Path(tempfile.mkdtemp(prefix="weft-t-"))
    path = parent / "data"
    yield path
    if path.exists():
        remove_data_folder(path)
    shutil.rmtree(parent, ignore_errors=True)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that every account can pass through, which pytest's own temporary folders are not."""
    path = Path(tempfile.mkdtemp(prefix="weft-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """Waits for a condition that another process brings about."""

    async def wait(condition: Callable[[], bool]) -> None:
        for _ in range(2_000):
            if condition():
                return
            await asyncio.sleep(0.01)
        pytest.fail("the condition did not come true within 20 s")

    return wait


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts a process that is killed at the test's end if it is still there."""
    started: list[subprocess.Popen[bytes]] = []

    def popen(
        *arguments: object, cwd: Path | None = None, user: tuple[int, int] | None = None
    ) -> subprocess.Popen[bytes]:
        uid, gid = user or (None, None)
        process = subprocess.Popen(
            [str(argument) for argument in arguments],
            cwd=cwd,
            user=uid,
            group=gid,
            extra_groups=[] if user else None,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        started.append(process)
        return process

    yield popen
    for process in started:
        process.kill()
        process.wait(timeout=30)
        assert process.stdin is not None
        process.stdin.close()


class Holder:
    """Another process that runs what `holder.py` says, until it is stopped."""

    def __init__(self, arguments: tuple[str, ...]) -> None:
        script = Path(__file__).with_name("holder.py")
        self.process = subprocess.Popen((sys.executable, str(script), *arguments), stdout=subprocess.PIPE)

    def report(self) -> dict[str, int]:
        """The pids of its children, once all of them run."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the holder ended with {self.process.wait()}"
        return json.loads(line)

    def end(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=30)


@pytest.fixture
def hold() -> Iterator[Callable[..., Holder]]:
    holders: list[Holder] = []

    def start(*arguments: str | Path) -> Holder:
        holders.append(Holder(tuple(map(str, arguments))))
        return holders[-1]

    yield start
    for holder in holders:
        holder.end()
