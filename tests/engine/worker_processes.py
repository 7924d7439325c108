"""Real worker processes that know the poisons, each replaced as soon as it ends.

They are forked from a server that has everything imported: a worker of its own command would take seconds to start.
"""

import asyncio
import multiprocessing
import os
import resource
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
import uvloop
from engine.poisons import POISON_TYPES

from weft.kit.logs import configure_logs
from weft.worker import WorkerOptions, run_worker

TESTS = Path(__file__).parent.parent
_forking = multiprocessing.get_context("forkserver")


@dataclass(frozen=True)
class Start:
    """What a worker process is told."""

    options: WorkerOptions
    folder: Path
    memory_bytes: int | None = None
    """On top of what it takes when it starts."""


@dataclass
class Workers:
    folder: Path
    exits: list[int | None] = field(default_factory=list[int | None])
    """Of the processes that were replaced."""

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")


def plugin(folder: Path) -> Path:
    """A folder in which a package lies that offers the poisons, as one of others would."""
    info = folder / "poisons-1.0.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: poisons\nVersion: 1.0\n", encoding="utf-8")
    entries = "\n".join(f"{type_.kind} = engine.poisons:{type_.__name__}" for type_ in POISON_TYPES)
    (info / "entry_points.txt").write_text(f"[weft.steps]\n{entries}\n", encoding="utf-8")
    return folder


def work(start: Start) -> None:
    sys.path[:0] = [str(start.folder), str(TESTS)]
    log = os.open(start.folder / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if start.memory_bytes is not None:
        pages = int(Path("/proc/self/statm").read_bytes().split()[0])
        most = pages * resource.getpagesize() + start.memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    configure_logs("info", "json")
    uvloop.run(run_worker(start.options))


@asynccontextmanager
async def worker_processes(
    folder: Path,
    database_url: str,
    redis_url: str,
    *,
    count: int = 1,
    patience_seconds: float = 1.0,
    lease_seconds: float = 1.0,
    memory_bytes: int | None = None,
) -> AsyncGenerator[Workers]:
    """Their output goes to `folder/log`. At the end they have to stop when they are told."""
    lease, patience = timedelta(seconds=lease_seconds), timedelta(seconds=patience_seconds)
    options = WorkerOptions(
        database_url, redis_url, b"a secret only for tests, 32 bytes", lease=lease, patience=patience, pool_size=3
    )
    start, workers = Start(options, plugin(folder), memory_bytes), Workers(folder)
    processes = {number: _started(start) for number in range(count)}

    async def replace() -> None:
        while True:
            for number, process in processes.items():
                if not process.is_alive():
                    workers.exits.append(process.exitcode)
                    processes[number] = _started(start)
            await asyncio.sleep(0.02)

    replacing = asyncio.create_task(replace())
    try:
        yield workers
    finally:
        replacing.cancel()
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            await asyncio.to_thread(process.join, 15)
            process.kill()


def _started(start: Start) -> ForkServerProcess:
    _forking.set_forkserver_preload([__name__])
    with pytest.MonkeyPatch.context() as patch:  # the server finds us only here, and without a word would go without us
        patch.setenv("PYTHONPATH", str(TESTS), prepend=os.pathsep)
        forkserver.ensure_running()
    process = _forking.Process(target=work, args=(start,), daemon=False)
    process.start()
    return process
