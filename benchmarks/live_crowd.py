"""The watchers of one server, in a few processes of their own (`live_watchers`), as the figures see them."""

import asyncio
import time
from array import array
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from benchmarks.process import BenchmarkError, Process, cpu_seconds

PROCESSES = 2
BUSY_PERCENT = 80.0
"""Of a core: a process of watchers that needs more may be what holds up the server."""
ANSWER_SECONDS = 60.0
OPENING_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Address:
    port: int
    key: str
    document: str
    """A subscription to the progress of `$run`, with `revision` before other fields."""


@dataclass(frozen=True, slots=True)
class Received:
    """What a watcher got while it was noted."""

    run: str
    known: int
    """The revision it had before."""
    states: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])
    """Revisions in the order in which they came, and when."""


@dataclass(slots=True)
class Part:
    """The watchers in one process."""

    process: Process
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    runs: Sequence[str]
    reached: int = 0
    """The revision that all its watchers have."""

    def tell(self, **what: Any) -> None:
        self.writer.write(orjson.dumps(what) + b"\n")

    async def answer(self, name: str, seconds: float = ANSWER_SECONDS) -> Any:
        """The next one of this name; how far the watchers are is noted on the way."""
        while True:
            try:
                async with asyncio.timeout(seconds):
                    line = await self.reader.readline()
            except TimeoutError:
                raise BenchmarkError(f"{self.process.name} has said nothing for {seconds:g} s.") from None
            if not line:
                await self.process.child.wait()
                raise BenchmarkError(f"{self.process.name} has ended. It said:\n{self.process.output()}")
            ((said, value),) = orjson.loads(line).items()
            if said == "reached":
                self.reached = value
            if said == name:
                return value

    async def reaches(self, revision: int) -> None:
        while self.reached < revision:
            await self.answer("reached")


@dataclass(slots=True)
class Crowd:
    parts: list[Part]
    frame: str
    """One as the server sends it."""
    _known: list[list[int]] = field(default_factory=list[list[int]])
    _cpu: list[float] = field(default_factory=list[float])
    _began: float = 0.0

    @property
    def size(self) -> int:
        return sum(len(part.runs) for part in self.parts)

    async def reach(self, revision: int) -> None:
        """Returns when every watcher has this revision or a newer one."""
        for part in self.parts:
            await part.reaches(revision)

    async def note(self) -> None:
        """What comes from now on is noted."""
        self._known.clear()
        for part in self.parts:
            part.tell(note=True)
            self._known.append(await part.answer("noting"))
        self.watch_cpu()

    async def noted(self, folder: Path) -> list[Received]:
        found: list[Received] = []
        for number, part in enumerate(self.parts):
            path = folder / f"receipts-{number}"
            part.tell(write=str(path))
            count = await part.answer("written")
            received = [Received(run, known) for run, known in zip(part.runs, self._known[number], strict=True)]
            for watcher, revision, at in _read(path, count):
                received[watcher].states.append((revision, at))
            found += received
        return found

    def watch_cpu(self) -> None:
        self._cpu = [cpu_seconds(part.process.pid) for part in self.parts]
        self._began = time.perf_counter()

    def cpu(self) -> dict[str, Any]:
        """Of each process since it is watched, and whether that may have been too much: for the details of a figure."""
        took = time.perf_counter() - self._began
        shares = [
            round((cpu_seconds(part.process.pid) - before) / took * 100)
            for part, before in zip(self.parts, self._cpu, strict=True)
        ]
        busy = {"clientsWereBusy": True} if max(shares) > BUSY_PERCENT else {}
        return {"clientsPercentOfACore": shares} | busy


@asynccontextmanager
async def crowd(
    name: str, address: Address, runs: Sequence[str], *, env: Mapping[str, str], folder: Path
) -> AsyncGenerator[Crowd]:
    """A watcher of each of these runs; one that is named often has as many."""
    joined: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        joined.put_nowait((reader, writer))

    async with AsyncExitStack() as closing:
        server = await asyncio.start_server(join, "127.0.0.1", 0)
        closing.callback(server.close)
        port = str(server.sockets[0].getsockname()[1])
        parts: list[Part] = []
        for number in range(PROCESSES):
            process = Process.start(f"{name}-{number + 1}", "benchmarks.live_watchers", port, env=env, folder=folder)
            closing.push_async_callback(process.stop)
            async with asyncio.timeout(ANSWER_SECONDS):
                reader, writer = await joined.get()
            closing.callback(writer.close)
            part = Part(process, reader, writer, runs[number::PROCESSES])
            part.tell(port=address.port, key=address.key, document=address.document, runs=list(part.runs))
            parts.append(part)
        frames = [await part.answer("frame", OPENING_SECONDS) for part in parts]
        yield Crowd(parts, frames[0])


def _read(path: Path, count: int) -> Iterator[tuple[int, int, float]]:
    numbers, revisions, times = array("H"), array("q"), array("d")
    with path.open("rb") as file:
        for column in (numbers, revisions, times):
            column.fromfile(file, count)
    path.unlink()
    return zip(numbers, revisions, times, strict=True)
