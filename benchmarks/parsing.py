"""Parsing: the text of a PDF against pypdfium2 alone, and what every core adds.

The floor is pypdfium2 as its own documentation reads text: open the file, for each page `get_page`, `get_textpage` and
`get_text_range`, the cheapest of its calls that gives all of it; no layout, no metadata, no output. It is read from the same
file by turns with what is measured, the best time of each counts. Measured are the reading alone, in this process,
and the whole step: files handed to a sandbox, their outputs back as values.

| kind | what it is | bar |
|---|---|---|
| prose | one file of many pages, each of 880 words | yes |
| invoices | files of one page each: labelled values, addresses, a few lines of a table | yes |
| tables | one file whose pages are nothing but a table of five columns: putting each cell into its column is work that pypdfium2 does not do | no |
| mix | all of the above: of ten pages five are prose, four are invoices, one is a table | yes |

The bar is judged by the mix, in CPU time, which another program on the machine disturbs least.

The cores: a queue of documents through one sandbox, and through one per core. And what the worker itself spends on the
mix beside its sandboxes: its one event loop can keep as many of them busy as that goes into theirs.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pypdfium2 import PdfDocument

from benchmarks.bench import Bench
from benchmarks.figure import Better, Figure
from benchmarks.pages import invoice_pdfs, table_pdf, text_pdf
from benchmarks.process import BenchmarkError, cpu_seconds
from weft.domain.outside import Outside
from weft.domain.run import LogLevel
from weft.domain.step import StepContext
from weft.engine.compiling.compiler import compile_plan
from weft.engine.plan import PlannedStep
from weft.engine.sandbox.isolation import Isolation
from weft.engine.sandbox.limits import cores_available
from weft.kit.parsing.parsed import Wanted
from weft.kit.parsing.reading import read
from weft.kit.parsing.source import Source
from weft.steps import discover

BAR = 1.3
LEAST_OF_A_CORE = 0.8
"""Of what a core more should add: reading the outputs takes a share of the worker's own."""
LEAST_SANDBOXES = 4


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of this process."""

    wall: float
    cpu: float

    @classmethod
    def on(cls, work: Callable[[], Any]) -> Self:
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        return cls(time.perf_counter() - wall, time.process_time() - cpu)

    @classmethod
    def best(cls, rounds: Sequence["Spent"]) -> Self:
        return cls(min(spent.wall for spent in rounds), min(spent.cpu for spent in rounds))

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.wall + other.wall, self.cpu + other.cpu)


async def parsing(bench: Bench) -> list[Figure]:
    await bench.system.use_workers(0)
    rounds = max(3, bench.sizes.samples // 4)
    kinds = await asyncio.to_thread(_written, bench.system.folder, bench.sizes.pdf_pages)
    measured = {kind: _alone(files, rounds) for kind, files in kinds.items()}
    ours, bare = (sum(spent, start=Spent(0, 0)) for spent in zip(*measured.values(), strict=True))
    async with _isolation(1) as one:
        return [
            *(
                _figure(f"Parse, {kind}, CPU", ours.cpu, bare.cpu, None if kind == "tables" else BAR)
                for kind, (ours, bare) in measured.items()
            ),
            _figure("Parse, mix, CPU", ours.cpu, bare.cpu, BAR),
            _figure("Parse, mix, wall", ours.wall, bare.wall, BAR),
            *await _whole_step(kinds["prose"][0], one, rounds),
            await _fed([file for files in kinds.values() for file in files], one, rounds),
            await _cores(kinds["prose"][0], one, rounds),
        ]


def _written(folder: Path, pages: int) -> dict[str, list[Path]]:
    contents = {
        "prose": [text_pdf(pages)],
        "invoices": invoice_pdfs(max(1, 4 * pages // 5)),
        "tables": [table_pdf(max(1, pages // 5))],
    }
    kinds: dict[str, list[Path]] = {}
    for kind, files in contents.items():
        kinds[kind] = [folder / f"{kind}-{number}.pdf" for number in range(len(files))]
        for file, content in zip(kinds[kind], files, strict=True):
            file.write_bytes(content)
    return kinds


def floor(file: Path) -> str:
    with PdfDocument(file) as document:
        texts: list[str] = []
        for number in range(len(document)):
            page = document[number]
            text_page = page.get_textpage()
            texts.append(text_page.get_text_range())
            text_page.close()
            page.close()
        return "\n".join(texts)


def _alone(files: Sequence[Path], rounds: int) -> tuple[Spent, Spent]:
    """What `parse` and pypdfium2 spend on the files, one after the other."""
    ours, bare = Spent(0, 0), Spent(0, 0)
    for file in files:
        source, wanted = Source(file, file.name), Wanted()
        if sorted(floor(file).split()) != sorted(read(source, wanted).text.split()):
            raise BenchmarkError("parse reads other words than pypdfium2")
        by_turns = [
            (Spent.on(lambda: read(source, wanted)), Spent.on(lambda: floor(file)))  # noqa: B023 - called at once
            for _ in range(rounds)
        ]
        ours += Spent.best([spent for spent, _ in by_turns])
        bare += Spent.best([spent for _, spent in by_turns])
    return ours, bare


async def _whole_step(file: Path, isolation: Isolation, rounds: int) -> list[Figure]:
    """By the clock at its best; in CPU on average, that of the worker and of its sandbox together."""
    step, ctx, given = _step(), _Item({}), _supplied(file)
    await isolation.run(step, ctx, given)
    (pid,) = isolation.idle_pids
    in_sandbox, in_worker = cpu_seconds(pid), 0.0
    bare: list[Spent] = []
    ours: list[float] = []
    for _ in range(rounds):
        bare.append(Spent.on(lambda: floor(file)))
        began, worker_began = time.perf_counter(), time.process_time()
        await isolation.run(step, ctx, given)
        ours.append(time.perf_counter() - began)
        in_worker += time.process_time() - worker_began
    cpu = in_worker + cpu_seconds(pid) - in_sandbox
    return [
        _figure("Parse, whole step, CPU", cpu / rounds, sum(spent.cpu for spent in bare) / rounds, BAR),
        _figure("Parse, whole step, wall", min(ours), Spent.best(bare).wall, BAR),
    ]


async def _fed(files: Sequence[Path], isolation: Isolation, rounds: int) -> Figure:
    """What the sandbox spends on the mix, in what its worker spends on it."""
    step, ctx = _step(), _Item({})
    (pid,) = isolation.idle_pids
    in_sandbox, in_worker = cpu_seconds(pid), time.process_time()
    for _ in range(rounds):
        for file in files:
            await isolation.run(step, ctx, _supplied(file))
    return Figure(
        name="Parse, sandboxes that one worker keeps busy",
        measured=(cpu_seconds(pid) - in_sandbox) / (time.process_time() - in_worker),
        unit="",
        better=Better.HIGHER,
        bar=LEAST_SANDBOXES,
    )


async def _cores(file: Path, one: Isolation, rounds: int) -> Figure:
    cores, documents = cores_available(), max(rounds, 4)
    async with _isolation(cores) as all_of_them:
        by_one = [await _rate(one, file, documents, 1)]
        by_all = await _rate(all_of_them, file, documents, cores)
        by_one.append(await _rate(one, file, documents, 1))
    return Figure(
        name="Parse, every core, of as many times one",
        measured=by_all,
        unit="/s",
        floor=cores * max(by_one),
        better=Better.HIGHER,
        bar=LEAST_OF_A_CORE,
        details={"cores": cores, "documents": documents, "one": [round(rate, 1) for rate in by_one]},
    )


async def _rate(isolation: Isolation, file: Path, documents: int, processes: int) -> float:
    step, ctx, given = _step(), _Item({}), _supplied(file)
    await asyncio.gather(*(isolation.run(step, ctx, given) for _ in range(2 * processes)))
    began = time.perf_counter()
    answers = await asyncio.gather(*(isolation.run(step, ctx, given) for _ in range(documents)))
    seconds = time.perf_counter() - began
    if not all(answer.value["text"] for answer in answers):
        raise BenchmarkError("a document was not read")
    return documents / seconds


def _figure(name: str, measured: float, bare: float, bar: float | None) -> Figure:
    return Figure(
        name=f"{name}, of pypdfium2", measured=measured * 1e3, unit="ms", floor=bare * 1e3, better=Better.LOWER, bar=bar
    )


def _supplied(file: Path) -> dict[str, Any]:
    """What the step gets in the sandbox, once the worker has found the file."""
    return {"path": str(file), "name": file.name, "mimeType": "", "password": None}


def _step() -> PlannedStep:
    return compile_plan({"steps": [{"id": "parse", "type": "parse"}]}, discover(), None).steps[0]


@asynccontextmanager
async def _isolation(processes: int) -> AsyncGenerator[Isolation]:
    isolation = Isolation("weft.steps:discover", processes=processes)
    try:
        yield isolation
    finally:
        await isolation.close()


class _Item(StepContext):
    """One item, without an engine around it."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values
        self.attempt = 1

    @property
    def idempotency_key(self) -> str:
        return ""

    @property
    def outside(self) -> Outside:
        raise NotImplementedError

    def log(self, level: LogLevel, message: str, **fields: Any) -> None:
        raise BenchmarkError(f"{level} {message} {fields}")
