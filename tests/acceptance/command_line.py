"""Weft's commands as somebody types them: one process, its output, its exit status, and what it leaves running."""

import asyncio
import os
import re
import tempfile
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import psutil
from acceptance.readable_python import Python

from weft.cli.demonstration.client import Api
from weft.embedded import remove_data_folder

NONE: Mapping[str, str] = MappingProxyType({})
SECONDS = 60
"""No command takes longer."""


@dataclass(frozen=True, slots=True)
class Finished:
    status: int | None
    output: str
    errors: str

    @property
    def refused(self) -> bool:
        """It ended with one sentence and nothing else."""
        return self.status in {1, os.EX_CONFIG} and self.errors.startswith("weft: ") and self.errors.count("\n") == 1


@dataclass(frozen=True, slots=True)
class Up:
    """A `weft up` that said that it is up."""

    folder: Path
    process: asyncio.subprocess.Process
    said: str
    api: Api

    @property
    def key(self) -> str:
        return found(r"API key +(\S+)", self.said)

    def children(self, command: str) -> list[psutil.Process]:
        """Its API or its workers."""
        return [child for child in psutil.Process(self.process.pid).children() if child.cmdline()[-1:] == [command]]

    async def listens(self) -> bool:
        host, port = self.api.url.removeprefix("http://").split(":")
        try:
            _, writer = await asyncio.open_connection(host, int(port))
        except OSError:
            return False
        writer.close()
        return True

    async def ended(self) -> Finished:
        """Once it was asked to stop. Its output goes on where `said` ends."""
        output, errors = await asyncio.wait_for(self.process.communicate(), SECONDS)
        return Finished(self.process.returncode, output.decode(), errors.decode())


@contextmanager
def data_folder(parent: Path | None = None) -> Generator[Path]:
    """Not below tmp_path: its long name leaves no room for the sockets of the services."""
    with tempfile.TemporaryDirectory(prefix="weft-up-", dir=parent, ignore_cleanup_errors=True) as folder:
        data = Path(folder) / "data"
        yield data
        if data.exists():
            remove_data_folder(data)


@contextmanager
def moved(folder: Path) -> Generator[Path]:
    """The folder under another name for as long as the block runs: one that needs quoting, and leaves sockets no room."""
    other = folder.rename(folder.with_name(f"moved, with spaces, é and {'x' * 60}"))
    yield other
    other.rename(folder)


def is_there(folder: Path) -> bool:
    return folder.exists()


@asynccontextmanager
async def started(
    folder: Path,
    *arguments: str,
    user: int | None = None,
    python: Python | None = None,
    cwd: Path | None = None,
    settings: Mapping[str, str] = NONE,
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A command, killed at the end of the block if it is still there."""
    python = python or Python()
    others = {name: value for name, value in os.environ.items() if not name.startswith("WEFT_")}
    process = await asyncio.create_subprocess_exec(
        python.executable, "-m", "weft.cli", *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**others, "WEFT_DATA_DIR": str(folder), "WEFT_PORT": "0", **python.environment, **settings},
        cwd="/" if user is not None else cwd,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def finished(
    folder: Path,
    *arguments: str,
    user: int | None = None,
    python: Python | None = None,
    cwd: Path | None = None,
    settings: Mapping[str, str] = NONE,
) -> Finished:
    async with started(folder, *arguments, user=user, python=python, cwd=cwd, settings=settings) as process:
        output, errors = await asyncio.wait_for(process.communicate(), SECONDS)
        return Finished(process.returncode, output.decode(), errors.decode())


@asynccontextmanager
async def up(
    folder: Path, *, user: int | None = None, python: Python | None = None, settings: Mapping[str, str] = NONE
) -> AsyncGenerator[Up]:
    settings = {"WEFT_WORKERS": "1", **settings}
    async with started(folder, "up", user=user, python=python, settings=settings) as process:
        said = await asyncio.wait_for(_welcome(process), SECONDS)
        url = found(r"GraphQL +(\S+)/graphql\n", said)
        async with Api.connected(url, found(r"API key +(\S+)", said)) as api:
            yield Up(folder, process, said, api)


async def _welcome(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    assert process.stderr is not None
    said = ""
    while "API key" not in said:
        line = (await process.stdout.readline()).decode()
        assert line, f"it ended: {said}{(await process.stderr.read()).decode()}"
        said += line
    return said


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match, text
    return match[1]


def running_in(folder: Path) -> list[psutil.Process]:
    """Processes that were started for the folder: the servers name it, our own have it in their environment."""
    places = {str(folder), os.path.realpath(folder / "services")}
    return [process for process in psutil.process_iter() if any(place in _told(process) for place in places)]


def _told(process: psutil.Process) -> str:
    try:
        if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
            return ""
        told = (process.cwd(), *process.cmdline(), process.environ().get("WEFT_DATA_DIR", ""))
    except psutil.Error:
        return ""
    return "\n".join(told)


async def nothing_runs_in(folder: Path, *, within_seconds: float) -> None:
    async with asyncio.timeout(within_seconds):
        while running_in(folder):
            await asyncio.sleep(0.05)
